"""A real browser beside an engine in memory: for modules of tests that share one."""

from __future__ import annotations

import shutil
import subprocess
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio
from playwright.async_api import async_playwright, expect

from tests.unit.desk.desk_stage import PASSWORD, desks

CHROMIUM = shutil.which("chromium")
WAITS_MS = 30_000
"""Far more than pages take: a browser on two busy processors may stand still for seconds."""
expect.set_options(timeout=WAITS_MS)


def _must_have_chromium():
    if CHROMIUM is None:
        known = subprocess.run(["apt-cache", "show", "chromium"], capture_output=True, check=False)
        if known.returncode == 0:
            pytest.fail("Chromium is not installed: apt-get install chromium")
        pytest.skip("this system has no package chromium")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser():
    _must_have_chromium()
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield launched
        await launched.close()


@pytest_asyncio.fixture(loop_scope="module")
async def desk(tmp_path, empty_database):
    async with desks(tmp_path, empty_database) as running:
        yield running


@asynccontextmanager
async def opened(browser, desk, login="", path="/", locale="en-GB"):
    """A page of somebody's own browser; nothing it does may break a script or the content policy."""
    context = await browser.new_context(locale=locale)
    page, said = await context.new_page(), []
    page.set_default_timeout(WAITS_MS)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("console", lambda message: said.append(message.text) if "Content Security" in message.text else None)
    await page.goto(desk.base + path)
    if login:
        await page.fill("#login", login)
        await page.fill("#password", PASSWORD)
        await page.click("button.main")
        await page.wait_for_selector("#panel")
    yield page
    await context.close()
    assert said == []


UNNAMED = """() => ['input:not([type=hidden])', 'textarea', 'select', 'button', 'a[href]', 'summary']
    .flatMap(kind => [...document.querySelectorAll(kind)])
    .filter(e => e.checkVisibility() && !(e.labels?.length || e.textContent.trim() || e.getAttribute('aria-label')))
    .map(e => e.outerHTML)"""
TWICE = """() => [...document.querySelectorAll('[id]')].map(e => e.id).filter((id, n, ids) => ids.indexOf(id) !== n)"""
