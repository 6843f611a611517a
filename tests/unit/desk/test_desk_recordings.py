"""Recordings on the desk: who may hear them, that the right part is sent, and that nobody listens unseen."""

from __future__ import annotations

import io
import wave

import numpy as np
import pytest
from playwright.async_api import expect

from core.leg_commands import KeepRecording
from desk.roles import EVERY_TENANT, Role
from engine.effects.recordings import Mailboxes
from store.cipher import ContactCipher
from tests.unit.desk.browser_stage import TWICE, UNNAMED, browser, desk, opened
from tests.unit.desk.test_desk_outage import stalled

pytestmark = pytest.mark.asyncio(loop_scope="module")
__all__ = ["browser", "desk"]

ANA, EVA = "+34600123123", "+34600999999"
TALK = "/v1/recordings/talk.sales/20270115T080000Z-i-1.r1/sound"
NOON_S = 1.8e9


def tone(seconds: float) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes((8000 * np.sin(np.arange(int(8000 * seconds)) * 0.5)).astype(np.int16).tobytes())
    return file.getvalue()


SOUND = tone(90)


class Node:
    async def keep_recording(self, leg_id, recording_id, destination):
        with open(destination, "xb") as file:
            file.write(SOUND)


async def keep(desk, *commands):
    state = desk.services.settings.state
    with ContactCipher.open(state) as cipher:
        boxes = Mailboxes(state / "voicemail", Node(), cipher, lambda: True)
        for number, command in enumerate(commands):
            await boxes.keep(command, NOON_S + number)


async def two(desk):
    talk = {"kind": "conversation", "queue": "sales", "agents": "ana"}
    await keep(
        desk,
        KeepRecording("i-1", "l", "i-1.r1", "talk.sales", talk, "main", ANA, "100"),
        KeepRecording("i-2", "l", "i-2.1.1", "sales", {"topic": "<b>a chair"}, "main", EVA, "100"),
    )


async def heard(desk):
    page = (await desk.as_role(Role.ADMIN).get("/v1/audit")).json()
    return [(each["login"], each["subject"]) for each in page["entries"] if each["action"] == "recording.heard"]


async def test_they_are_listed_for_who_may_hear_them(desk):
    await two(desk)
    quality = desk.as_role(Role.QUALITY)
    message, talk = (await quality.get("/v1/recordings")).json()["recordings"]
    assert (message["kind"], message["caller"], message["labels"]) == ("message", EVA, {"topic": "<b>a chair"})
    assert (talk["queue"], talk["agents"], talk["at_s"]) == ("sales", ["ana"], NOON_S)
    assert (await quality.get("/v1/recordings", agent_id="ana")).json()["recordings"] == [talk]
    first = (await quality.get("/v1/recordings", limit=1)).json()
    assert first["recordings"] == [message]
    assert (await quality.get("/v1/recordings", before=first["next"])).json()["recordings"] == [talk]
    assert (await desk.as_role(Role.QUALITY, tenant="acme").get("/v1/recordings")).json()["recordings"] == []
    assert (await desk.agent().get("/v1/recordings")).status_code == 403
    assert await heard(desk) == []


async def test_a_sound_is_sent_whole_or_in_part_and_noted_once(desk):
    await two(desk)
    quality = desk.as_role(Role.QUALITY)
    whole = await quality.get(TALK)
    assert (whole.status_code, whole.content, whole.headers["content-type"]) == (200, SOUND, "audio/wav")
    for asked, start, end in (("bytes=0-", 0, len(SOUND)), ("bytes=1048000-1049999", 1048000, 1050000)):
        part = await quality.http.get(TALK, headers={"range": asked})
        assert (part.status_code, part.content) == (206, SOUND[start:end])
        assert part.headers["content-range"] == f"bytes {start}-{end - 1}/{len(SOUND)}"
    assert await heard(desk) == [("quality", "talk.sales/20270115T080000Z-i-1.r1")]
    await desk.as_role(Role.SUPERVISOR).get(TALK)
    assert [login for login, _ in await heard(desk)] == ["supervisor", "quality"]


@pytest.mark.parametrize("asked", ["bytes=5-2", f"bytes={len(SOUND) + 1}-"])
async def test_a_range_that_is_none_is_refused(desk, asked):
    await two(desk)
    assert (await desk.as_role(Role.QUALITY).http.get(TALK, headers={"range": asked})).status_code == 422


async def test_nobody_hears_those_of_another_tenant(desk):
    await two(desk)
    assert (await desk.as_role(Role.SUPERVISOR, tenant="acme").get(TALK)).status_code == 404
    chief = desk.as_role(Role.ADMIN, tenant=EVERY_TENANT)
    assert (await chief.get(TALK, tenant="acme")).status_code == 404
    assert (await chief.get(TALK, tenant="main")).status_code == 200
    for path in ("/v1/recordings/..%2Fx/20270115T080000Z-i-1.r1/sound", "/v1/recordings/sales/nothing/sound"):
        assert (await chief.get(path, tenant="main")).status_code == 404


async def test_who_asked_to_be_forgotten_is_not_heard(desk):
    await two(desk)
    with ContactCipher.open(desk.services.settings.state) as cipher:
        cipher.erase(cipher.contact_key_id("main", ANA, ""))
    quality = desk.as_role(Role.QUALITY)
    _, talk = (await quality.get("/v1/recordings")).json()["recordings"]
    assert (talk["forgotten"], talk["caller"]) == (True, "")
    answer = await quality.get(TALK)
    assert (answer.status_code, answer.json()["detail"]) == (404, "this contact asked to be forgotten")


async def test_while_the_audit_log_is_away_nobody_listens(desk):
    await two(desk)
    async with stalled(desk):
        assert (await desk.as_role(Role.QUALITY).get(TALK)).status_code == 503
    assert (await desk.as_role(Role.QUALITY).get(TALK)).status_code == 200


async def test_queues_and_agents_are_called_by_their_names(desk):
    await two(desk)
    desk.fake.queues["main", "sales"]["title"] = "Ventas y altas"
    desk.fake.agents["main", "ana"]["name"] = "Ana Ruiz"
    desk.fake.do("AgentActed", {"tenant": "main", "agent_id": "ana", "action": "log_in"})
    desk.fake.arrive("sales")
    await desk.heard()
    page = (await desk.as_role(Role.QUALITY).get("/recordings")).text
    assert page.count("Ventas y altas</td>") == 2
    assert (page.count("Ana Ruiz</td>"), page.count("Ventas y altas</option>")) == (1, 1)


async def test_a_supervisor_listens_in_her_browser(browser, desk):
    await two(desk)
    await desk.account("sofia", Role.SUPERVISOR)
    async with opened(browser, desk, "sofia") as page:
        await page.get_by_role("link", name="Recordings").click()
        rows = page.locator("tbody tr")
        await expect(rows).to_have_count(2)
        await expect(rows.first).to_contain_text("<b>a chair")
        assert await page.evaluate(UNNAMED) == []
        assert await page.evaluate(TWICE) == []
        length_s = await page.evaluate(
            """() => new Promise((done, failed) => {
                const sound = document.querySelectorAll("audio")[1];
                sound.onloadedmetadata = () => done(sound.duration);
                sound.onerror = () => failed(sound.error.message);
                sound.load(); sound.preload = "auto";
            })"""
        )
        assert length_s == pytest.approx(90, abs=0.1)
        assert [login for login, _ in await heard(desk)] == ["sofia"]
        await page.get_by_label("Agent").select_option("ana")
        await expect(rows).to_have_count(1)
        await page.get_by_title("Español").click()
        await expect(page.locator("h2")).to_contain_text("Grabaciones")
