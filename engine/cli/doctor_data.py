"""The doctor on data and sounds that are somewhere else than whoever needs them looks."""

from __future__ import annotations

from collections.abc import Iterator

from engine.cli.finding import Finding
from engine.home import Home


def left(home: Home) -> Iterator[Finding]:
    """Leads, do-not-call and accounts in files that the site's database has replaced."""
    from engine.databases import database_url
    from engine.left_data import MEND, left_behind

    url = database_url(home)
    if found := left_behind(home, "" if url == home.database_url else url):
        yield Finding("data left behind", "wrong", found, MEND)


def entered(home: Home) -> Iterator[Finding]:
    """Of the system that runs here."""
    from engine import started
    from telephony.node.entered import replaced

    for path in replaced(home.asterisk) if started.is_up(home) else ():
        says = f"{path} was deleted or moved while Asterisk runs: callers hear nothing of what is in it"
        yield Finding("sounds", "wrong", says, "start `centralita up` anew when nobody is on the line")
