"""Who answered, told from nothing but when it was loud; and what Asterisk's own AMD() is asked and means."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.live_audio import AudioBlock, Verdict
from dialer.amd.app_amd import AppAmd
from dialer.amd.app_amd import make as make_app_amd
from dialer.amd.profiles import PROFILES
from dialer.amd.talk_timing import PAUSE_S, QUIET_WITHIN_S, TalkTiming, make
from telephony.live_audio.talk_meter import TalkMeter
from tests.unit.dialer.amd_sounds import Sound, silence, tone, voice

VICIDIAL = PROFILES["vicidial"]


def played(judge: TalkTiming, *spurts: tuple[float, float], until_s: float = 60.0) -> list[tuple[float, Verdict]]:
    """Somebody talks from each first second to each second one; the judge is told and asked as on a node."""
    news: list[tuple[float, Callable[[], None]]] = []
    for start, end in spurts:
        news.append((start, partial(judge.talks, start)))
        news.append((end + PAUSE_S, partial(judge.silent, end, end - start)))
    told: list[tuple[float, Verdict]] = []
    now_s = 0.0
    for at_s, tell in [*sorted(news, key=lambda one: one[0]), (until_s, lambda: None)]:
        while (now_s := max(now_s, judge.due_s)) < at_s:
            verdict = judge.look(now_s)
            assert verdict is not None, "it is asked when it wants to be"
            told.append((now_s, verdict))
            if verdict.final:
                return told
        tell()
        now_s = at_s
    return told


def test_who_says_something_short_and_waits_is_a_person() -> None:
    ((at_s, verdict),) = played(make({}), (0.5, 1.1))
    assert (verdict.label, verdict.final) == ("human", True)
    assert at_s == pytest.approx(1.1 + VICIDIAL.after_greeting_s)
    assert verdict.past_s == pytest.approx(1.0), "the greeting's end"
    assert verdict.evidence == (
        "it talked for 0.6 s and has been silent for 1.0 s; by profile vicidial people wait 1 s for an answer"
    )


def test_who_goes_on_is_a_machine_before_it_has_said_all() -> None:
    ((at_s, verdict),) = played(make({}), (0.4, 9.0))
    assert (verdict.label, verdict.final) == ("machine", True)
    assert at_s == pytest.approx(2.6)
    assert verdict.evidence == "it has talked for 2.2 s; by profile vicidial people do for 2 s"
    ((at_s, verdict),) = played(make({}), (0.4, 1.4), (1.8, 2.6), (3.0, 9.0))
    assert verdict.label == "machine"
    assert at_s == pytest.approx(3.4), "all its talk together"
    ((at_s, verdict),) = played(make({}), (0.4, 2.5))
    assert (verdict.label, at_s) == ("machine", pytest.approx(2.6))


@pytest.mark.parametrize("spurts", [(), ((0.0, 0.02),), ((0.0, 0.02), (0.9, 0.95))])
def test_dead_air_is_told_apart_and_clicks_are_no_speech(spurts: tuple[tuple[float, float], ...]) -> None:
    ((at_s, verdict),) = played(make({}), *spurts)
    assert verdict.label == "silence"
    assert at_s == pytest.approx(2.0)


def test_profiles_expect_different_people() -> None:
    long_hello = (0.3, 2.1)
    assert played(make({"profile": "vicidial"}), long_hello)[0][1].label == "human"
    assert played(make({"profile": "asterisk"}), long_hello)[0][1].label == "machine"


def test_whom_nobody_knows_in_time_nobody_keeps_waiting() -> None:
    ((at_s, verdict),) = played(make({"rest_s": "0.6"}), (0.5, 1.1))
    assert (verdict.label, at_s) == ("not_sure", pytest.approx(1.7))
    ((at_s, verdict),) = played(make({"rest_s": "1.6"}))
    assert (verdict.label, at_s, verdict.past_s) == ("silence", 1.6, 0.0)
    ((at_s, verdict),) = played(make({"limit_s": "1.5"}), (0.5, 1.1))
    assert (verdict.label, at_s) == ("not_sure", 1.5)
    assert verdict.past_s == pytest.approx(0.4)
    # Who talks waits for nothing yet.
    ((at_s, verdict),) = played(make({"limit_s": "1.5", "speaks_on_s": "3"}), (1.2, 1.9))
    assert (verdict.label, at_s) == ("not_sure", pytest.approx(2.1))


def test_a_machine_that_fell_silent_may_record() -> None:
    (first, last) = played(make({"until_quiet": "yes"}), (0.4, 6.0), (6.8, 7.0))
    assert (first[1].label, first[1].final) == ("machine", False)
    assert (last[1].label, last[1].final, last[1].past_s) == ("quiet", True, pytest.approx(2.5))
    assert last[0] == pytest.approx(9.5)
    (_, (at_s, verdict)) = played(make({"until_quiet": "yes"}), (0.4, 99.0))
    assert (verdict.label, at_s) == ("machine", QUIET_WITHIN_S)
    assert "did not fall silent" in verdict.evidence


spurts_of = st.lists(st.tuples(st.floats(0.25, 3.0), st.floats(0.01, 4.0)), max_size=12)


@given(spurts_of, st.sampled_from(sorted(PROFILES)), st.floats(1.0, 9.0), st.floats(0.0, 6.0), st.floats(0.5, 3.0))
@settings(max_examples=300)
def test_no_verdict_comes_later_than_its_limits(
    gaps: list[tuple[float, float]], profile: str, limit_s: float, more_s: float, rest_s: float
) -> None:
    judge = TalkTiming(PROFILES[profile], profile, limit_s, limit_s + more_s, rest_s)
    spurts, now_s = [], 0.0
    for gap_s, talk_s in gaps:
        spurts.append((now_s + gap_s, now_s + gap_s + talk_s))
        now_s += gap_s + talk_s
    ((at_s, verdict),) = played(judge, *spurts)
    assert verdict.final
    assert 0.0 <= verdict.past_s <= at_s
    talking = any(start <= at_s <= end + PAUSE_S + 1e-6 for start, end in spurts)
    assert at_s <= limit_s + more_s + 1e-6
    assert talking or at_s <= limit_s + 1e-6
    if verdict.label in ("human", "not_sure") and not talking and spurts and verdict.past_s:
        assert verdict.past_s <= max(rest_s, PAUSE_S) + 1e-6


@pytest.mark.parametrize("options", [{"profile": "mine"}, {"limit_s": "soon"}, {"limit_s": "0.2"}, {"rest_s": "99"}])
def test_options_that_make_no_sense_are_refused(options: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        make(options)
    with pytest.raises(ValueError, match=next(iter(options))):
        make_app_amd(options)


# -- audio, as TALK_DETECT measures it ---------------------------------------------------------------------------
def metered(*parts: Sound) -> tuple[float, Verdict]:
    samples = (np.concatenate(parts) * 32767).astype(np.int16)
    meter = TalkMeter(make({}))
    for n in range(len(samples) // 160):
        block = AudioBlock("leg", n * 0.02, n, samples[n * 160 : (n + 1) * 160].tobytes())
        if (verdict := meter.feed(block)) is not None:
            return meter.at_s, verdict
    return meter.at_s, meter.end()


def test_what_is_loud_is_talk_whatever_it_is() -> None:
    at_s, verdict = metered(silence(0.4), voice(0.6), silence(3))
    assert (verdict.label, at_s) == ("human", pytest.approx(2.0, abs=0.1))
    assert metered(silence(0.4), voice(5))[1].label == "machine"
    assert metered(silence(5))[1].label == "silence"
    assert metered(tone(425, 0.2), silence(3))[1].label == "human", "a busy tone's first beep"


# -- AMD() -------------------------------------------------------------------------------------------------------
def test_amd_is_asked_as_the_profile_says() -> None:
    assert make_app_amd({}).arguments == "2000,2000,1000,5000,120,50,4,256"
    assert make_app_amd({"profile": "asterisk"}).arguments == "2500,1500,800,5000,100,50,2,256"
    # But keeps nobody waiting longer than the law lets it.
    assert make_app_amd({"limit_s": "1.6", "rest_s": "0.9"}).arguments == "900,2000,900,1600,120,50,4,256"


@pytest.mark.parametrize(
    ("status", "cause", "label", "past_s"),
    [
        ("HUMAN", "HUMAN-1000-1000", "human", 1.0),
        ("MACHINE", "LONGGREETING-2000-2000", "machine", 0.0),
        ("MACHINE", "MAXWORDS-4-4", "machine", 0.0),
        ("MACHINE", "INITIALSILENCE-2000-2000", "silence", 0.0),
        ("NOTSURE", "NOAUDIODATA-2000", "silence", 0.0),
        ("NOTSURE", "TOOLONG-5000", "not_sure", 0.0),
        ("HUMAN", "", "human", 0.0),
        ("WHATEVER", "IT-SAYS", "not_sure", 0.0),
    ],
)
def test_what_amd_says_means_what_our_labels_mean(status: str, cause: str, label: str, past_s: float) -> None:
    verdict = AppAmd(VICIDIAL).told(status, cause)
    assert (verdict.label, verdict.past_s, verdict.final) == (label, past_s, True)
    assert status in verdict.evidence
