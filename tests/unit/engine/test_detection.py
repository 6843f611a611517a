"""Who listens to whom a campaign calls: chosen for the site, and refused where it cannot do what a campaign asks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.leg_commands import OriginateLeg
from definitions.problems import Severity
from dialer.checks import check
from dialer.loader import read_campaigns
from engine import media_worker
from engine.cli import doctor
from engine.config.loader import load
from engine.config.models import Detection
from engine.home import Home
from engine.listeners import LISTENERS, WATCHES
from speech.errors import RecogniserUnavailable
from speech.recognisers.fake import FakeRecogniser
from telephony.node import installation
from telephony.node.installation import Installation
from tests.unit.dialer.test_campaign_files import AROUND as AROUND_CAMPAIGNS
from tests.unit.dialer.test_campaign_files import GOOD
from tests.unit.engine.attempt_case import AROUND, WANTED, Case

MESSAGE = "on_machine: {action: message, flow: reminder}\n"
IN_TIME = replace(WANTED, screen=True, after_answer_s=2.0)


def asked(by: str, **wanted: Any) -> Any:
    around = replace(AROUND, detection=Detection(by=by, profile="asterisk"))
    (leg,) = Case(replace(IN_TIME, **wanted), around).commanded(OriginateLeg)
    return leg.listen


@pytest.mark.parametrize(
    ("by", "wanted", "listener"),
    [
        ("audio", {}, "amd"),
        ("audio", {"on_machine": "message"}, "mailbox"),
        ("talk_detect", {}, "talk_detect"),
        ("talk_detect", {"on_machine": "message"}, "talk_detect"),
        ("app_amd", {}, "app_amd"),
    ],
)
def test_her_leg_is_dialed_with_the_chosen_one(by: str, wanted: dict[str, Any], listener: str) -> None:
    listen = asked(by, **wanted)
    assert listen.listener == listener
    assert (by == "audio") == ("profile" not in listen.options)
    assert (listen.options.get("until_quiet") == "yes") == (by != "audio" and bool(wanted))
    if by == "audio":
        assert listener in LISTENERS
    else:
        make = WATCHES[by].by_talk or WATCHES[by].by_node
        assert make is not None
        make(listen.options)


@pytest.mark.parametrize("by", ["talk_detect", "app_amd"])
def test_whoever_it_is_has_the_laws_time_and_no_more(by: str) -> None:
    options = asked(by).options
    assert (options["limit_s"], options["speaks_on_s"], options["rest_s"]) == ("1.4", "1.4", "1.6")


@pytest.mark.parametrize(
    ("by", "screen", "said"),
    [
        ("audio", "yes\n" + MESSAGE, []),
        ("audio", "bridge_first\n", []),
        ("talk_detect", "bridge_first\n", []),
        ("talk_detect", "yes\n" + MESSAGE, [(11, Severity.WARNING, "talk_detect hears no beep")]),
        ("app_amd", "yes\n", []),
        ("app_amd", "bridge_first\n", [(10, Severity.ERROR, "hears nobody who talks with an agent")]),
        ("app_amd", "yes\n" + MESSAGE, [(11, Severity.ERROR, "waits for no beep")]),
    ],
)
def test_a_campaign_is_told_what_the_sites_detector_cannot_do(by: str, screen: str, said: list[Any]) -> None:
    found = read_campaigns({"config/campaigns/spring.yaml": f"{GOOD}screen: {screen}"})
    check(found, replace(AROUND_CAMPAIGNS, detection=by))
    problems = list(found.problems)
    assert [(one.line, one.severity) for one in problems] == [each[:2] for each in said]
    for problem, (_, _, what) in zip(problems, said, strict=True):
        assert what in problem.what
        assert "detection: {by: " in problem.hint


@pytest.mark.parametrize(
    ("by", "modules", "said"),
    [
        ("audio", (), []),
        ("app_amd", ("app_amd.so",), ["ok"]),
        ("app_amd", ("func_talkdetect.so",), ["wrong"]),
        ("talk_detect", ("func_talkdetect.so",), ["ok"]),
    ],
)
def test_the_doctor_says_whether_asterisk_can(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, by: str, modules: tuple[str, ...], said: list[str]
) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config/site.yaml").write_text(f"site: acme\ndetection: {{by: {by}}}\n")
    found = Installation(Path("asterisk"), "22.10", Path("modules"), Path("data"), None, frozenset(modules))
    monkeypatch.setattr(installation, "find", lambda: found)
    assert [finding.verdict for finding in doctor._detection(Home.find(tmp_path, tmp_path / "var"))] == said


def test_words_are_asked_for_in_the_campaigns_language_and_by_audio_alone() -> None:
    def options(**detection: Any) -> Any:
        around = replace(AROUND, detection=Detection(**detection))
        (leg,) = Case(replace(IN_TIME, language="es-MX"), around).commanded(OriginateLeg)
        return leg.listen.options

    assert options(words="yes")["words"] == "es-MX"
    for detection in ({}, {"words": "no"}, {"words": "yes", "by": "talk_detect"}):
        assert "words" not in options(**detection)


@pytest.mark.parametrize(("missing", "verdict"), [("", "ok"), ("faster_whisper", "warning")])
def test_the_doctor_says_whether_the_recogniser_is_there_where_words_are_wanted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, missing: str, verdict: str
) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config/site.yaml").write_text("site: acme\ndetection: {words: yes}\n")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == missing else object())
    (finding,) = doctor._detection(Home.find(tmp_path, tmp_path / "var"))
    assert finding.verdict == verdict
    assert ("centralita[recognition]" in finding.mend) == bool(missing)


def test_a_media_worker_has_ears_where_words_are_wanted_and_a_recogniser_is_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    site = tmp_path / "config/site.yaml"
    site.parent.mkdir()
    home = Home.find(tmp_path, tmp_path / "var")
    assert media_worker._ears(home) is None, "there is no file at all"
    site.write_text("site: acme\n")
    assert media_worker._ears(home) is None
    site.write_text("site: acme\ndetection: {words: yes}\n")
    monkeypatch.setattr("speech.recognisers.make_recogniser", lambda name: FakeRecogniser())
    ears = media_worker._ears(home)
    assert ears is not None
    assert ears.ear().answer() is None
    ears.close()

    def refused(*asked: Any) -> Any:
        raise RecogniserUnavailable("whisper is not installed: pip install 'centralita[recognition]'")

    monkeypatch.setattr(FakeRecogniser, "recognise", refused)
    assert media_worker._ears(home) is None
    assert "pip install" in caplog.text


def test_the_sites_choice_is_read_and_reaches_campaigns() -> None:
    sources = {
        "config/site.yaml": "site: acme\ndetection: {by: app_amd, profile: asterisk}\n",
        "config/numbers/any.yaml": "default: yes\nflow: hello\n",
        "flows/hello.yaml": "flow: hello\nstart: bye\nnodes:\n  bye: {type: hangup}\n",
    }
    loaded = load(sources)
    assert loaded.configuration is not None, str(loaded.problems)
    assert loaded.configuration.site.detection == Detection(by="app_amd", profile="asterisk")
    campaign = {"config/campaigns/spring.yaml": f"{GOOD}screen: bridge_first\n"}
    assert "AMD() hears nobody" in str([one.what for one in load(sources | campaign).problems])
    wrong = load({**sources, "config/site.yaml": "site: acme\ndetection: {by: ear}\n"}).problems
    assert [(one.file, one.line) for one in wrong] == [("config/site.yaml", 2)]
