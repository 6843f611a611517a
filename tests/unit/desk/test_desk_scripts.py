"""The agent's page shows the script that she was drawn for, in the agent's language, and fills in the campaign's."""

from __future__ import annotations

from typing import Any

import pytest

from desk.pages.agent_dialing import dialed
from desk.pages.setup import SetupCache

CAMPAIGN = {
    "tenant": "main",
    "campaign": "spring",
    "title": "Spring",
    "script": {"es": "Buenos días, {{ name }}"},
    "form": [],
}
CONTACT = {
    "caller_name": "Carmen",
    "attempt": {"campaign": "spring", "lead_id": "l1", "called": "+34600000001", "mode": "power"},
    "variables": {"contract": "A-7"},
}
DRAWN = {"es": "Hola, Carmen: contrato A-7", "en": "Hello Carmen: contract A-7"}  # comes filled in
BRACES = {"es": "Hola, {{ contract }}"}  # a list says that this is her name


class Engine:
    async def setup(self) -> dict[str, Any]:
        return {"campaigns": [CAMPAIGN]}


class Still:
    def now_s(self) -> float:
        return 100.0


@pytest.mark.parametrize(
    ("contact", "language", "shown"),
    [
        (CONTACT | {"script": DRAWN, "script_drawn": "opening/short"}, "es", "Hola, Carmen: contrato A-7"),
        (CONTACT | {"script": DRAWN, "script_drawn": "opening/short"}, "en", "Hello Carmen: contract A-7"),
        (CONTACT | {"script": BRACES}, "es", "Hola, {{ contract }}"),
        (CONTACT | {"script": {}}, "es", "Buenos días, Carmen"),
        (CONTACT, "es", "Buenos días, Carmen"),
    ],
)
async def test_the_page_shows_the_script_she_was_drawn_for(contact: dict[str, Any], language: str, shown: str) -> None:
    setup = SetupCache(Engine(), Still())  # type: ignore[arg-type]
    await setup.fresh()
    found = dialed(setup, "main", contact, language)
    assert found is not None
    assert found.script == shown
