"""The campaign manager's pages, and what an agent's page shows of campaigns, in a real browser."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from desk.roles import Role
from tests.unit.desk.browser_stage import TWICE, UNNAMED, browser, desk, opened

pytestmark = pytest.mark.asyncio(loop_scope="module")
__all__ = ["browser", "desk"]

ATTEMPT = {"attempt_id": "a-9", "campaign": "renewals", "lead_id": "lead-9", "called": "+34699000111", "mode": "power"}


def _asked(desk, fact):
    return [fields for name, fields in desk.fake.done if name == fact]


async def test_a_manager_starts_a_campaign_and_watches_what_it_decides(browser, desk):
    await desk.account("max", Role.CAMPAIGN_MANAGER)
    dialer = desk.fake.dialer
    async with opened(browser, desk, "max") as page:
        await page.get_by_role("link", name="Renewals").click()
        await expect(page.locator(".campaign-head .pill")).to_have_text("Stopped")
        # Asked about first: going back does nothing, and so does Escape.
        await page.get_by_role("button", name="Start").click()
        await page.get_by_role("button", name="Go back").click()
        await page.get_by_role("button", name="Start").click()
        await page.keyboard.press("Escape")
        assert _asked(desk, "CampaignActed") == []
        await page.get_by_role("button", name="Start").click()
        await expect(page.locator("dialog[open]")).to_contain_text("within the rules")
        await page.locator("#confirm-yes").click()
        await expect(page.locator(".campaign-head .pill")).to_have_text("Running")
        await expect(page.locator("#nobody")).to_have_text("There is nobody to dial: import a list.")
        dialer.campaigns["main", "renewals"]["quotas"] = [{"name": "enough_sold", "most": 400, "reached": 12}]
        dialer.count("renewals", leads={"new": 40, "done": 10})
        await expect(page.locator("#nobody")).to_have_count(0)
        await expect(page.locator("#quotas")).to_have_text("enough_sold12 of 400")
        dialer.pace("renewals", count=3, why="4 ready agents, 3.1 lines each", dialing=2, ringing=1, connected=4)
        dialer.count("renewals", abandonment={"live": 120, "abandoned": 4, "ratio": 4 / 120, "spare": -1})
        await expect(page.locator(".decisions")).to_contain_text("4 ready agents, 3.1 lines each")
        await expect(page.locator("#rules .level.poor")).to_contain_text("3.33 %")
        await expect(page.locator("svg.chart").first).to_have_attribute(
            "aria-label", "In conversation 4, calling 3, agents ready 0"
        )
        await expect(page.locator("path.curve.calling")).to_have_attribute("d", re.compile("^M"))
        await expect(page.locator(".strip")).to_contain_text("20 %")
        # Pause by keyboard alone.
        await page.get_by_role("button", name="Pause").focus()
        await page.keyboard.press("Enter")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await expect(page.locator(".campaign-head .pill")).to_have_text("Paused")


async def test_numbers_are_listed_and_leads_explained_in_the_pages_language(browser, desk):
    await desk.account("max", Role.CAMPAIGN_MANAGER)
    desk.fake.dialer.explain("renewals", "lead-1", "it waits", blocks={"es/hours": "not before 9:00"})
    async with opened(browser, desk, "max", locale="es-ES") as page:
        await page.goto(desk.base + "/campaign/renewals")
        await page.get_by_role("textbox", name="Número").fill("+34600112233")
        await page.get_by_role("button", name="Poner en la lista").click()
        await expect(page.locator("#dnc-result")).to_contain_text("nadie lo llama")
        assert desk.fake.dialer.listed == {("main", "", "+34600112233")}
        await page.get_by_role("button", name="Quitar").click()
        await page.locator("#confirm-yes").click()
        await expect(page.locator("#dnc-result")).to_contain_text("ya no está")
        await page.get_by_role("textbox", name="Contacto").fill("lead-1")
        await page.get_by_role("button", name="¿Por qué?").click()
        await expect(page.locator("#why-result")).to_contain_text("not before 9:00")
        await expect(page.get_by_role("button", name="Ha cumplido", exact=True)).to_have_count(0)
        desk.fake.dialer.whys["main", "lead-1"]["promise"] = {"kind": "promise", "on": "2026-12-01", "outcome": ""}
        desk.fake.dialer.whys["main", "lead-1"]["sentences"] = [
            "she promised to pay 90.50 by 2026-12-01, and nobody has said that it was kept"
        ]
        await page.get_by_role("button", name="¿Por qué?").click()
        await expect(page.locator("#why-result")).to_contain_text("prometió pagar 90.50 hasta el 2026-12-01")
        await page.get_by_role("button", name="Ha cumplido", exact=True).click()
        await expect(page.get_by_role("button", name="Ha cumplido", exact=True)).to_have_count(0)
        assert [(each["lead_id"], each["action"]) for each in _asked(desk, "LeadActed")] == [("lead-1", "kept")]
        await page.get_by_role("textbox", name="Contacto").fill("lead-2")
        await page.get_by_role("button", name="¿Por qué?").click()
        await expect(page.locator(".toast")).to_have_text("no hay ese contacto en esta empresa")


async def test_an_agent_looks_dials_by_hand_and_writes_down_what_came_of_it(browser, desk):
    await desk.account("ana", agent_id="ana")
    for action in ("log_in", "ready"):
        desk.fake.do("AgentActed", {"tenant": "main", "agent_id": "ana", "action": action})
    async with opened(browser, desk, "ana") as page:
        for name, button in (("Luisa Gómez", "Skip"), ("Pablo Ruiz", "Dial")):
            desk.fake.dialer.show_lead("renewals", "ana", name, callback=button == "Dial")
            shown = page.locator("[id^=preview-]").first
            await expect(shown).to_contain_text(name)
            await expect(shown.get_by_text("call promised")).to_have_count(int(button == "Dial"))
            await expect(shown.locator("time.left")).to_have_text(re.compile(r"0:\d\d"))
            await shown.get_by_role("button", name=button, exact=True).click()
            await expect(page.locator("article.offered")).to_have_count(0)
        assert [each["action"] for each in _asked(desk, "PreviewActed")] == ["skip", "dial"]
        for number, told in (("112", "emergency number"), ("+34 600 11 22 33", "your phone has it")):
            await page.get_by_role("textbox", name="Number").fill(number)
            await page.locator("#manual").get_by_role("button", name="Dial").click()
            await expect(page.locator("#manual-result")).to_contain_text(told)
        desk.fake.dialer.show_attempt("renewals", "ana", "phone")
        hers = page.locator("#dialing-p-ana")
        await expect(hers).to_contain_text("Pick up your phone")
        await expect(hers.get_by_role("button", name="Do not dial")).to_be_visible()
        desk.fake.dialer.show_attempt("renewals", "ana", "over", outcome="busy", why="the number is busy")
        await expect(hers.locator(".fault")).to_have_text("the number is busy")
        desk.fake.dialer.show_attempt("renewals", "ana", "")
        await expect(hers).to_have_count(0)
        interaction_id = desk.fake.arrive("sales", name="Carmen Díaz")
        desk.fake.contacts[interaction_id]["attempt"] = ATTEMPT
        desk.fake.accept("ana")
        talk = page.locator("article.active")
        await expect(talk.locator(".under")).to_contain_text("Renewals")
        await expect(talk).to_contain_text("+34699000111")
        await expect(talk).to_contain_text("Ask whether it is a good moment.")
        await talk.get_by_label("Chosen plan").select_option("600")
        await talk.get_by_label("Pays on").fill("2099-01-04")
        await talk.get_by_label("Amount").fill("some")
        await talk.get_by_role("button", name="Save").click()
        await expect(page.locator(".said")).to_have_text("Amount: 'some' is no amount: write it like 1250.00")
        await talk.get_by_label("Amount").fill("90,50")
        await talk.get_by_label("Note").fill("call in the evening")
        await talk.get_by_text("Call back later").click()
        await talk.get_by_label("When").fill("2099-01-05T19:30")
        await talk.get_by_label("I call back myself").check()
        await talk.get_by_role("button", name="Save").click()
        await desk.until(lambda: _asked(desk, "LeadActed"))
        assert [(each["lead_id"], each["agent_id"]) for each in _asked(desk, "LeadActed")] == [("lead-9", "ana")]
        await talk.get_by_role("button", name="Do not call again").click()
        await page.locator("#confirm-yes").click()
        await expect(talk).to_contain_text("It will not be called again.")
        assert desk.fake.dialer.listed == {("main", "", "+34699000111")}
        await talk.get_by_role("button", name="Save").click()
        await desk.until(lambda: len(_asked(desk, "WrapUpActed")) == 2)
    assert [note["text"] for note in desk.fake.contacts[interaction_id]["notes"]] == ["call in the evening"]
    assert desk.fake.dialer.answers[interaction_id] == {
        "plan": "600",
        "email": "",
        "pay_on": "2099-01-04",
        "sum": "90,50",
    }


async def test_everything_on_the_campaign_pages_has_a_name_and_one_identity(browser, desk):
    await desk.account("max", Role.CAMPAIGN_MANAGER)
    desk.fake.dialer.count("renewals", leads={"new": 40}, dispositions={"confirmed": 3, "not_given": 1})
    async with opened(browser, desk, "max") as page:
        for path, has in (("/campaigns", "main"), ("/campaign/renewals", "#said dt:text-is('confirmed')")):
            await page.goto(desk.base + path)
            await page.wait_for_selector(has)
            assert await page.evaluate(UNNAMED) == []
            assert await page.evaluate(TWICE) == []
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        await page.set_viewport_size({"width": 390, "height": 800})
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


RIGHT = "imports => imports.getBoundingClientRect().right"
LIST = """Nombre;Teléfono;Contrato
Carmen Díaz;600 11 22 33;C-1
Marta Ruiz;112;C-2
Luis Pérez;911222333;C-3
"""


async def test_a_list_with_mistakes_is_looked_at_corrected_imported_and_taken_back(browser, desk):
    await desk.account("max", Role.CAMPAIGN_MANAGER)
    file = {"name": "clientes.csv", "mimeType": "text/csv", "buffer": LIST.encode("latin-1")}
    async with opened(browser, desk, "max", locale="es-ES") as page:
        await page.goto(desk.base + "/campaign/renewals")
        await expect(page.locator("#imports")).to_contain_text("aún no se ha importado nada")
        await page.set_input_files("#list-file", {**file, "name": "clientes.pdf"})
        await page.get_by_role("button", name="Ver el archivo").click()
        await expect(page.locator(".toast")).to_contain_text("«clientes.pdf» no es una lista que sepamos leer")
        await page.set_input_files("#list-file", file)
        await page.get_by_role("button", name="Ver el archivo").click()
        await expect(page.locator("#refusals")).to_contain_text("112 es un número de emergencias: nunca se llama")
        await expect(page.locator("#example-leads")).to_contain_text("+34600112233")
        # What a column is can be corrected, and is looked at again at once.
        await page.get_by_label("Qué es Teléfono").select_option("ignore")
        await expect(page.get_by_role("button", name="Importar en renewals")).to_be_disabled()
        await expect(page.locator("#plan .fault")).to_have_text(
            "ninguna columna es un teléfono: elige abajo cuál lo es"
        )
        await page.get_by_label("Qué es Teléfono").select_option("phone")
        await page.get_by_label("Con qué base se les llama").select_option("contract")
        await expect(page.locator("#example-leads")).to_contain_text("contrato")
        assert await page.evaluate(UNNAMED) == []
        assert await page.evaluate(TWICE) == []
        await page.get_by_role("button", name="Importar en renewals").click()
        await expect(page.locator("#imports")).to_contain_text("Importada")
        await expect(page.locator("#list-renewals")).to_contain_text("2 contactos")
        await expect(page.locator("#plan")).to_have_count(0)
        # Whoever calls to complain gives a number, and no lead's id.
        (carmen,) = await desk.services.list_store.by_number("main", "+34600112233", 0.0)
        desk.fake.dialer.explain("renewals", carmen.record.lead_id, "it waits", blocks={"es/hours": "not before 9:00"})
        await page.get_by_role("textbox", name="Contacto").fill("600 11 22 33")
        await page.get_by_role("button", name="¿Por qué?").click()
        await expect(page.locator("#why-result")).to_contain_text("Carmen Díaz")
        await expect(page.locator("#why-result")).to_contain_text("not before 9:00")
        async with page.expect_download() as download:
            await page.get_by_role("link", name="Filas rechazadas").click()
        refused = (await (await download.value).path()).read_text(encoding="utf-8-sig")
        assert "112 es un número de emergencias" in refused
        await page.get_by_role("button", name="Deshacer").click()
        await page.locator("#confirm-yes").click()
        await expect(page.locator("#imports")).to_contain_text("Deshecha")
        await expect(page.locator("#list-renewals")).to_contain_text("0 contactos")


async def test_what_can_be_done_with_a_list_is_seen_whatever_its_file_is_called(browser, desk):
    await desk.account("max", Role.CAMPAIGN_MANAGER)
    file = {"name": "clientes_renovaciones_2026-11_zona_norte_definitivo.csv", "mimeType": "text/csv"}
    async with opened(browser, desk, "max", locale="es-ES") as page:
        await page.goto(desk.base + "/campaign/renewals")
        await page.set_input_files("#list-file", {**file, "buffer": LIST.encode("latin-1")})
        await page.get_by_role("button", name="Ver el archivo").click()
        await page.get_by_label("Con qué base se les llama").select_option("contract")
        await page.get_by_role("button", name="Importar en renewals").click()
        await expect(page.locator("#imports")).to_contain_text("Importada")
        for width in (1480, 1200, 1024):
            await page.set_viewport_size({"width": width, "height": 900})
            for shown in (
                page.get_by_role("link", name="Exportar"),
                page.get_by_role("link", name="Filas rechazadas"),
                page.get_by_role("button", name="Deshacer"),
            ):
                box = await shown.bounding_box()
                assert box["x"] + box["width"] <= await page.locator("#imports").evaluate(RIGHT), (width, shown)


async def test_after_a_file_that_cannot_be_read_the_one_before_is_not_offered(browser, desk):
    await desk.account("max", Role.CAMPAIGN_MANAGER)
    file = {"name": "clientes.csv", "mimeType": "text/csv", "buffer": LIST.encode("latin-1")}
    async with opened(browser, desk, "max", locale="es-ES") as page:
        await page.goto(desk.base + "/campaign/renewals")
        await page.set_input_files("#list-file", file)
        await page.get_by_role("button", name="Ver el archivo").click()
        await expect(page.get_by_role("button", name="Importar en renewals")).to_be_enabled()
        await page.set_input_files("#list-file", {**file, "name": "otros.csv", "buffer": b""})
        await page.get_by_role("button", name="Ver el archivo").click()
        await expect(page.locator(".toast")).to_contain_text("no se ha elegido ningún archivo, o está vacío")
        await expect(page.locator("#plan")).to_have_count(0)
