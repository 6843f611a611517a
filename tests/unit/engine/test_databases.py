"""Where data is while somebody is editing the site's file."""

from __future__ import annotations

import fcntl
from types import SimpleNamespace

import pytest
from sqlalchemy import text

from engine import databases, started
from engine.config.models import Site
from engine.databases import DatabaseUnknown, OtherRelease, bring_up_to_date, database_url, leads_url
from engine.home import Home
from store.sql.database import Database


@pytest.fixture
def home(tmp_path):
    (tmp_path / "config").mkdir()
    (tmp_path / "config/site.yaml").write_text("site: test\n")
    return Home.find(tmp_path, tmp_path / "var")


def test_files_beside_the_journal_unless_the_site_names_a_database(home):
    assert (database_url(home), leads_url(home)) == (home.database_url, home.leads_url)
    (home.project / "config/site.yaml").write_text("site: test\ndatabase: postgresql://db/centralita\n")
    assert database_url(home) == leads_url(home) == "postgresql://db/centralita"


def test_a_broken_file_sends_nobody_elsewhere(home, monkeypatch):
    (home.project / "config/site.yaml").write_text("site: [test\n")
    with pytest.raises(DatabaseUnknown, match="`centralita check` says where"):
        leads_url(home)
    served = SimpleNamespace(site=SimpleNamespace(database="postgresql://db/centralita"))
    monkeypatch.setattr(databases, "last_good", lambda home: served)
    assert database_url(home) == leads_url(home) == "postgresql://db/centralita"


def test_what_runs_keeps_the_database_it_started_with_and_says_what_waits_for_a_new_start(home):
    home.prepare()
    assert not started.is_up(home)
    before, after = Site(site="test"), Site(site="test", database="postgresql://db/centralita", desk_port=8010)
    started.save(home, before)
    (home.project / "config/site.yaml").write_text("site: test\ndatabase: postgresql://db/centralita\n")
    assert database_url(home) == "postgresql://db/centralita", "nothing runs"
    assert started.waiting(home, after) == []
    with home.up_lock.open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert started.is_up(home)
        assert (database_url(home), leads_url(home)) == (home.database_url, home.leads_url)
        assert started.waiting(home, after) == ["desk_port", "database"]
        assert started.waiting(home, before) == []
    assert leads_url(home) == "postgresql://db/centralita"
    assert home.started.stat().st_mode & 0o777 == 0o600


async def test_a_command_of_another_release_leaves_the_tables_of_what_runs_alone(home):
    home.prepare()
    database = Database(home.database_url)
    with home.up_lock.open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        await bring_up_to_date(home, database)  # there are none yet: nobody can be put out by them
        await bring_up_to_date(home, database)
        async with database.begin() as connection:
            await connection.execute(text("UPDATE alembic_version SET version_num = '0004'"))
        with pytest.raises(OtherRelease, match="start `centralita up` again"):
            await bring_up_to_date(home, database)
        assert await database.version() == "0004"
    await database.close()


async def test_while_nothing_runs_a_command_brings_the_tables_to_its_release(home):
    home.prepare()
    database = Database(home.database_url)
    await bring_up_to_date(home, database)
    await database.check()
    await database.close()
