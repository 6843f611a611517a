"""Where data is while somebody is editing the site's file."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from engine import databases
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
