"""What a voice says is what a caller hears: rendered, played by Asterisk, recorded by a phone, recognised."""

from pathlib import Path

import pytest

from core.events import LegUp, PlaybackFinished
from definitions.saying import say_date, say_money
from speech.assembly import open_renderer
from speech.hearing import heard, similar
from tests.asterisk_fixture import FLOW_SOUNDS, AsteriskNode
from tests.contract.control_stage import PhonePerson, asterisk_stage

# A shipped phrase, an amount and a date joined from shipped phrases, a name that only the fallback can say now.
CALLS = {
    "es": [
        say_money("1250.75", "EUR", "es"),
        say_date("2026-03-15", "es"),
        "Buenas tardes, le atiende la señora Martínez.",
    ],
    "en": [
        say_money("1250.75", "EUR", "en"),
        say_date("2026-03-15", "en"),
        "Good afternoon, you are speaking to Mister Robinson.",
    ],
}


@pytest.mark.asterisk
@pytest.mark.slow
@pytest.mark.parametrize("language", CALLS)
async def test_a_caller_hears_the_words(asterisk_node: AsteriskNode, tmp_path: Path, language: str) -> None:
    renderer = open_renderer(shipped=FLOW_SOUNDS / "rendered", cache=asterisk_node.settings.sounds_dirs[-1])
    async with asterisk_stage(asterisk_node, tmp_path) as stage:
        try:
            paths = [await renderer.render(text, language) for text in CALLS[language]]
            assert renderer.outcomes == {"joined": 2, "fallback": 1}
            caller = await stage.caller()
            assert isinstance(caller, PhonePerson)
            await stage.control.answer(caller.leg_id)
            await stage.facts.next(LegUp, caller.leg_id)
            recording = await caller.call.record(tmp_path / "heard.wav")
            await stage.control.play(caller.leg_id, f"speech-{tmp_path.name}", [str(path) for path in paths])
            finished = await stage.facts.next(PlaybackFinished, caller.leg_id, timeout_s=30)
            assert finished.how == "completed"
            await caller.call.stop_recording()
            text = heard(await recording.saved(), language)
            await caller.hang_up()
        finally:
            await renderer.close()
    assert similar(text, " ".join(CALLS[language]), language) >= 0.8, text
