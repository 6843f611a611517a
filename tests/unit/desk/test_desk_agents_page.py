"""The page of who is an agent, in a real browser: found, added with a phone, changed, removed; what is wrong stands
where it was typed; files are read-only; who may not say who supervises does not see it."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from desk.roles import EVERY_TENANT, Role
from tests.unit.desk.browser_stage import TWICE, UNNAMED, browser, desk, opened

pytestmark = pytest.mark.asyncio(loop_scope="module")
__all__ = ["browser", "desk"]


async def test_an_admin_adds_changes_finds_and_removes_an_agent(browser, desk):
    await desk.account("root", Role.ADMIN)
    async with opened(browser, desk, "root") as page:
        await page.get_by_role("link", name="Agents").click()
        await expect(page.locator("#agent-ana code")).to_have_text(re.compile(r"config/agents\.yaml:\d+"))
        await expect(page.locator("#agent-ana button")).to_have_count(0)
        assert await page.evaluate(UNNAMED) == []
        assert await page.evaluate(TWICE) == []
        # Everything that is wrong is said at once, where it was typed, and nothing of it is lost.
        await page.get_by_label("Id", exact=True).fill("eva")
        await page.get_by_label("Name", exact=True).fill("Eva Ruiz")
        await page.get_by_label("Code", exact=True).fill("20a")
        await page.get_by_label("PIN", exact=True).fill("12")
        await page.get_by_label("billing").fill("7")
        await page.get_by_label("These:").check()
        await page.get_by_label("sales").check()
        await page.get_by_role("button", name="Add", exact=True).click()
        await expect(page.locator("#fault-code-1")).to_contain_text("'20a' are not keys of a phone")
        await expect(page.locator("#faults")).to_be_focused()
        await expect(page.locator("#fault-pin-1")).to_contain_text("4 to 16 digits")
        await expect(page.get_by_label("Code", exact=True)).to_have_attribute("aria-describedby", "fault-code-1 ")
        await expect(page.get_by_label("Name", exact=True)).to_have_value("Eva Ruiz")
        await expect(page.get_by_label("billing")).to_have_value("7")
        await expect(page.get_by_label("sales")).to_be_checked()
        assert await page.evaluate(UNNAMED) == []
        await page.get_by_label("Code", exact=True).fill("2003")
        await page.get_by_label("PIN", exact=True).fill("4321")
        await page.get_by_label("follows conversations").check()
        await page.get_by_role("button", name="Add", exact=True).click()
        await expect(page.locator("#done")).to_contain_text("eva is an agent now")
        await expect(page.locator("#done")).to_be_focused()  # so it is in view
        await expect(page.locator("#done")).to_contain_text("main-eva-0001")
        await expect(page.locator("#done")).to_contain_text("secret-1")
        kept = desk.fake.people.enrolled["main", "eva"]
        assert (kept["queues"], kept["skills"], kept["pin"], kept["supervises"]) == (
            ["sales"],
            {"billing": 7},
            "4321",
            True,
        )
        row = page.locator("#agent-eva")
        await expect(row).to_contain_text("billing 7")
        await expect(row).to_contain_text("supervises")
        # Found as one types, by anything that is said of her.
        await page.get_by_label("Find an agent").fill("ruiz bill")
        await expect(page.locator("#agents-list tbody tr")).to_have_count(1)
        await row.get_by_role("button", name="Change").click()
        await expect(page.locator("#form-title")).to_have_text("Change Eva Ruiz")
        await expect(page.get_by_label("Name", exact=True)).to_be_focused()  # a moment after the form is there
        await expect(page.get_by_label("Find an agent")).to_have_value("ruiz bill")
        await expect(page.locator("#done")).to_have_count(0)
        await page.get_by_label("billing").fill("3")
        await page.get_by_label("Phone", exact=True).select_option("1003")
        await page.get_by_role("button", name="Save").click()
        await expect(page.locator("#done")).to_contain_text("eva was changed")
        kept = desk.fake.people.enrolled["main", "eva"]
        assert (kept["skills"], kept["pin"]) == ({"billing": 3}, "4321")
        assert (kept["device"], kept.get("phone")) == ("1003", None)
        await row.get_by_role("button", name="Change").click()
        await page.get_by_role("button", name="New phone account").click()
        await page.locator("#confirm-yes").click()
        await expect(page.locator("#done")).to_contain_text("secret-2")
        await row.get_by_role("button", name="Remove").click()
        await page.locator("#confirm-yes").click()
        await expect(page.locator("#done")).to_contain_text("eva is an agent no more")
        await expect(row).to_have_count(0)
        assert desk.fake.people.enrolled == {}


async def test_a_coordinator_says_nothing_of_who_supervises(browser, desk):
    await desk.account("col", Role.COORDINATOR)
    admin = desk.as_role(Role.ADMIN)
    made = {"agent_id": "eva", "name": "Eva", "queues": ["sales"], "code": "2003", "supervises": True}
    assert (await admin.post("/v1/agents", made)).status_code == 201
    async with opened(browser, desk, "col", path="/login", locale="es-ES") as page:
        await page.get_by_role("link", name="Agentes").click()
        await page.locator("#agent-eva").get_by_role("button", name="Cambiar").click()
        await expect(page.locator("#form")).to_contain_text("los cambia administración")
        for label in ("Código", "PIN", "Teléfono"):
            await expect(page.locator("#form").get_by_label(label, exact=True)).to_have_count(0)
        await expect(page.locator("#form [name=supervises]")).to_have_count(0)
        await page.get_by_label("habla Español").check()
        await page.get_by_role("button", name="Guardar").click()
        await expect(page.locator("#done")).to_contain_text("Se ha cambiado a eva")
        kept = desk.fake.people.enrolled["main", "eva"]
        assert (kept["supervises"], kept["code"], kept["languages"]) == (True, "2003", ["es"])
        await page.get_by_label("Id", exact=True).fill("ana")
        await page.get_by_role("button", name="Añadir").click()
        await expect(page.locator("#faults")).to_contain_text("declara a ana: cámbialo allí")
        await expect(page.get_by_label("Id", exact=True)).to_have_value("ana")


async def test_while_the_engine_is_away_the_page_says_so(desk):
    desk.fake.fails = True
    page = await desk.as_role(Role.ADMIN).get("/agents")
    assert (page.status_code, "Los agentes se muestran cuando esté" in page.text) == (200, True)


async def test_each_tenant_is_a_page_of_its_own(desk):
    chief = desk.as_role(Role.ADMIN, tenant=EVERY_TENANT)
    await desk.heard()
    here, there = [(await chief.get("/agents", **of)).text for of in ({}, {"tenant": "acme"})]
    assert ("<option selected>main" in here, "<option selected>acme" in there) == (True, True)
