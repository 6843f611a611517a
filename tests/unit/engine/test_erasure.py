"""Forgetting a caller, however her number was written when she called."""

import asyncio
from socket import gaierror

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from core.dialing import NumberListed
from core.events import LegUp
from core.lead import LeadState
from core.lead_record import AttemptRecord, LeadNumber, LeadRecord
from core.lead_store import Save
from core.list_store import ImportJob, ImportState
from engine.cli.app import app
from engine.erasure import Erasure, erase_contact, spellings
from engine.home import Home
from store.cipher import ContactCipher
from store.entry import Entry
from store.journal import Journal
from store.sql.database import LEADS, Database
from store.sql.lead_imports import SqlListStore
from store.sql.lead_models import AttemptRow
from store.sql.leads import SqlLeadStore


@pytest.fixture
def home(tmp_path):
    (tmp_path / "config").mkdir()
    (tmp_path / "config/site.yaml").write_text("site: test\n")
    found = Home.find(tmp_path, tmp_path / "var")
    found.prepare()
    return found


async def written(home, number):
    with ContactCipher.open(home.state) as cipher:
        journal = Journal.open(home.journal, cipher, print)
        contact = cipher.contact_key_id("main", number, "i-1")
        seq = journal.append(Entry("i-1", contact, 1000.0, LegUp("leg-1")))
        await journal.durable(seq)
        await journal.close()


def read(home):
    with ContactCipher.open(home.state, read_only=True) as cipher:
        from store.journal_reader import JournalReader

        reader = JournalReader.open(home.journal, cipher)
        try:
            return [record.unreadable or record.type for record in reader.show("i-1")]
        finally:
            reader.close()


@pytest.mark.parametrize("as_called", ["+34911234567", "911234567", "0034911234567"])
def test_every_spelling_of_a_number_is_the_same_contact(home, as_called):
    asyncio.run(written(home, as_called))
    assert read(home) == ["LegUp"]
    assert erase_contact(home, "main", "+34 911 23 45 67").keys == 1
    assert read(home) == ["erased"]


def test_nobody_else_is_forgotten(home):
    asyncio.run(written(home, "+34911234567"))
    assert erase_contact(home, "main", "+34911234568") == Erasure()
    assert erase_contact(home, "other", "+34911234567") == Erasure()
    assert read(home) == ["LegUp"]


REJECTED = (
    "_row;_column;_what;_reason;Nombre;Móvil;Fijo\r\n"
    "3;Móvil;rechazada;112;Luis;112;91 999 88 77\r\n"
    "4;Móvil;rechazada;corto;Ana;112;(0034) 911-23-45-67\r\n"
    '5;Móvil;rechazada;"largo\r\nsí";Eva;612345;911234568\r\n'
)


async def brought_in(home):
    """Two people of a list, an attempt at each, and what its import refused."""
    database = Database(home.leads_url, LEADS)
    await database.upgrade()
    store, lists = SqlLeadStore(database), SqlListStore(database)
    saves = []
    for number, (lead_id, name) in {"+34911234567": ("l1", "Ana"), "+34911234568": ("l2", "Eva")}.items():
        lead = LeadRecord(lead_id, "main", "spring", (LeadNumber(number),), name=name, fields={"plan": "600"})
        attempt = AttemptRecord(
            attempt_id=f"a-{lead_id}", interaction_id="i", tenant="main", campaign="c", list_id="spring",
            lead_id=lead_id, number=number, identity="+34910000000", mode="manual", state="busy", dialed_s=1000.0,
        )  # fmt: skip
        saves += [Save(lead_id, 1, lead=lead), Save(f"a{lead_id}", 1, attempt=attempt)]
        saves.append(Save(f"d{lead_id}", 1, listed=NumberListed("main", number)))
    await store.save(saves)
    await lists.open_job(ImportJob("j1", "main", "spring", started_s=1.0))
    await lists.end_job("main", "j1", ImportState.FINISHED, 2.0)
    await database.close()
    (home.state / "imports").mkdir(exist_ok=True)
    (home.state / "imports/j1.csv").write_text(REJECTED, encoding="utf-8-sig", newline="")


async def stored(home):
    database = Database(home.leads_url, LEADS)
    store = SqlLeadStore(database)
    try:
        leads = [(await store.lead("main", lead_id, 0.0)).record for lead_id in ("l1", "l2")]
        async with database.begin() as connection:
            query = select(AttemptRow.number, AttemptRow.state).order_by(AttemptRow.attempt_id)
            attempts = [tuple(row) for row in await connection.execute(query)]
        return leads, attempts, [each.called async for each in store.listed()]
    finally:
        await database.close()


def test_leads_attempts_and_refused_rows_are_forgotten_and_the_do_not_call_list_is_not(home):
    asyncio.run(brought_in(home))
    forgotten = erase_contact(home, "main", "911 23 45 67")
    assert (forgotten.leads, forgotten.attempts, forgotten.rejected_rows) == (1, 1, 1)
    (ana, eva), attempts, listed = asyncio.run(stored(home))
    assert (ana.name, ana.numbers, dict(ana.fields), ana.external_id) == ("", (), {}, "")
    assert (ana.state, ana.reason) == (LeadState.DONE, "erased")
    assert (eva.name, eva.numbers[0].number) == ("Eva", "+34911234568")
    assert attempts == [("", "busy"), ("+34911234568", "busy")]
    assert sorted(listed) == ["+34911234567", "+34911234568"]
    kept = (home.state / "imports/j1.csv").read_text("utf-8-sig")
    assert "Ana" not in kept
    assert "Luis" in kept
    assert "largo" in kept
    assert erase_contact(home, "main", "911 23 45 67") == Erasure()


def test_who_is_being_dialed_is_left_for_another_time(home):
    async def in_hand():
        database = Database(home.leads_url, LEADS)
        await database.upgrade()
        lead = LeadRecord("l1", "main", "spring", (LeadNumber("+34911234567"),), name="Ana", state=LeadState.DIALING)
        await SqlLeadStore(database).save([Save("l1", 1, lead=lead)])
        await database.close()

    asyncio.run(in_hand())
    forgotten = erase_contact(home, "main", "+34911234567")
    assert (forgotten.leads, forgotten.in_hand) == (0, ("l1",))


def test_leads_are_forgotten_wherever_the_site_keeps_them(home, tmp_path):
    """The whole site's database, not the file that stands in for it."""
    url = f"sqlite:///{tmp_path}/elsewhere.db"
    (tmp_path / "config/site.yaml").write_text(f"site: test\ndatabase: {url}\n")

    async def in_it(lead=None):
        database = Database(url, LEADS)
        await database.upgrade()
        store = SqlLeadStore(database)
        try:
            if lead is not None:
                await store.save([Save("l1", 1, lead=lead)])
            return (await store.lead("main", "l1", 0.0)).record
        finally:
            await database.close()

    asyncio.run(in_it(LeadRecord("l1", "main", "spring", (LeadNumber("+34911234567"),), name="Ana")))
    assert erase_contact(home, "main", "+34911234567").leads == 1
    assert asyncio.run(in_it()).name == ""


def test_what_is_no_number_is_looked_for_as_it_is():
    assert spellings("anonymous", "ES") == {"anonymous"}


def test_a_database_whose_machine_is_not_found_is_no_file_that_cannot_be_deleted(home, monkeypatch):
    async def unknown(home, database):
        raise gaierror(-2, "Name or service not known")

    asyncio.run(written(home, "+34911234567"))
    monkeypatch.setattr("engine.erasure.bring_up_to_date", unknown)
    with pytest.raises(ConnectionError, match="not known"):
        erase_contact(home, "main", "+34911234567")
    assert read(home) == ["LegUp"]
    monkeypatch.setenv("CENTRALITA_STATE", str(home.state))
    said = CliRunner().invoke(app, ["journal", "erase", "--yes", "--project", str(home.project), "911234567"])
    assert "start it, and do this again" in said.output.replace("\n", " ")
