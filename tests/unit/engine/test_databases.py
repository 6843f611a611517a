"""Where data is while somebody is editing the site's file."""

from __future__ import annotations

import fcntl
from types import SimpleNamespace

import pytest

from engine import databases, started
from engine.config.models import Site
from engine.databases import DatabaseUnknown, database_url, leads_url
from engine.home import Home


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
