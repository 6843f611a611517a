"""The supervisor's board with names as long and floors as full as they are."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from desk.roles import Role
from tests.unit.desk.browser_stage import browser, desk, opened

pytestmark = pytest.mark.asyncio(loop_scope="module")
__all__ = ["browser", "desk"]

LONG = "Reclamaciones y atención postventa de grandes cuentas internacionales"


async def _inside(page, locator):
    """Whether it is seen without scrolling sideways, and the page is no wider than its window."""
    box = await locator.bounding_box()
    width = page.viewport_size["width"]
    return box["x"] + box["width"] <= width >= await page.evaluate("document.documentElement.scrollWidth")


async def test_a_long_title_hides_neither_figures_nor_menus(browser, desk):
    desk.fake.queues["main", "sales"]["title"] = LONG
    desk.fake.arrive("sales")
    await desk.account("sue", Role.SUPERVISOR)
    async with opened(browser, desk, "sue") as page:
        queue, stay = page.locator("#queue-sales"), page.locator("[id^=stay-]")
        await expect(stay).to_contain_text(LONG)
        assert await _inside(page, queue.locator("summary"))
        assert await _inside(page, stay.get_by_role("button", name="Why?"))
        await stay.locator("summary").click()
        assert await _inside(page, stay.get_by_role("button", name="Priority 5"))


async def test_who_is_rung_is_called_by_name_and_one_agent_is_one(browser, desk):
    desk.fake.agents["main", "ana"]["name"] = "Ana Ruiz"
    for agent_id in ("ana", "bob"):
        for action in ("log_in", "ready"):
            desk.fake.do("AgentActed", {"tenant": "main", "agent_id": agent_id, "action": action})
    desk.fake.arrive("sales")
    await desk.account("sue", Role.SUPERVISOR)
    async with opened(browser, desk, "sue") as page:
        stay = page.locator("[id^=stay-]")
        await expect(stay.locator(".pill")).to_have_text("Ana Ruiz")
        await stay.locator("summary").click()
        await expect(stay.get_by_role("button", name="Move to support")).to_contain_text("1 agent free")


async def test_a_board_with_many_who_are_not_there_folds_them_away(browser, desk):
    for n in range(8):
        desk.fake.add_agent(f"night{n}", f"Night {n}", queues=("sales",))
    desk.fake.do("AgentActed", {"tenant": "main", "agent_id": "ana", "action": "log_in"})
    await desk.account("sue", Role.SUPERVISOR)
    async with opened(browser, desk, "sue") as page:
        away = page.locator("#agent-night3")
        await expect(page.locator("#agent-ana")).to_be_visible()
        await expect(page.locator("#logged-out > summary")).to_have_text("9 logged out")
        await expect(away).to_be_hidden()
        await page.locator("#logged-out > summary").click()
        await away.locator("summary").click()
        await away.get_by_role("button", name="Log in").click()
        await expect(page.locator("#logged-out > summary")).to_have_text("8 logged out")
        await expect(page.locator("#agent-night4")).to_be_visible()  # it stays as she left it


async def test_a_board_shows_the_few_who_are_not_there(browser, desk):
    await desk.account("sue", Role.SUPERVISOR)
    async with opened(browser, desk, "sue") as page:
        await expect(page.locator("#agent-bob")).to_be_visible()


async def test_who_cannot_be_rung_is_no_agent_that_callers_could_have(browser, desk):
    for agent_id in ("ana", "bob"):
        for action in ("log_in", "ready"):
            desk.fake.do("AgentActed", {"tenant": "main", "agent_id": agent_id, "action": action})
    await desk.account("sue", Role.SUPERVISOR)
    async with opened(browser, desk, "sue") as page:
        ready = page.locator(".figure", has_text="agents ready").locator("b")
        await expect(ready).to_have_text("2")
        desk.fake.agents["main", "bob"]["reachable"] = False
        desk.fake._tell_agent("main", "bob")
        await expect(ready).to_have_text("1")


async def test_a_supervisor_who_took_over_is_shown_as_talking(browser, desk):
    for action in ("log_in", "ready"):
        desk.fake.do("AgentActed", {"tenant": "main", "agent_id": "ana", "action": action})
    interaction_id = desk.fake.arrive("sales")
    desk.fake.accept("ana")
    asked = {"interaction_id": interaction_id, "supervisor_id": "@max", "device": "main-1009"}
    desk.fake.do("SupervisionActed", {**asked, "action": "listen"})
    desk.fake.answer_supervisor(interaction_id)
    await desk.account("sue", Role.SUPERVISOR)
    async with opened(browser, desk, "sue") as page:
        talking = page.locator(".strip .figure", has_text="in conversation").locator("b")
        await expect(talking).to_have_text("1")
        desk.fake.do("SupervisionActed", {**asked, "action": "take_over"})
        card = page.locator('[id="agent-@max"]')
        await expect(card).to_contain_text("Talking")
        await expect(talking).to_have_text("1")
        await expect(page.locator("#agents-title small")).to_contain_text("1 / ")
        await expect(card.locator("summary")).to_have_count(0)


@pytest.mark.parametrize("locale", ["en-GB", "es-ES"])
async def test_who_waits_is_seen_whole_on_a_small_screen(browser, desk, locale):
    desk.fake.agents["main", "ana"]["name"] = "Ana María Rodríguez"
    desk.fake.queues["main", "sales"]["title"] = "Ventas nacionales"
    for n in range(3):
        desk.fake.arrive("sales")
        stay = list(desk.fake.stays.values())[-1]
        stay |= {"joined_s": stay["joined_s"] - 4000, "step": 2, "priority": 1000 * n}
    for action in ("log_in", "ready"):
        desk.fake.do("AgentActed", {"tenant": "main", "agent_id": "ana", "action": action})
    await desk.account("sue", Role.SUPERVISOR)
    async with opened(browser, desk, "sue", locale=locale) as page:
        for width in (1280, 1210, 1100):
            await page.set_viewport_size({"width": width, "height": 900})
            for why in await page.locator("[id^=stay-] button.small").all():
                assert await _inside(page, why)
            seen = "e => [e.scrollWidth - e.clientWidth, e.querySelectorAll('tbody tr').length]"
            assert await page.locator(".scroll:has(.stays)").evaluate(seen) == [0, 3]
