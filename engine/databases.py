"""Where a site keeps its data, read again by processes and commands that run beside the engine.

While somebody is editing `config/site.yaml` it may be broken for a moment. Then what last served says where the data
is: whoever wrote into the files beside the journal instead would have split them in two. What runs keeps the database
that it started with.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import CentralitaError
from definitions.models import load
from definitions.problems import Problems
from engine import started
from engine.config.models import Site
from engine.home import Home
from engine.releases import last_good
from store.errors import DatabaseUnusable

if TYPE_CHECKING:
    from store.sql.database import Database

_FILE = "config/site.yaml"


class DatabaseUnknown(CentralitaError):
    """config/site.yaml has errors and nothing has served yet, so nobody knows where the data is: mend it first,
    `centralita check` says where."""

    def __str__(self) -> str:
        return " ".join((self.__doc__ or "").split())


class OtherRelease(CentralitaError):
    """The Centralita that runs here is of another release than this command, and its tables are too: stop it and start
    `centralita up` again. While it is only starting, wait a moment."""

    def __str__(self) -> str:
        return " ".join((self.__doc__ or "").split())


async def bring_up_to_date(home: Home, database: Database) -> None:
    """For commands: its tables are those of this release afterwards. Under what runs they are not changed, for a
    projection of the release before would go on writing, and leave out what it does not know.

    Raises:
        OtherRelease: what runs has other tables.
        SQLAlchemyError, OSError, TimeoutError: the database does not answer.
    """
    if started.is_up(home) and await database.version() is not None:
        try:
            await database.check()
        except DatabaseUnusable:
            raise OtherRelease from None
    else:
        await database.upgrade()


def database_url(home: Home) -> str:
    """The site's database, or SQLite in the state directory. Raises DatabaseUnknown."""
    return _of_site(home) or home.database_url


def leads_url(home: Home) -> str:
    """Where lists and leads are: the same, or an SQLite file of their own. Raises DatabaseUnknown."""
    return _of_site(home) or home.leads_url


def _of_site(home: Home) -> str:
    if (kept := started.database(home)) is not None:
        return kept
    site = load(Site, (home.project / _FILE).read_text(encoding="utf-8"), _FILE)
    if not isinstance(site, Problems):
        return site.database
    served = last_good(home)
    if served is None:
        raise DatabaseUnknown
    return served.site.database
