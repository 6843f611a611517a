"""What bench.amd lets every detector hear: the corpus's test side through simulated telephones, and tones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.sip_people import _linear_table, alaw
from core.live_audio import AudioBlock, Ear
from dialer.amd.screener import Screener
from dialer.amd.talk_timing import make as make_talk_timing
from engine.ears import PatientEar, loaded
from speech.recognisers import make_recogniser
from telephony.live_audio.talk_meter import TalkMeter
from training.amd.backgrounds import backgrounds
from training.amd.clips import MACHINES, PEOPLE, Clip, Sound, spoken, tones
from training.amd.heard import Backgrounds, Hearing, heard, heard_tone

TONES = "tone"
SIDE_OF = {"human": PEOPLE, "not_sure": PEOPLE, "machine": MACHINES, "beep": MACHINES, "silence": "silence"}
"""Where a verdict sends the call: `not_sure` to a person. All other labels are tones."""
REST_S = 1.6
"""Who has spoken, or says nothing, waits no longer: an agent within two seconds of the greeting's end or the answer."""
RECORDED_MOST = 70
HEARINGS, TONE_HEARINGS = 2, 8


@dataclass(frozen=True, slots=True)
class Example:
    """`side`: human, machine, tone or silence; `truth`: the label wanted of a tone. `sound`: A-law, ten seconds.
    `language`: that of the campaign that would call there."""

    name: str
    side: str
    truth: str
    kind: str
    hello: bool
    onset_s: float
    sound: bytes
    language: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """What a detector said of an example, seconds after the answer."""

    name: str
    label: str
    at_s: float
    evidence: str = ""


def examples(folder: Path, share: float = 1.0) -> list[Example]:
    """`share`: of every kind, so much; always the same ones."""
    clips = spoken(folder, "test")
    behind = backgrounds(folder, "test", clips)
    recorded = [clip for clip in clips if clip.kind == "recorded"]
    step = max(1, len(recorded) // RECORDED_MOST)
    clips = [clip for clip in clips if clip.kind != "recorded"] + recorded[::step]
    asked = [(clip, number) for clip in clips for number in range(1 if clip.kind == "recorded" else HEARINGS)]
    with ProcessPoolExecutor() as pool:
        found = list(pool.map(partial(_spoken, behind), asked, chunksize=16))
    for truth, name, sound in tones():
        found += [_toned(truth, name, sound, number, behind) for number in range(TONE_HEARINGS)]
    return found if share >= 1 else _some(found, share)


def described(found: Sequence[Example], folder: Path) -> dict[str, int]:
    """How many distinct recordings and voices there are, before telephones multiply them."""
    clips = spoken(folder, "test")
    people = [clip for clip in clips if clip.truth == PEOPLE]
    machines = [clip for clip in clips if clip.truth != PEOPLE]
    return {
        "people, heard": sum(one.side == PEOPLE for one in found),
        "people, distinct recordings": len(people),
        "people, texts": len({clip.group for clip in people}),
        "voices": len({clip.voice for clip in clips}),
        "machines, heard": sum(one.side == MACHINES for one in found),
        "machines, distinct recordings": len({one.name.rpartition("/")[0] for one in found if one.side == MACHINES}),
        "machines, there in all": len(machines),
        "tones, heard": sum(one.side == TONES for one in found),
        "silences, heard": sum(one.side == "silence" for one in found),
    }


def offline(found: Sequence[Example], limit_s: float = 6.0) -> list[Told]:
    """Ours, without a telephone: block by block, on all cores."""
    with ProcessPoolExecutor() as pool:
        return list(pool.map(partial(listened, limit_s), found, chunksize=8))


@dataclass(frozen=True, slots=True)
class Recognised:
    """What words cost: one value each time the recogniser was asked, in seconds of the processor."""

    calls: int
    cost_s: tuple[float, ...]


def worded(found: Sequence[Example], limit_s: float = 6.0) -> tuple[list[Told], Recognised]:
    """Ours with words, as late as they would come live. One process: the recogniser takes its time.

    Raises:
        RecogniserUnavailable: it is not installed.
    """
    recogniser = loaded(make_recogniser("whisper-short"))
    cost_s: list[float] = []

    def heard_by(example: Example) -> Told:
        ear = PatientEar(recogniser)
        told = listened(limit_s, example, ear)
        cost_s.extend(ear.cost_s)
        return told

    return [heard_by(example) for example in found], Recognised(len(found), tuple(cost_s))


def listened(limit_s: float, example: Example, ear: Ear | None = None) -> Told:
    samples = linear(example.sound)
    screener = Screener(limit_s, rest_s=REST_S, language=example.language if ear else "")
    if ear is not None:
        screener.hear_with(ear)
    for n in range(len(samples) // 160):
        verdict = screener.feed(AudioBlock("leg", n * 0.02, n, samples[n * 160 : (n + 1) * 160].tobytes()))
        if verdict is not None and verdict.final:
            return Told(example.name, verdict.label, (n + 1) * 0.02, verdict.evidence)
    return Told(example.name, screener.end().label, len(samples) / 8000)


def talked(found: Sequence[Example], profile: str, limit_s: float = 6.0) -> list[Told]:
    """By TALK_DETECT's own measure of loudness, without a telephone."""
    with ProcessPoolExecutor() as pool:
        return list(pool.map(partial(talk_timed, profile, limit_s), found, chunksize=8))


def talk_timed(profile: str, limit_s: float, example: Example) -> Told:
    meter = TalkMeter(make_talk_timing({"profile": profile, "limit_s": f"{limit_s:g}", "rest_s": f"{REST_S:g}"}))
    samples = linear(example.sound)
    for n in range(len(samples) // 160):
        verdict = meter.feed(AudioBlock("leg", n * 0.02, n, samples[n * 160 : (n + 1) * 160].tobytes()))
        if verdict is not None:
            return Told(example.name, verdict.label, (n + 1) * 0.02, verdict.evidence)
    return Told(example.name, meter.end().label, len(samples) / 8000)


def linear(sound: bytes) -> NDArray[np.int16]:
    return _linear_table()[np.frombuffer(sound, np.uint8)].astype(np.int16)


def is_right(example: Example, label: str) -> bool:
    """Silence is right as silence, and as not sure: both go to a person who says hello. So do what rings on, and who
    speaks late."""
    if example.side == TONES:
        return label == example.truth or (example.truth == "ringback" and label in ("not_sure", "silence"))
    if example.side == "silence":
        return label in ("silence", "not_sure")
    if example.side == PEOPLE and label == "silence":
        return True
    return SIDE_OF.get(label) == example.side


def _spoken(behind: Backgrounds, asked: tuple[Clip, int]) -> Example:
    clip, number = asked
    one = heard(clip, number, behind)
    return _example(f"{clip.name}/{number}", clip.truth, clip.truth, clip.kind, clip.hello, one, clip.language)


def _toned(truth: str, name: str, sound: Sound, number: int, behind: Backgrounds) -> Example:
    one = heard_tone(sound, name, number, behind)
    return _example(f"{name}/{number}", "silence" if truth == "silence" else TONES, truth, truth, False, one)


def _example(name: str, side: str, truth: str, kind: str, hello: bool, one: Hearing, language: str = "es") -> Example:
    return Example(name, side, truth, kind, hello, one.onset_s, alaw(one.samples), language)


def _some(found: Sequence[Example], share: float) -> list[Example]:
    taken: Counter[str] = Counter()
    some = []
    for one in found:
        taken[one.kind] += 1
        if int(taken[one.kind] * share) > int((taken[one.kind] - 1) * share):
            some.append(one)
    return some
