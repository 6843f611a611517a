"""What a page says of what was pressed while nobody could hear it."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

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
