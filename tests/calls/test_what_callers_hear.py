"""What a caller heard is recognised from the recording, in each language, and so is what she said: sounds played by
Asterisk, and the shipped flows, called."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from core.events import LegUp, PlaybackFinished
from definitions.saying import say_date, say_money
from engine.home import Home
from speech.assembly import open_renderer
from speech.audio import read_audio, wav_bytes
from speech.hearing import contains, heard, similar
from speech.renderer import SpeechRenderer
from tests.asterisk_fixture import FLOW_SOUNDS, AsteriskNode
from tests.callers import Caller, registered
from tests.contract.control_stage import PhonePerson, Stage, asterisk_stage
from tests.phone_fixture import Phones
from tests.system_fixture import Systems

pytestmark = [pytest.mark.asterisk, pytest.mark.slow]

PROJECT = Path(__file__).resolve().parents[2]
# A shipped phrase, an amount and a date joined from shipped phrases, a name that only the fallback can say now.
SAYINGS = {
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


async def test_callers_hear_the_words(asterisk_node: AsteriskNode, tmp_path: Path) -> None:
    renderer = open_renderer(shipped=FLOW_SOUNDS / "rendered", cache=asterisk_node.settings.sounds_dirs[-1])
    async with asterisk_stage(asterisk_node, tmp_path) as stage:
        try:
            callers = {language: await stage.caller() for language in SAYINGS}
            recordings = await asyncio.gather(
                *(_told(stage, renderer, callers[language], language, tmp_path) for language in SAYINGS)
            )
        finally:
            await renderer.close()
        assert renderer.outcomes == {"joined": 4, "fallback": 2}
        for caller in callers.values():
            await caller.hang_up()
    for language, recording in zip(SAYINGS, recordings, strict=True):
        text = heard(recording, language)
        assert similar(text, " ".join(SAYINGS[language]), language) >= 0.8, text


async def _told(stage: Stage, renderer: SpeechRenderer, caller: object, language: str, place: Path) -> Path:
    """The recording of what she heard."""
    assert isinstance(caller, PhonePerson)
    paths = [await renderer.render(text, language) for text in SAYINGS[language]]
    await stage.control.answer(caller.leg_id)
    await stage.facts.next(LegUp, caller.leg_id)
    recording = await caller.call.record(place / f"heard-{language}.wav")
    await stage.control.play(caller.leg_id, f"speech-{place.name}-{language}", [str(path) for path in paths])
    finished = await stage.facts.next(PlaybackFinished, caller.leg_id, timeout_s=120)
    assert finished.how == "completed"
    await caller.call.stop_recording()
    return await recording.saved()


async def test_callers_hear_their_balance_and_leave_messages(
    system: Systems, softphones: Phones, tmp_path: Path
) -> None:
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
    callers = {}
    for language, account in (("es", "main-1001"), ("en", "main-1002")):
        phone = await registered(running, await softphones(), account)
        callers[language] = await Caller.dial(running, phone, "101", tmp_path)
    await asyncio.gather(*(_conversation(caller, language, tmp_path) for language, caller in callers.items()))

    kept = await running.messages("collections", *(caller.interaction_id for caller in callers.values()))
    for language, caller in callers.items():
        _, phrases, message = TALKS[language]
        text = heard(await caller.recording.saved(), language)
        for phrase in phrases:
            assert contains(text, phrase, language) >= 0.8, f"{phrase!r} in {text!r}"
        assert contains(heard(kept[caller.interaction_id][0], language), message, language) >= 0.8


def with_its_sounds(home: Home) -> None:
    """The voices that are shipped, and what they have said already."""
    (home.project / "flows" / "sounds").symlink_to(PROJECT / "flows" / "sounds")
    site = home.project / "config" / "site.yaml"
    site.write_text(site.read_text().replace("voices: [fake]", "voices: [kokoro, espeak]"))


async def _conversation(caller: Caller, language: str, place: Path) -> None:
    key, _, message = TALKS[language]
    spoken = open_renderer(shipped=PROJECT / "flows/sounds/rendered").ready(message, language)
    assert spoken is not None, "a sentence of the shipped flows"
    said = place / f"said-{language}.wav"
    said.write_bytes(wav_bytes(read_audio(spoken.with_suffix(".ulaw"))))
    await caller.at("languages")
    await caller.press(key)
    await caller.at("document")
    await caller.press("12345678")
    await caller.at("options", 120)
    await caller.press("0")
    await caller.at("message", 120)
    await caller.press("1")
    await caller.is_recorded()
    await caller.call.play(said)
    await caller.call.played()
    await asyncio.sleep(0.3)
    await caller.hang_up()
