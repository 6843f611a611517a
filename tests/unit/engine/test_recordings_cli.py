"""`centralita recordings`: found, taken out in the clear, and noted who did."""

import asyncio
import json

import pytest
from typer.testing import CliRunner

from core.leg_commands import KeepRecording
from engine.cli.app import app
from engine.databases import database_url
from engine.effects.recordings import Mailboxes
from engine.erasure import erase_contact
from engine.home import Home
from store.cipher import ContactCipher
from store.sql.accounts import AuditLog
from store.sql.database import Database

ANA, EVA = "+34600123123", "+34600999999"


class Node:
    async def keep_recording(self, leg_id, recording_id, destination):
        with open(destination, "xb") as file:
            file.write(b"RIFF " + recording_id.encode())


@pytest.fixture
def home(tmp_path):
    (tmp_path / "config").mkdir()
    (tmp_path / "flows").mkdir()
    (tmp_path / "config" / "site.yaml").write_text("site: test\n")
    home = Home.find(tmp_path)
    home.prepare()

    async def keep():
        with ContactCipher.open(home.state) as cipher:
            boxes = Mailboxes(home.voicemail, Node(), cipher, lambda: True)
            talk = {"kind": "conversation", "queue": "sales", "agents": "luz"}
            await boxes.keep(KeepRecording("i-1", "l", "i-1.r1", "talk.sales", talk, "main", ANA, "100"), 1.8e9)
            await boxes.keep(KeepRecording("i-2", "l", "i-2.1.1", "sales", {"topic": "a"}, "main", EVA, "100"), 1.9e9)

    asyncio.run(keep())
    return home


def run(home, *words):
    return CliRunner().invoke(app, ["recordings", *words, "--project", str(home.project)])


def listed(home, *words):
    return json.loads(run(home, "list", *words, "--json").stdout)


def audit_of(home):
    async def read():
        database = Database(database_url(home))
        try:
            await database.upgrade()
            return [(row.action, row.subject) for row in await AuditLog(database).page("main")]
        finally:
            await database.close()

    return asyncio.run(read())


def test_they_are_listed_newest_first(home):
    message, talk = listed(home)
    assert message["labels"] == {"caller": EVA, "called": "100", "topic": "a"}
    assert (talk["kind"], talk["queue"], talk["agents"], talk["sound"]) == ("conversation", "sales", ["luz"], True)
    assert listed(home, "--agent", "luz") == listed(home, "--queue", "sales") == [talk]
    assert "talk.sales/20270115T080000Z-i-1.r1" in run(home, "list").stdout.replace("\n", "")
    assert "no such recording" in run(home, "list", "--tenant", "acme").stdout


def test_who_takes_one_out_is_noted(home, tmp_path):
    (talk,) = listed(home, "--queue", "sales")
    assert run(home, "save", talk["name"], "--to", str(tmp_path)).exit_code == 0
    (saved,) = tmp_path.glob("*.wav")
    assert saved.read_bytes() == b"RIFF i-1.r1"
    assert audit_of(home) == [("recording.saved", talk["name"])]
    again = run(home, "save", talk["name"], "--to", str(tmp_path))
    assert (again.exit_code, "is there already" in again.output) == (1, True)


@pytest.mark.parametrize("name", ["talk.sales/20270115T080000Z-none", "../../secrets", "x"])
def test_what_is_not_there_is_said(home, tmp_path, name):
    answer = run(home, "save", name, "--to", str(tmp_path))
    assert (answer.exit_code, "there is no recording" in answer.output) == (1, True)
    assert audit_of(home) == []


def test_without_an_audit_log_nothing_is_taken_out(home, tmp_path):
    (home.project / "config" / "site.yaml").write_text("site: test\ndatabase: postgresql+asyncpg://x@127.0.0.1:1/x\n")
    answer = run(home, "save", listed(home)[0]["name"], "--to", str(tmp_path))
    assert (answer.exit_code, "audit log" in answer.output) == (1, True)
    assert not list(tmp_path.glob("*.wav"))


def test_who_is_forgotten_is_not_listed_any_more(home):
    assert erase_contact(home, "main", EVA).recordings == 1
    assert [each["interaction_id"] for each in listed(home)] == ["i-1"]


def test_times_are_the_sites_and_say_so(home):
    (home.project / "config" / "site.yaml").write_text("site: test\ntime_zone: America/Bogota\n")
    assert "Mar 17 12:46 -05" in " ".join(run(home, "list").stdout.split())
