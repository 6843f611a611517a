"""The doctor on what is kept: secrets nobody can read, data and sounds that are elsewhere than who needs them looks."""

from __future__ import annotations

from collections.abc import Iterator

from engine.cli.finding import Finding
from engine.home import Home


def secrets(home: Home) -> Iterator[Finding]:
    """Without them nothing starts, so a file that cannot be read is never made anew by itself."""
    from engine.home import SecretBox

    try:
        SecretBox(home.state / "secrets.json")
    except PermissionError:
        raise
    except OSError as failure:
        yield Finding("secrets", "wrong", str(failure))


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
