"""What a page says of what came to nothing: pressed while nobody could hear it, or a colleague who did not come."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from desk import fake_consult
from desk.roles import Role
from tests.unit.desk.browser_stage import browser, desk, opened

pytestmark = pytest.mark.asyncio(loop_scope="module")
__all__ = ["browser", "desk"]


async def test_what_was_pressed_without_a_connection_is_not_said_to_be_tried_again(browser, desk):
    await desk.account("ana", Role.AGENT, agent_id="ana")
    async with opened(browser, desk, "ana") as page:
        await page.route("**/agent/presence", lambda route: route.abort())
        await page.get_by_role("button", name="Log in to the queues").click()
        await expect(page.locator(".said")).to_contain_text("look whether that was done")


async def test_an_agent_is_told_that_whom_she_asked_did_not_come(browser, desk):
    await desk.account("ana", Role.AGENT, agent_id="ana")
    for action in ("log_in", "ready"):
        desk.fake.do("AgentActed", {"tenant": "main", "agent_id": "ana", "action": action})
    interaction_id = desk.fake.arrive("sales")
    desk.fake.accept("ana")
    async with opened(browser, desk, "ana") as page:
        target, act = page.get_by_label("Colleague, queue, menu or number"), page.locator("article .controls")
        await target.fill("bob")
        await page.get_by_role("button", name="Ask first").click()
        await expect(page.locator(".beside")).to_contain_text("Ringing Bob")
        desk.fake.lose_consulted(interaction_id)
        await expect(page.locator(".said")).to_have_text("Not reached: Bob. The customer is with you again.")
        await target.fill("bob")
        await page.get_by_role("button", name="Ask first").click()
        await expect(page.locator(".beside")).to_contain_text("Ringing Bob")
        await act.get_by_role("button", name="End consultation").click()
        await expect(page.locator(".beside")).to_have_count(0)
        await page.wait_for_timeout(1500)  # nothing is said of what she has ended herself
        await expect(page.locator(".said")).to_have_count(0)


async def test_an_agent_is_told_that_whom_she_asked_could_not_even_be_rung(browser, desk, monkeypatch):
    await desk.account("ana", Role.AGENT, agent_id="ana")
    for action in ("log_in", "ready"):
        desk.fake.do("AgentActed", {"tenant": "main", "agent_id": "ana", "action": action})
    desk.fake.arrive("sales")
    desk.fake.accept("ana")
    monkeypatch.setattr(fake_consult, "act", lambda *_: "")
    async with opened(browser, desk, "ana") as page:
        await page.get_by_label("Colleague, queue, menu or number").fill("+34911222333")
        await page.get_by_role("button", name="Ask first").click()
        await expect(page.locator(".said")).to_have_text("Not reached: +34911222333. The customer is with you again.")


async def test_an_agent_whose_phone_is_gone_is_not_told_that_it_rings(browser, desk):
    await desk.account("ana", Role.AGENT, agent_id="ana")
    for action in ("log_in", "ready"):
        desk.fake.do("AgentActed", {"tenant": "main", "agent_id": "ana", "action": action})
    async with opened(browser, desk, "ana") as page:
        await expect(page.locator(".idle")).to_contain_text("your phone rings")
        desk.fake.agents["main", "ana"]["reachable"] = False
        desk.fake._tell_agent("main", "ana")
        await expect(page.locator(".idle")).to_contain_text("Your phone is not connected")
        await expect(page.locator(".idle")).not_to_contain_text("your phone rings")


async def test_while_a_flow_has_her_caller_an_agent_is_offered_no_recording_that_cannot_go_on(browser, desk):
    await desk.account("ana", Role.AGENT, agent_id="ana")
    for action in ("log_in", "ready"):
        desk.fake.do("AgentActed", {"tenant": "main", "agent_id": "ana", "action": action})
    interaction_id = desk.fake.arrive("sales")
    desk.fake.accept("ana")
    async with opened(browser, desk, "ana") as page:
        await expect(page.get_by_role("button", name="Pause recording")).to_be_visible()
        desk.fake.talks[interaction_id] |= {"led_through_a_flow": True, "recording_paused": True}
        desk.fake._tell("talk", interaction_id, "main", desk.fake.talks[interaction_id])
        await expect(page.locator(".controls")).to_contain_text("Take back")
        await expect(page.get_by_role("button", name="Record again")).to_have_count(0)


async def test_an_agent_is_told_that_a_transfer_of_hers_came_to_nothing(browser, desk):
    await desk.account("ana", Role.AGENT, agent_id="ana")
    for action in ("log_in", "ready"):
        desk.fake.do("AgentActed", {"tenant": "main", "agent_id": "ana", "action": action})
    interaction_id = desk.fake.arrive("sales")
    desk.fake.contacts[interaction_id]["came_back_from"] = "agent:bob"
    async with opened(browser, desk, "ana") as page:
        told = "Back from a transfer: Bob could not take the call."
        await expect(page.locator("article.offered .came-back")).to_have_text(told)
        desk.fake.accept("ana")
        await expect(page.locator("article.active .came-back")).to_have_text(told)


async def test_nobody_gives_a_caller_to_the_emergency_services_by_a_slip(browser, desk):
    await desk.account("ana", Role.AGENT, agent_id="ana")
    for action in ("log_in", "ready"):
        desk.fake.do("AgentActed", {"tenant": "main", "agent_id": "ana", "action": action})
    desk.fake.arrive("sales")
    desk.fake.accept("ana")
    async with opened(browser, desk, "ana") as page:
        target, asked = page.get_by_label("Colleague, queue, menu or number"), page.locator("#confirm")
        for button in ("Ask first", "Transfer"):
            await target.fill("1 12")
            await page.get_by_role("button", name=button).click()
            await expect(asked).to_contain_text("Call the emergency services?")
            await asked.get_by_role("button", name="Go back").click()
            await expect(asked).to_be_hidden()
        assert desk.fake.done == []
        await page.get_by_role("button", name="Transfer").click()
        await asked.get_by_role("button", name="Call them").click()
        await desk.until(lambda: desk.fake.done)
        assert (desk.fake.done[-1][1]["action"], desk.fake.done[-1][1]["target"]) == ("transfer", "1 12")
