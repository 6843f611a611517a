"""Callers with real phones walk through flows: real Asterisk, real engine, one system for all of these tests."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio

from core.events import DigitPressed
from engine.home import SecretBox
from store.cipher import ContactCipher
from store.recordings import Recording, Recordings
from telephony.softphone import ear
from telephony.softphone.client import Softphone
from tests.callers import WORDS, Caller, heard_for_s, pitch_hz, registered, so_far, words_in
from tests.calls.caller_flows import FLOWS
from tests.http_host import HttpHost, json_reply
from tests.phone_fixture import tone_wav
from tests.system_fixture import System, systems

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="module")]

NUMBERS = {
    "100": "menus",
    "110": "ask",
    "120": "message",
    "121": "promised",
    "130": "connect",
    "140": "closure",
    "150": "balance",
}
REFLECTS_S = 1.0
"""Right after a wrong key the rest of a burst of keys means nothing: a person takes longer to try again."""
DOCUMENT, CARD = "48152637", "601100099013QXZW"
"""The card's last four are looked for among ids and times: letters, which none of these has."""


@dataclass(slots=True)
class House:
    system: System
    ana: Softphone
    luis: Softphone
    http: HttpHost
    place: Path
    calls: list[Caller] = field(default_factory=list)

    async def call(self, number: str) -> Caller:
        caller = await Caller.dial(self.system, self.ana, number, self.place)
        self.calls.append(caller)
        return caller


def _phone() -> Softphone:
    return Softphone.start(rate_hz=8000)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def open_house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    place = tmp_path_factory.mktemp("calls")
    async with HttpHost() as http, systems(place) as up, _phone() as ana, _phone() as luis:
        flows = {name: text.replace("crm.test:PORT", f"127.0.0.1:{http.port}") for name, text in FLOWS.items()}
        files = {
            f"config/numbers/{number}.yaml": f'number: "{number}"\nflow: {flow}\n' for number, flow in NUMBERS.items()
        }
        files["config/devices/1003.yaml"] = 'device: "1003"\n'
        files["config/http.yaml"] = f"hosts: [{{host: 127.0.0.1, port: {http.port}, http: yes, private: yes}}]\n"
        system = await up(flows, files, workers=("projection",))
        await registered(system, ana, "main-1001")
        await registered(system, luis, "main-1002")
        yield House(system, ana, luis, http, place)


@pytest_asyncio.fixture(loop_scope="module")
async def house(open_house: House) -> AsyncIterator[House]:
    """After each test nobody is there any more, in the engine or in Asterisk."""
    yield open_house
    for caller in open_house.calls:
        await caller.call.hangup()
    open_house.calls.clear()
    await open_house.system.until_idle(30)


async def test_a_key_cuts_the_prompt_short_and_leads_on(house: House) -> None:
    caller = await house.call("100")
    await caller.hears("hotel")
    pressed = caller.since_recording(await caller.press("1"))
    await caller.hears("sierra")
    await caller.press("7")
    await caller.hears("foxtrot")
    await asyncio.sleep(REFLECTS_S)
    await caller.press("2")
    await caller.hears("eco")
    await caller.press("3")
    await caller.gone()
    sound = await caller.heard()
    assert words_in(sound) == ["hotel", "sierra", "foxtrot", "eco", "papa", "nueve"]
    hotel_s = sum(end - start for start, end in ear.tone_spans(sound, pitch_hz("hotel")))
    silent_s = ear.silence_after_s(sound, pressed, for_s=0.04)
    assert hotel_s < 12, "fifteen seconds, had it been said to its end; `bench.ivr` measures how soon it ends"
    assert silent_s is not None
    assert silent_s - pressed < 10.0
    assert caller.branches()[:3] == [("first", "1"), ("second", "2"), ("third", "3")]


async def test_who_knows_the_way_dials_through_and_a_subflow_keeps_to_itself(house: House) -> None:
    caller = await house.call("100")
    await caller.hears("hotel")
    await caller.press("123")
    await caller.gone()
    heard = words_in(await caller.heard(), at_least_s=0.3)
    assert heard[0] == "hotel"
    assert heard[-2:] == ["papa", "nueve"]
    assert caller.visits() == ["first", "second", "third", "inner", "double", "back", "said", "bye"]
    assert caller.variables()["chosen"] in ("1", "mine")
    assert caller.variables()["back"] == "2"


async def test_a_key_changes_the_language(house: House) -> None:
    caller = await house.call("100")
    await caller.hears("hotel")
    await caller.press("9")
    await caller.hears("delta")
    assert (await caller.at("first"))["language"] == "en"
    await caller.press("123")
    await caller.gone()
    heard = words_in(await caller.heard(), at_least_s=0.3)
    assert "quebec" in heard
    assert "papa" not in heard


async def test_digits_are_read_back_and_only_a_yes_keeps_them(house: House) -> None:
    caller = await house.call("110")
    await caller.press("9999")
    await caller.hears("eco")
    await asyncio.sleep(REFLECTS_S)
    await caller.press("1231")
    await caller.hears("sierra")
    await asyncio.sleep(REFLECTS_S)
    await caller.press("2")
    await caller.press("1233")
    await caller.hears("victor")
    await caller.press("1")
    await caller.gone()
    assert words_in(await caller.heard())[-1] == "papa"
    assert caller.variables()["code"] == "1233"
    assert ("code", "next") in caller.branches()
    assert any("the caller said no" in why for _, why in caller.notes())


async def test_a_message_is_recorded_heard_again_and_kept(house: House) -> None:
    caller = await house.call("120")
    await caller.hears("hotel")
    await caller.is_recorded()
    await caller.call.play(tone_wav(house.place / "says.wav", 700.0, seconds=2.5))
    await caller.call.played()
    await caller.press("#")
    await caller.hears("sierra")
    await caller.press("2")
    await caller.hears_hz(700.0, 1.5)  # her own message, on request
    await caller.press("1")
    await caller.gone()
    heard = await caller.heard()
    assert words_in(heard)[-1] == "papa"
    kept, labels = (await house.system.messages("sales", caller.interaction_id))[caller.interaction_id]
    assert heard_for_s(ear.load(kept), 700.0) > 1.5
    assert labels == {"caller": "1001", "called": "120", "topic": "1001 called"}
    await house.system.nothing_in_the_spool()

    # Who hangs up after speaking has left a message too, and who says nothing has not.
    silent = await house.call("120")
    await silent.hears("hotel")
    await silent.is_recorded()
    await silent.press("#")
    await silent.hears("eco")
    await silent.is_recorded()
    await silent.call.play(house.place / "says.wav")
    await silent.call.played()
    await silent.hang_up()
    await house.system.until_idle()
    messages = await house.system.messages("sales", silent.interaction_id)
    assert set(messages) == {caller.interaction_id, silent.interaction_id}
    second, labels = messages[silent.interaction_id]
    assert heard_for_s(ear.load(second), 700.0) > 1.5
    assert (labels["caller"], labels["called"]) == ("1001", "120"), "also when she is gone before it is filed"
    await house.system.nothing_in_the_spool()


async def test_a_number_that_was_confirmed_is_kept_of_who_hangs_up_before_she_speaks(house: House) -> None:
    caller = await house.call("121")
    await caller.hears("hotel")
    await caller.hang_up()
    await house.system.until_idle()
    async with asyncio.timeout(30):  # it is filed after the end of the call
        while not (found := _kept(house.system, "callbacks")):
            await asyncio.sleep(0.05)
    (kept,) = found
    assert (kept.interaction_id, kept.sound, kept.labels["call"]) == (caller.interaction_id, None, "1001")


def _kept(system: System, mailbox: str) -> list[Recording]:
    with ContactCipher.open(system.home.state, read_only=True) as cipher:
        return list(Recordings(system.home.voicemail, cipher).find("main", mailbox=mailbox))


async def test_a_transfer_connects_two_phones_and_takes_its_branches(house: House) -> None:
    await house.luis.auto_reject(486)
    caller = await house.call("130")
    await caller.hears("hotel")
    await caller.press("1")
    await caller.hears("eco")
    await house.luis.auto_answer_off()
    await caller.at("who")
    await caller.press("1")
    ringing = await house.luis.incoming()
    await ringing.until("disconnected")
    await caller.hears("victor")
    await caller.at("who")
    await caller.press("2")
    await caller.hears("delta")
    await caller.at("who")

    await caller.press("1")
    # The rejected call was never taken from the phone's list.
    there = await house.luis.incoming()
    while there.state == "disconnected":
        there = await house.luis.incoming()
    await there.answer()
    await there.until("confirmed")
    listens = await there.record(house.place / "luis.wav")
    await there.play(tone_wav(house.place / "high.wav", 1500.0, seconds=1.5), loop=True)
    await caller.call.play(tone_wav(house.place / "low.wav", 700.0, seconds=1.5), loop=True)
    await caller.hears_hz(1500.0, 1.0)  # Ana hears Luis, and Luis hears Ana
    async with asyncio.timeout(30):
        while heard_for_s(so_far(listens.path), 700.0) < 1.0:
            await asyncio.sleep(0.1)
    assert (await caller.at("luis"))["state"] == "connected"
    await there.hangup()
    await caller.hears("sierra")
    await caller.gone()
    heard = await caller.heard()
    assert [branch for node, branch in caller.branches() if node == "luis"] == ["busy", "no_answer", "answered"]
    assert words_in(heard)[-1] == "papa"


async def test_an_emergency_closure_needs_the_pin_and_survives_the_engine(house: House) -> None:
    pin = SecretBox(house.system.home.state / "secrets.json").get("pin/main/closure")
    caller = await house.call("140")
    await caller.hears("hotel")
    await caller.press("5")
    await caller.hears("sierra")
    await caller.press(f"{(int(pin) + 1) % 10**6:06}#")
    await caller.hears("eco")
    await asyncio.sleep(REFLECTS_S)
    await caller.press(f"{pin}#")
    await caller.hears("victor")
    await caller.gone()

    killed = house.system.engine_pid
    house.system.kill_engine()
    await house.system.until(lambda body: body["ready"] and house.system.engine_pid != killed, 30)
    again = await house.call("140")
    await again.hears("zulu")
    await again.press("5")
    await again.hears("sierra")
    await again.press(f"{pin}#")
    await again.hears("siete")
    await again.gone()
    assert again.visits() == ["is_closed", "closed", "switch", "bye"]
    last = await house.call("140")
    await last.hears("hotel")
    await last.hang_up()


async def test_what_is_sensitive_is_written_down_nowhere(house: House) -> None:
    answered = asyncio.Event()

    async def when_told(writer: asyncio.StreamWriter) -> None:
        await answered.wait()
        await json_reply({"card": CARD})(writer)

    house.http.answers[f"/customers/{DOCUMENT}"] = when_told
    await house.system.until(lambda body: "prompts:" in house.system.log(), 60)  # all that is said to everybody
    prompts = set(house.system.home.prompts.rglob("*"))
    caller = await house.call("150")
    await caller.hears("hotel")
    await caller.press(DOCUMENT)
    await caller.hears("sierra")
    await caller.press("1")
    await caller.at("ask")
    await _music(caller)
    answered.set()
    await caller.hears("victor")
    await caller.gone()
    heard = await caller.heard()
    assert words_in(heard)[-1] == "papa"
    (method, target, headers, body) = house.http.asked[-1]
    assert (method, target) == ("POST", f"/customers/{DOCUMENT}?d={DOCUMENT}")
    assert headers["x-document"] == DOCUMENT
    assert json.loads(body) == {"document": DOCUMENT}

    await house.system.until_idle()
    await house.system.until(lambda body: body["projection"]["lag_events"] == 0, 30)
    journal = "\n".join(map(str, house.system.journal(caller.interaction_id)))
    for secret in (DOCUMENT, CARD, CARD[-4:], " ".join(DOCUMENT)):
        assert secret not in journal
    assert ("ask", "next") in caller.branches()
    assert secrets_on_disk(house.system, DOCUMENT, CARD, f"Termina en {CARD[-4:]}") == []
    async with asyncio.timeout(30):  # what was said to her alone is no file any more
        while {path for path in house.system.home.prompts.rglob("*") if path.is_file()} - prompts:
            await asyncio.sleep(0.05)


async def test_what_was_typed_at_a_sensitive_node_dies_with_the_engine(house: House) -> None:
    house.http.answers[f"/customers/{DOCUMENT}"] = json_reply({"card": CARD})
    typed = DOCUMENT[:-1]
    caller = await house.call("150")
    await caller.hears("hotel")
    await caller.press(typed)
    async with asyncio.timeout(30):  # the engine has heard them all, and written down that they came
        while _keys(house, caller) < len(typed):
            await asyncio.sleep(0.05)
    killed = house.system.engine_pid
    house.system.kill_engine()
    await house.system.until(lambda body: body["ready"] and house.system.engine_pid != killed, 40)
    assert secrets_on_disk(house.system, typed) == []
    async with asyncio.timeout(30):
        while caller.visits().count("document") < 2:  # she is asked again
            await asyncio.sleep(0.05)
    await caller.press(DOCUMENT)
    await caller.hears("sierra")
    await caller.press("1")
    await caller.gone()
    assert house.http.asked[-1][1] == f"/customers/{DOCUMENT}?d={DOCUMENT}", "nothing of the first time was left"
    await house.system.until_idle()
    await house.system.until(lambda body: body["projection"]["lag_events"] == 0, 30)
    assert typed not in "\n".join(map(str, house.system.journal(caller.interaction_id)))
    assert secrets_on_disk(house.system, typed, CARD, f"Termina en {CARD[-4:]}") == []


def _keys(house: House, caller: Caller) -> int:
    """How many of hers are in the journal."""
    return sum(isinstance(record.event, DigitPressed) for record in house.system.journal(caller.interaction_id))


async def _music(caller: Caller) -> None:
    """Returns when she has heard 0.6 s of something that is no word, since now."""
    began_s = caller.since_recording(asyncio.get_running_loop().time())
    async with asyncio.timeout(30):
        while True:
            await asyncio.sleep(0.1)
            sound = so_far(caller.recording.path)
            latest = sound.between(max(began_s, sound.seconds - 0.6), sound.seconds)
            if latest.seconds > 0.5 and ear.level_db(latest.samples) > ear.THRESHOLD_DB and not words_in(latest):
                return


def secrets_on_disk(system: System, *secrets: str) -> list[tuple[str, str]]:
    """(file, secret) wherever one stands: journal and its WAL, SQL, logs of everybody, prompts made for one caller."""
    found = []
    for file in system.home.state.rglob("*"):
        if file.is_file():
            try:
                content = file.read_bytes()
            except FileNotFoundError:  # it was cleared away while we looked
                continue
            found += [(str(file), secret) for secret in secrets if secret.encode() in content]
    return found


async def test_the_words_of_these_tests_are_told_apart() -> None:
    pitches = sorted(map(pitch_hz, WORDS))
    assert min(high - low for low, high in itertools.pairwise(pitches)) > 100
