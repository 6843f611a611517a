"""Whose? The option of commands that work for one client company, and what is said of one that nobody knows."""

from __future__ import annotations

from typing import Annotated

import typer

from definitions.faults import did_you_mean
from engine.cli.common import fail
from engine.home import Home

MAIN = "main"

EveryTenantOption = Annotated[
    str, typer.Option("--tenant", help="Only of this client company; of every one unless told.")
]


def tenants_of(home: Home) -> list[str]:
    """Those that have files, the main one first; also while the files are wrong."""
    folder = home.project / "tenants"
    return [MAIN, *sorted(each.name for each in folder.glob("*") if each.is_dir())]


def check_tenant(home: Home, tenant: str) -> str:
    """Ends the command where nobody would ever read what it writes: a number listed for a tenant that is misspelled
    would go on being called."""
    known = tenants_of(home)
    if tenant not in known:
        hint = did_you_mean(tenant, known, what="tenants")
        fail(f"there is no tenant '{tenant[:40]}': {hint}; a tenant is a directory tenants/NAME/", 2)
    return tenant
