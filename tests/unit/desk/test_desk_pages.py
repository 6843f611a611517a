"""Both pages in a real browser, beside an engine in memory."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from desk.roles import EVERY_TENANT, Role
from tests.unit.desk.browser_stage import TWICE, UNNAMED, browser, desk, opened

# One browser for all: starting one takes longer than most of these tests.
pytestmark = pytest.mark.asyncio(loop_scope="module")
__all__ = ["browser", "desk"]


async def test_an_agent_works_from_login_to_disposition(browser, desk):
    await desk.account("ana", agent_id="ana")
    async with opened(browser, desk, "ana") as page:
        await expect(page.locator(".idle")).to_contain_text("You are not in the queues")
        await expect(page.locator(".presence .timer")).to_have_count(0)  # nobody knows since when: she never was
        await page.get_by_role("button", name="Log in to the queues").click()
        await page.get_by_role("button", name="Ready", exact=True).click()
        await expect(page.locator(".presence")).to_have_class(re.compile("ready"))
        interaction_id = desk.fake.arrive("sales", name="Carmen Díaz")
        offer = page.locator("article.offered")
        await expect(offer).to_contain_text("Carmen Díaz")
        await expect(offer).to_contain_text("+34600112233")
        await expect(offer.locator(".path")).to_contain_text("menu")
        await expect(page).to_have_title(re.compile("Incoming contact"))
        desk.fake.accept("ana")
        talk = page.locator("article.active")
        await expect(talk).to_contain_text("Greet and confirm the name.")
        await talk.get_by_role("button", name="Hold").click()
        await page.get_by_role("button", name="Take back").click()
        await page.get_by_role("button", name="Mute").click()
        await expect(page.get_by_role("button", name="Unmute")).to_be_visible()
        await page.get_by_label("Note").fill("Wants a second line")
        # What is being typed survives whatever happens on the board, and a reload.
        desk.fake.arrive("support")
        await expect(page.locator("#mine-support .count")).to_have_text("1")
        await expect(page.get_by_label("Note")).to_have_value("Wants a second line")
        await page.reload()
        await expect(page.get_by_label("Note")).to_have_value("Wants a second line")
        desk.fake.hang_up(interaction_id)
        await expect(page.locator("article.wrap_up .left")).to_have_text(re.compile(r"0:\d\d"))
        await page.get_by_role("button", name="Finish").click()
        titles = "Sold › New customer, Sold › Upgrade, Not now, Wrong number"
        await expect(page.locator(".said")).to_have_text(f"choose first what came of it: {titles}")
        await page.get_by_role("button", name="+30 s").click()
        await expect(page.locator("article.wrap_up .left")).to_have_text(re.compile(r"0:[45]\d|1:00"))
        await page.get_by_role("button", name="+30 s").click()
        await expect(page.get_by_role("button", name="+30 s")).to_have_count(0)  # all of it is used up
        await page.get_by_text("New customer").click()
        await desk.until(lambda: desk.fake.agents["main", "ana"]["assignments"][0]["disposition"] == "sold/new")
        await page.get_by_role("button", name="Finish").click()
        await expect(page.locator("article.wrap_up")).to_have_count(0)
    assert [note["text"] for note in desk.fake.contacts[interaction_id]["notes"]] == ["Wants a second line"]
    asked = [(fact, fields.get("extend_s"), fields.get("finish")) for fact, fields in desk.fake.done]
    assert ("WrapUpActed", 30.0, False) in asked


async def test_two_tabs_are_one_agent_and_speak_two_languages(browser, desk):
    await desk.account("ana", agent_id="ana")
    desk.fake.agents["main", "ana"]["breaks_at_s"] = {"training": desk.fake.now_s() - 60.0}
    async with opened(browser, desk, "ana") as one, opened(browser, desk, "ana", locale="es-ES") as other:
        await one.get_by_role("button", name="Log in to the queues").click()
        await other.get_by_role("button", name="Disponible", exact=True).click()
        await expect(one.locator(".presence .pill")).to_have_text("Ready")
        await expect(one.locator(".presence .due")).to_have_text(re.compile(r"Training due since \d\d:\d\d"))
        await expect(other.locator(".presence .due")).to_have_text(
            re.compile(r"Formación: te toca desde las \d\d:\d\d")
        )
        await one.locator("#pause summary").click()
        await expect(one.get_by_role("button", name="Training")).to_have_text(re.compile(r"from \d\d:\d\d"))
        await one.get_by_role("button", name="Lunch").click()
        await expect(other.locator(".presence .reason")).to_have_text("Comida")
        await other.locator(".languages button[value=en]").click()
        await expect(other.locator(".presence .reason")).to_have_text("Lunch")
        await other.get_by_role("button", name="Log out").click()
        await other.wait_for_url("**/login")
        await other.goto(desk.base + "/agent")
        await other.wait_for_url("**/login?next=/agent")


async def test_an_offer_is_refused_and_a_target_transferred_to(browser, desk):
    await desk.account("ana", agent_id="ana")
    for action in ("log_in", "ready"):
        desk.fake.do("AgentActed", {"tenant": "main", "agent_id": "ana", "action": action})
    async with opened(browser, desk, "ana") as page:
        desk.fake.arrive("sales")
        await page.get_by_role("button", name="Not now").click()
        await expect(page.locator(".presence .pill")).to_have_text("Paused")
        await page.get_by_role("button", name="Ready", exact=True).click()
        await page.wait_for_selector("article.offered")
        desk.fake.accept("ana")
        offered = page.locator("datalist option")
        await expect(offered.last).to_have_attribute("value", "Satisfaction survey")
        await expect(offered.last).to_have_text("Satisfaction survey · menu")
        await page.get_by_label("Colleague, queue, menu or number").fill("satisfaction")
        await page.get_by_role("button", name="Transfer").click()
        await page.wait_for_selector("article.wrap_up")
    assert ("transfer", "flow:survey") in [
        (fields["action"], fields["target"]) for fact, fields in desk.fake.done if fact == "ConversationActed"
    ]


async def test_what_is_refused_on_a_phone_is_said_in_its_language_and_covers_nothing(browser, desk):
    await desk.account("ana", agent_id="ana")
    for action in ("log_in", "ready"):
        desk.fake.do("AgentActed", {"tenant": "main", "agent_id": "ana", "action": action})
    interaction_id = desk.fake.arrive("sales")
    desk.fake.accept("ana")
    desk.fake.hang_up(interaction_id)
    async with opened(browser, desk, "ana", locale="es-ES") as page:
        await page.set_viewport_size({"width": 390, "height": 844})
        finish = page.get_by_role("button", name="Terminar")
        await finish.click()
        said = page.locator(".said")
        await expect(said).to_have_text(
            "elige antes en qué quedó: Venta › Cliente nuevo, Venta › Ampliación, Ahora no, Equivocado"
        )
        # The panel is fetched anew, and what was said is still there, beside what it is about.
        desk.fake.arrive("support")
        await expect(page.locator("#mine-support .count")).to_have_text("1")
        await expect(said).to_have_count(1)
        await expect(said).to_be_in_viewport()
        assert await page.evaluate(COVERED, ".said") == []
        assert await page.evaluate("document.documentElement.scrollWidth") <= 390
        await page.get_by_text("Ahora no", exact=True).click()
        await desk.until(lambda: desk.fake.agents["main", "ana"]["assignments"][0]["disposition"] == "not_now")
        await finish.click()
        await expect(page.locator("article.wrap_up")).to_have_count(0)


TOPS = """() => ['side', 'work'].sort((one, other) =>
    document.querySelector('.' + one).getBoundingClientRect().top
    - document.querySelector('.' + other).getBoundingClientRect().top)"""
COVERED = """selector => {
    const box = document.querySelector(selector).getBoundingClientRect();
    return [...document.querySelectorAll('#panel button, #panel input, #panel textarea, #panel summary')]
        .filter(each => each.checkVisibility() && !each.classList.contains('unseen')).filter(each => {
            const its = each.getBoundingClientRect();
            return its.left < box.right && box.left < its.right && its.top < box.bottom && box.top < its.bottom;
        }).map(each => each.outerHTML)
}"""


async def test_a_colleague_is_asked_by_name_and_the_page_says_how_far_that_is(browser, desk):
    await desk.account("ana", agent_id="ana")
    desk.fake.add_agent("angel", "Ángel Bó")
    await desk.until(lambda: desk.services.hub.board.agent("main", "angel"))
    for action in ("log_in", "ready"):
        desk.fake.do("AgentActed", {"tenant": "main", "agent_id": "ana", "action": action})
    interaction_id = desk.fake.arrive("sales")
    desk.fake.accept("ana")
    # She has talked for a while.
    began_s = desk.fake.talks[interaction_id]["began_s"] = desk.fake.now_s() - 65.0
    desk.fake.contacts[interaction_id]["variables"]["opens"] = "2026-11-22T21:39"
    async with opened(browser, desk, "ana") as page:
        target, beside = page.get_by_label("Colleague, queue, menu or number"), page.locator(".beside")
        act = page.locator("article .controls").get_by_role("button")
        await target.fill("Nobody")
        await page.get_by_role("button", name="Ask first").click()
        await expect(page.locator(".said")).to_contain_text("no colleague, queue or menu is called 'Nobody'")
        await target.fill("angel bo")
        await page.get_by_role("button", name="Ask first").click()
        await expect(beside).to_have_text("Ringing Ángel Bó; the customer waits")
        await expect(page.locator("article .whole time")).to_have_attribute("data-since", str(began_s))
        await expect(page.locator("article .known")).to_contain_text("22 Nov 2026, 21:39")
        await page.set_viewport_size({"width": 390, "height": 844})
        assert await page.evaluate(TOPS) == ["work", "side"]
        await page.set_viewport_size({"width": 1280, "height": 720})
        await expect(act).to_have_text(["Mute", "Hand over", "End consultation", "Pause recording", "Hang up"])
        await expect(target).to_have_count(0)
        await expect(page.locator(".said")).to_have_count(0)
        desk.fake.answer_consulted(interaction_id)
        await expect(beside).to_have_text("You talk with Ángel Bó; the customer waits")
        await act.filter(has_text="Swap").click()
        await expect(beside).to_have_text("You talk with the customer; Ángel Bó waits")
        await act.filter(has_text="All together").click()
        await expect(beside).to_have_text("You, the customer and Ángel Bó hear one another")
        await expect(page.locator("article .pill")).to_have_text("All together")
        together = ["Mute", "Leave them together", "Let Ángel Bó go", "Pause recording", "Hang up"]
        await expect(act).to_have_text(together)
        await act.filter(has_text="Let Ángel Bó go").click()
        await expect(beside).to_have_count(0)
        await expect(page.locator("article .pill")).to_have_text("Talking")
    asked = [fields["target"] for fact, fields in desk.fake.done if fact == "ConversationActed" and fields["target"]]
    assert asked == ["agent:angel"]


async def test_a_field_whose_size_somebody_changed_breaks_no_content_policy(browser, desk):
    """`opened` says what the browser thinks of it."""
    await desk.account("root", Role.ADMIN)
    await desk.account("sue", Role.SUPERVISOR)
    async with opened(browser, desk, "root") as page:
        await page.goto(desk.base + "/people")
        await page.locator("#new-login").evaluate("field => { field.style.width = '300px'; }")
        await page.get_by_role("button", name="Disable").click()
        await page.locator("#confirm-yes").click()
        await expect(page.get_by_role("button", name="Enable")).to_be_visible()


async def test_what_ends_somebodys_login_is_asked_about_and_a_fault_covers_no_field(browser, desk):
    await desk.account("root", Role.ADMIN)
    await desk.account("sue", Role.SUPERVISOR)
    async with opened(browser, desk, "root") as page:
        await page.goto(desk.base + "/people")
        await page.get_by_role("button", name="New password").click()
        await expect(page.locator("#confirm")).to_contain_text("A new password for sue?")
        await page.keyboard.press("Escape")
        await expect(page.locator("#people code")).to_have_count(0)
        await page.get_by_role("button", name="New password").click()
        await page.locator("#confirm-yes").click()
        await expect(page.locator("#people code")).to_be_visible()
        await page.locator("#new-login").fill("sue")
        await page.get_by_role("button", name="Add", exact=True).click()
        await expect(page.locator("#people .add .said")).to_be_visible()
        await expect(page.locator("#toasts")).to_be_empty()


async def test_a_supervisor_watches_and_takes_a_hand(browser, desk):
    await desk.account("sue", Role.SUPERVISOR)
    async with opened(browser, desk, "sue") as page:
        assert page.url.endswith("/board")
        now_s = desk.fake.now_s()
        for agent_id, at_s in (("ana", now_s - 60.0), ("bob", now_s + 3600.0)):
            desk.fake.agents["main", agent_id]["breaks_at_s"] = {"training": at_s}
        await expect(page.locator("#agent-ana")).to_contain_text("Off")
        for agent_id in ("ana", "bob"):
            desk.fake.do("AgentActed", {"tenant": "main", "agent_id": agent_id, "action": "log_in"})
        await page.locator("#agent-ana summary").click()
        await page.get_by_role("button", name="Make ready").click()
        await expect(page.locator("#agent-ana .pill")).to_have_text("Ready")
        await expect(page.locator("#agent-ana").get_by_text("Training due")).to_be_visible()
        await expect(page.locator("#agent-bob").get_by_text("Training due")).to_be_hidden()
        for queue in ("sales", "sales", "support"):
            desk.fake.arrive(queue)
        await expect(page.locator("#agent-ana .pill")).to_have_text("Ringing")
        await expect(page.locator("#queue-sales td").nth(1)).to_have_text("2")
        await expect(page.locator("[id^=stay-]")).to_have_count(3)
        await page.get_by_role("button", name="Why?").first.click()
        await expect(page.locator("dialog[open]")).to_contain_text("Begins to wait for Sales.")
        await page.get_by_role("button", name="Close", exact=True).click()
        desk.fake.accept("ana")
        await expect(page.locator("#agent-ana .pill")).to_have_text("Talking")
        await expect(page.locator("#queue-sales .level")).to_contain_text("100 %")
        await _steers(page, desk)
        await _follows(page, desk)
        await page.locator("#queue-support summary").click()
        await page.get_by_role("button", name="Close now").click()
        await expect(page.locator("#queue-support")).to_contain_text("by hand")
        await expect(page.locator("#agent-eve")).to_have_count(0)


async def _steers(page, desk):
    """She gives who waits for sales priority, and moves her to support."""
    (stay_id,) = (each["stay_id"] for each in desk.fake.stays.values() if each["queue"] == "sales")
    row = page.locator(f'[id="stay-{stay_id}"]')
    await row.locator("summary").click()
    await row.get_by_role("button", name="Priority 5").click()
    await expect(row.locator("summary")).to_have_text("5 ⋯")
    await row.locator("summary").click()
    await row.get_by_role("button", name="Move to support").click()
    await expect(row).to_have_count(0)
    await expect(page.locator("#queue-support td").nth(1)).to_have_text("2")
    await expect(page.locator("#queue-sales td").nth(1)).to_have_text("0")


async def _follows(page, desk):
    """She listens to Ana from a phone the page remembers, whispers, and stops."""
    card, menu = page.locator("#agent-ana"), page.get_by_label("Follow the conversation of Ana")
    await menu.click()
    await card.get_by_role("button", name="Listen nobody").click()
    await expect(page.locator(".toast")).to_have_text("say which phone is yours")
    await page.get_by_label("My phone for listening").fill("1009")
    await page.get_by_label("My phone for listening").blur()
    await page.reload()
    await menu.click()
    await expect(card.get_by_role("button", name="Take over")).to_be_disabled()
    await card.get_by_role("button", name="Listen nobody").click()
    await expect(card.locator(".follower")).to_have_text("ringing sue")
    (interaction_id,) = desk.fake.talks
    desk.fake.answer_supervisor(interaction_id)
    await expect(card.locator(".follower")).to_have_text("sue listens")
    await menu.click()
    await card.get_by_role("button", name="Whisper").click()
    await expect(card.locator(".follower")).to_have_text("sue whispers")
    await menu.click()
    await card.get_by_role("button", name="Stop listening").click()
    await expect(card.locator(".follower")).to_have_count(0)
    asked = [(each["action"], each["device"]) for fact, each in desk.fake.done if fact == "SupervisionActed"]
    assert asked == [("listen", "main-1009"), ("whisper", "main-1009"), ("stop", "")]


async def test_while_the_engine_is_away_pages_say_so_and_come_back_by_themselves(browser, desk):
    await desk.account("sue", Role.SUPERVISOR)
    async with opened(browser, desk, "sue") as page:
        desk.fake.fails = True
        desk.fake.cut()
        await expect(page.locator("#away")).to_be_visible()
        await expect(page.locator("#agent-ana")).to_be_visible()
        desk.fake.fails = False
        desk.fake.do("AgentActed", {"tenant": "main", "agent_id": "ana", "action": "log_in"})
        await expect(page.locator("#away")).to_be_hidden()
        await expect(page.locator("#agent-ana .pill")).to_have_text("Paused")


async def test_a_page_left_open_stays_logged_in_until_the_login_ends(browser, desk):
    account_id = await desk.account("sue", Role.SUPERVISOR)
    async with opened(browser, desk, "sue") as page:
        # As when the access token has expired: the login itself still holds.
        await page.context.clear_cookies(name=desk.services.cookies.access)
        await page.reload()
        await expect(page.locator("#agent-ana")).to_be_visible()
        await desk.as_role(Role.ADMIN).patch(f"/v1/accounts/{account_id}", {"disabled": True})
        desk.fake.arrive("sales")
        await page.wait_for_url("**/login?next=*")


async def test_the_first_admin_comes_by_the_link_and_nobody_after(browser, desk):
    first, clock = desk.services.first_admin, desk.services.clock
    await desk.until(lambda: first.link(clock.now_s()))
    path = first.link(clock.now_s()).removeprefix(desk.base)
    async with opened(browser, desk, path=path) as page:
        for password in ("aaaaaaaaaaaa", "root is not it", "three green bottles"):
            await page.fill("#login", "root")
            await page.fill("#password", password)
            async with page.expect_navigation():  # or the next one is typed into the page that goes
                await page.click("button.main")
        await page.wait_for_url("**/people")
        assert not first.link(clock.now_s())
        await page.fill("#new-login", "ana")
        await page.select_option("#new-role", "agent")
        await page.select_option("#new-agent", "ana")
        await page.get_by_role("button", name="Add", exact=True).click()
        made = await page.locator(".made code").inner_text()
        assert (await desk.log_in("ana", made)).json()["me"]["agent_id"] == "ana"
        await page.get_by_role("button", name="Disable").click()
        await page.locator("#confirm-yes").click()
        await expect(page.get_by_role("button", name="Enable")).to_be_visible()
        assert (await desk.log_in("ana", made)).status_code == 401
        await page.goto(desk.base + path)
        await expect(page.locator("main")).to_contain_text("has been used")
    answer = (await desk.log_in("root", "three green bottles")).json()
    assert (answer["me"]["role"], answer["me"]["tenant"]) == ("admin", EVERY_TENANT)


async def test_everything_on_the_pages_has_a_name_and_one_identity(browser, desk):
    await desk.account("ana", Role.SUPERVISOR, agent_id="ana")
    for action in ("log_in", "ready"):
        desk.fake.do("AgentActed", {"tenant": "main", "agent_id": "ana", "action": action})
    desk.fake.arrive("sales")
    desk.fake.accept("ana")
    desk.fake.arrive("sales")
    async with opened(browser, desk, "ana") as page:
        for path in ("/agent", "/board"):
            await page.goto(desk.base + path)
            assert await page.evaluate(UNNAMED) == []
            assert await page.evaluate(TWICE) == []
            assert await page.locator("html").get_attribute("lang") == "en"
