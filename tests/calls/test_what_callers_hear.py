"""The shipped flows, called: what a caller heard is recognised from the recording, in each language, and so is what
she said."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from engine.home import Home
from speech.assembly import open_renderer
from speech.audio import read_audio, wav_bytes
from speech.hearing import contains, heard
from telephony.softphone.client import Softphone
from tests.callers import Caller, registered
from tests.system_fixture import Systems

pytestmark = [pytest.mark.asterisk, pytest.mark.slow]

PROJECT = Path(__file__).resolve().parents[2]
TALKS = {
    "es": (
        "1",
        [
            "Su saldo pendiente es de ciento veinte euros con cincuenta céntimos.",
            "La fecha de vencimiento es el quince de marzo de dos mil veintiséis.",
            "Le pasamos con un gestor. No cuelgue, por favor.",
            "En este momento ningún gestor puede atenderle.",
        ],
        "Hemos guardado su mensaje. Le responderemos lo antes posible.",
    ),
    "en": (
        "2",
        [
            "Your outstanding balance is one hundred and twenty euros and fifty cents.",
            "It is due on March fifteenth, twenty twenty-six.",
            "We are connecting you to an advisor. Please hold.",
            "None of our advisors can take your call right now.",
        ],
        "Your message has been saved. We will get back to you as soon as we can.",
    ),
}


def with_its_sounds(home: Home) -> None:
    """The voices that are shipped, and what they have said already."""
    (home.project / "flows" / "sounds").symlink_to(PROJECT / "flows" / "sounds")
    site = home.project / "config" / "site.yaml"
    site.write_text(site.read_text().replace("voices: [fake]", "voices: [kokoro, espeak]"))


@pytest.mark.parametrize("language", TALKS)
async def test_a_caller_hears_her_balance_and_leaves_a_message(
    system: Systems, softphone: Softphone, tmp_path: Path, language: str
) -> None:
    key, phrases, message = TALKS[language]
    flows = {file.stem: file.read_text() for file in PROJECT.glob("flows/*.yaml") if ".test" not in file.name}
    files = {
        str(file.relative_to(PROJECT)): file.read_text()
        for file in (PROJECT / "config").glob("*/*")
        if file.parent.name != "numbers"
    }
    for name in ("http", "skills", "agents", "dispositions", "not_ready"):
        files[f"config/{name}.yaml"] = (PROJECT / f"config/{name}.yaml").read_text()
    files["config/numbers/101.yaml"] = 'number: "101"\nflow: collections\n'
    running = await system(flows, files, "languages: [es, en]", prepare=with_its_sounds)
    await registered(running, softphone, "main-1001")
    said = tmp_path / "said.wav"
    spoken = open_renderer(shipped=PROJECT / "flows/sounds/rendered").ready(message, language)
    assert spoken is not None, "a sentence of the shipped flows"
    said.write_bytes(wav_bytes(read_audio(spoken.with_suffix(".ulaw"))))
    caller = await Caller.dial(running, softphone, "101", tmp_path)
    await caller.at("languages")
    await caller.press(key)
    await caller.at("document")
    await caller.press("12345678", duration_ms=60, gap_ms=60)
    await caller.at("options", 30)
    await caller.press("0")
    await caller.at("message", 30)
    await caller.press("1")
    await asyncio.sleep(1.0)
    await caller.call.play(said)
    await caller.call.played()
    await asyncio.sleep(0.3)
    await caller.hang_up()

    text = heard(await caller.recording.saved(), language)
    for phrase in phrases:
        assert contains(text, phrase, language) >= 0.8, f"{phrase!r} in {text!r}"
    (kept,) = (running.home.voicemail / "main" / "collections").glob("*.wav")
    assert contains(heard(kept, language), message, language) >= 0.8
