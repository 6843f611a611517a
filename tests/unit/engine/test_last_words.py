"""Why an engine did not become ready is said once."""

from __future__ import annotations

from pathlib import Path

from engine.home import Home
from engine.supervisor import Plan, Supervisor
from telephony.node.installation import Installation
from telephony.node.ports import free_settings


def test_what_every_start_ended_with_is_said_once(tmp_path: Path) -> None:
    home = Home(tmp_path, tmp_path / "var")
    home.prepare()
    place = Path("/usr/share/asterisk")
    installation = Installation(Path("/usr/sbin/asterisk"), "22.10.1", place / "modules", place)
    supervisor = Supervisor(Plan(home, free_settings(tmp_path / "node"), installation, 30.0))
    assert supervisor._last_words() == f"see {home.logs / 'engine.out'}"
    (home.logs / "engine.out").write_text("WARNING:phonemizer:words\n" + "JournalDamaged: no database\n" * 3)
    assert supervisor._last_words() == "JournalDamaged: no database"
