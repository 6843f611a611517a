"""What cannot be made again is copied while it is written, and comes back whole or not at all."""

import asyncio
import fcntl
import json
import sqlite3
import tarfile
import threading
from contextlib import closing

import pytest
from typer.testing import CliRunner

from core.decisions import InteractionOpened
from core.events import LegArrived
from engine.backup import MANIFEST, BackupFailed, take
from engine.cli.app import app
from engine.home import Home, SecretBox
from engine.restore import put_back
from store.cipher import ContactCipher
from store.entry import Entry
from store.journal import Journal

EVA = "+34600999999"
run = CliRunner().invoke


def nobody(done, total):
    pass


def home_in(folder):
    (folder / "config").mkdir(parents=True)
    (folder / "config/site.yaml").write_text("site: test\ntime_zone: Europe/Madrid\ncountry: ES\n")
    return Home.find(folder, folder / "var")


def write_events(home, number, until=None):
    async def write():
        with ContactCipher.open(home.state) as cipher:
            journal = Journal.open(home.journal, cipher, print)
            while until is None or not until.is_set():
                id_ = f"i-{journal.last_seq}"
                opened = InteractionOpened(id_, "main", "voice", "inbound", "100", EVA, "f", "r1", "es", "number 100")
                entry = Entry(
                    id_,
                    cipher.contact_key_id("main", EVA, id_),
                    1e9,
                    LegArrived(f"{id_}.l", "n1", "100", EVA),
                    [opened],
                )
                await journal.durable(journal.append(entry))
                if until is None and journal.last_seq >= number:
                    break
            await journal.close()

    asyncio.run(write())


def read_events(home):
    async def read():
        with ContactCipher.open(home.state) as cipher:
            journal = Journal.open(home.journal, cipher, print)
            found = await journal.tail(0, 100_000)
            await journal.close()
            return found

    return asyncio.run(read())


@pytest.fixture
def home(tmp_path):
    found = home_in(tmp_path / "old")
    found.prepare()
    write_events(found, 20)
    SecretBox(found.state / "secrets.json").get("trunk/main-carrier", lambda: "s3cret")
    (found.voicemail / "main/sales").mkdir(parents=True)
    (found.voicemail / "main/sales/20261122T100000Z-x.wav.sealed").write_bytes(b"sealed" * 1000)
    (found.project / "flows").mkdir()
    (found.project / "flows/f.yaml").write_text("flow: f\n")
    return found


@pytest.fixture
def new(tmp_path):
    return home_in(tmp_path / "new")


def test_it_comes_back_whole_and_only_its_owner_can_read_it(home, new, tmp_path):
    archive = tmp_path / "copy.tar"
    made = take(home, archive, (), True, nobody)
    assert archive.stat().st_mode & 0o077 == 0
    assert {file.part for file in made.files} == {"database", "secret", "recording", "configuration"}
    assert put_back(archive, new, False, nobody) == made
    assert [(each.seq, each.event) for each in read_events(new)] == [(n.seq, n.event) for n in read_events(home)]
    assert read_events(new)[0].event.caller == EVA
    assert SecretBox(new.state / "secrets.json").get("trunk/main-carrier") == "s3cret"
    assert (new.voicemail / "main/sales/20261122T100000Z-x.wav.sealed").read_bytes() == b"sealed" * 1000
    assert new.state.stat().st_mode & 0o077 == 0
    assert (new.state / "master.key").stat().st_mode & 0o077 == 0
    assert not (new.project / "flows").exists()
    assert not list(new.state.glob(".restore-*"))


def test_a_copy_taken_while_events_are_written_can_be_read_to_its_last_one(home, new, tmp_path):
    enough = threading.Event()
    writer = threading.Thread(target=write_events, args=(home, 0, enough))
    writer.start()
    try:
        take(home, tmp_path / "copy.tar", (), True, nobody)
    finally:
        enough.set()
        writer.join()
    put_back(tmp_path / "copy.tar", new, False, nobody)
    found = read_events(new)
    assert len(found) >= 20
    assert [each.unreadable for each in found] == [""] * len(found)


def test_configuration_comes_back_when_asked_for_and_what_was_there_stays_beside_it(home, new, tmp_path):
    made = take(home, tmp_path / "copy.tar", (), True, nobody)
    (new.project / "config/site.yaml").write_text("site: other\n")
    put_back(tmp_path / "copy.tar", new, True, nobody)
    assert (new.project / "flows/f.yaml").read_text() == "flow: f\n"
    assert "site: test" in (new.project / "config/site.yaml").read_text()
    assert (new.project / f"config.before-{made.made_at}/site.yaml").read_text() == "site: other\n"


def test_recordings_may_be_left_out(home, new, tmp_path):
    made = take(home, tmp_path / "copy.tar", (), False, nobody)
    assert "recording" not in {file.part for file in made.files}


def test_nothing_that_is_there_is_lost(home, tmp_path):
    take(home, tmp_path / "copy.tar", (), True, nobody)
    before = (tmp_path / "copy.tar").read_bytes()
    with pytest.raises(BackupFailed, match="name another file"):
        take(home, tmp_path / "copy.tar", (), True, nobody)
    assert (tmp_path / "copy.tar").read_bytes() == before
    with pytest.raises(BackupFailed, match=r"keeps journal\.db, keys\.db.*mv "):
        put_back(tmp_path / "copy.tar", home, False, nobody)


def test_while_it_runs_nothing_is_restored(home, new, tmp_path):
    take(home, tmp_path / "copy.tar", (), True, nobody)
    new.state.mkdir()
    with (new.state / "up.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(BackupFailed, match="stop it first"):
            put_back(tmp_path / "copy.tar", new, False, nobody)


def cut(archive):
    archive.write_bytes(archive.read_bytes()[: archive.stat().st_size // 2])


def changed(archive):
    body = archive.read_bytes()
    assert body.count(b"sealed" * 10)
    archive.write_bytes(body.replace(b"sealed" * 10, b"SEALED" * 10, 1))


def no_archive(archive):
    archive.write_bytes(b"hello")


def foreign(archive):
    with tarfile.open(archive, "w") as written:
        body = tmp_body(archive, {"format": 1, "made_at": "x", "elsewhere": [], "files": [name("../../etc/passwd")]})
        written.add(body, MANIFEST)


def out_of_the_way(archive):
    with tarfile.open(archive, "w") as written:
        body = tmp_body(archive, {"format": 1, "made_at": "x", "elsewhere": [], "files": [name("state/../x")]})
        written.add(body, MANIFEST)


def name(text):
    return {"name": text, "part": "secret", "bytes": 1, "sha256": ""}


def tmp_body(archive, said):
    place = archive.with_suffix(".json")
    place.write_text(json.dumps(said))
    return place


@pytest.mark.parametrize("damage", [cut, changed, no_archive, foreign, out_of_the_way])
def test_what_is_not_whole_or_not_ours_is_refused_and_nothing_of_it_stays(home, new, tmp_path, damage):
    archive = tmp_path / "copy.tar"
    take(home, archive, (), True, nobody)
    damage(archive)
    with pytest.raises(BackupFailed, match=r"copy\.tar is (no|damaged)"):
        put_back(archive, new, True, nobody)
    assert [each.name for each in new.state.iterdir()] == ["up.lock"]
    assert sorted(each.name for each in new.project.iterdir()) == ["config", "var"]


def test_a_damaged_database_in_it_is_refused(home, new, tmp_path):
    with closing(sqlite3.connect(home.state / "dialer.db")) as database:
        database.execute("CREATE TABLE leads (number TEXT)")
        database.executemany("INSERT INTO leads VALUES (?)", [("x" * 900,)] * 100)
        database.commit()
    body = bytearray((home.state / "dialer.db").read_bytes())
    body[8192:12288] = b"\xff" * 4096
    (home.state / "dialer.db").write_bytes(body)
    try:
        take(home, tmp_path / "copy.tar", (), True, nobody)
    except BackupFailed:
        return  # SQLite saw it already
    with pytest.raises(BackupFailed, match=r"dialer\.db|malformed"):
        put_back(tmp_path / "copy.tar", new, False, nobody)
    assert [each.name for each in new.state.iterdir()] == ["up.lock"]


def test_the_commands_tell_what_is_in_it_and_what_is_not(home, new, tmp_path):
    (home.project / "config/site.yaml").write_text(
        "site: test\ntime_zone: Europe/Madrid\ncountry: ES\ndatabase: postgresql+asyncpg://u:hidden@db/centralita\n"
    )
    archive = tmp_path / "copy.tar"
    env = {"CENTRALITA_STATE": str(home.state)}
    said = run(app, ["backup", str(archive), "--project", str(home.project)], env=env)
    assert said.exit_code == 0, said.output
    assert "recordings" in said.output
    assert "pg_dump" in said.output
    assert "hidden" not in said.output
    env = {"CENTRALITA_STATE": str(new.state)}
    said = run(app, ["restore", str(archive), "--project", str(new.project), "--json"], env=env)
    assert said.exit_code == 0, said.output
    assert json.loads(said.output)["files"]["database"] == 2
    said = run(app, ["restore", str(archive), "--project", str(new.project)], env=env)
    assert said.exit_code == 1


def test_an_empty_directory_becomes_a_project_when_its_configuration_comes_back(home, tmp_path):
    archive, fresh = tmp_path / "copy.tar", tmp_path / "fresh"
    take(home, archive, (), True, nobody)
    where = ["restore", str(archive), "--project", str(fresh)]
    env = {"COLUMNS": "400", "CENTRALITA_STATE": ""}
    said = run(app, where, env=env)
    assert (said.exit_code, "add --configuration" in said.output, fresh.exists()) == (2, True, False)
    said = run(app, [*where, "--configuration"], env=env)
    assert said.exit_code == 0, said.output
    assert f"Start it: centralita up --project {fresh}" in said.output
    assert (fresh / "flows/f.yaml").read_text() == "flow: f\n"
    assert len(read_events(Home.find(fresh, fresh / "var"))) == len(read_events(home))


def test_a_directory_of_something_else_is_not_filled(home, tmp_path):
    archive, other = tmp_path / "copy.tar", tmp_path / "other"
    take(home, archive, (), True, nobody)
    other.mkdir()
    (other / "letter.txt").write_text("mine")
    said = run(app, ["restore", str(archive), "--configuration", "--project", str(other)], env={"CENTRALITA_STATE": ""})
    assert said.exit_code == 2
    assert [each.name for each in other.iterdir()] == ["letter.txt"]


def test_how_to_start_what_was_restored_names_the_state_directory(home, new, tmp_path):
    archive, state = tmp_path / "copy.tar", tmp_path / "state here"
    take(home, archive, (), True, nobody)
    env = {"CENTRALITA_STATE": str(state), "COLUMNS": "400"}
    said = run(app, ["restore", str(archive), "--project", str(new.project)], env=env)
    assert f"Start it: CENTRALITA_STATE='{state}' centralita up --project {new.project}" in said.output


def test_where_nothing_has_run_there_is_nothing_to_copy(new, tmp_path):
    with pytest.raises(BackupFailed, match="nothing has run here"):
        take(new, tmp_path / "copy.tar", (), True, nobody)
