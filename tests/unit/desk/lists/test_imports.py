"""Imports from file to leads: what is taken, refused, doubled, resumed, undone."""

from __future__ import annotations

import asyncio
import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.dialing import NumberListed
from core.errors import StoreUnavailable
from core.lead import LeadState
from core.lead_record import LeadRecord
from core.lead_store import ListShare, Save, Staging
from core.list_store import ImportJob, ImportState, ImportStopped, ListBusy
from desk.lists import importing
from desk.lists.registers import registers_directory, write_register
from desk.lists.service import Lists
from desk.lists.tables import FileUnusable
from dialer.memory_lists import MemoryListStore

NOW_S = 1_795_000_000.0
_CLIENTS = """Código;Nombre;Apellidos;Móvil;Fijo;Provincia;Consentimiento;Saldo
A1;Ana;Ñúñez;612345678;911234567;Sevilla;22/11/2025;12,50
A2;Luis;Pérez;612345679;;Las Palmas;sí;
A3;Eva;Ruiz;no tiene;;Madrid;;3
A4;Emergencia;;112;;;;
A5;Zoe;Gil;902123456;612345670;Madrid;31/02/2025;
A6;Ada;Sanz;3.4911E+10;612345671;Madrid;no;
"""


class World:
    """A tenant with a store in memory and a state directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.store = MemoryListStore()
        self.told: list[tuple[str, str]] = []
        self.now_s = NOW_S
        self.leaving: list[str] = []
        self.in_hopper: list[str] = []
        """Leads that a campaign has staged: it gives them back when their list leaves."""
        self.lists = Lists(self.store, directory / "var", lambda: self.now_s, self._tell)

    async def _tell(self, tenant: str, campaign: str, leaving: str) -> None:
        if not leaving:
            self.told.append((tenant, campaign))
            return
        self.leaving.append(leaving)
        await self.store.unstage(tenant, self.in_hopper)
        self.in_hopper = []

    async def stage(self, count: int) -> None:
        staging = Staging("main", "c1", (ListShare("spring"),), count, self.now_s)
        staged = await self.store.stage(staging)
        self.in_hopper = [each.record.lead_id for each in staged.leads]

    def file(self, text: str, name: str = "list.csv", encoding: str = "utf-8") -> Path:
        path = self.directory / name
        path.write_bytes(text.encode(encoding))
        return path

    async def begun(self, text: str, **how: Any) -> ImportJob:
        path = self.file(text)
        how = {"country": "ES", "list_id": "spring", **how}
        shown = await self.lists.preview(path, "main", **how)
        assert shown.problems == ()
        self.now_s += 100
        return await self.lists.begin(path, shown.plan, shown.table)

    async def imports(self, text: str, **how: Any) -> ImportJob:
        return await self.lists.run(await self.begun(text, **how))

    async def leads(self, list_id: str = "spring") -> list[LeadRecord]:
        return [each async for each in self.lists.leads("main", list_id)]

    def rejects(self, job: ImportJob) -> list[dict[str, str]]:
        text = self.lists.rejects_of(job.job_id).read_text("utf-8-sig")
        return list(csv.DictReader(text.splitlines(), delimiter=";" if ";" in text.splitlines()[0] else ","))


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


async def test_a_list_as_people_have_it_becomes_leads_and_a_file_of_what_did_not(world: World) -> None:
    job = await world.imports(_CLIENTS, words="es", campaign="otoño")
    assert job.state is ImportState.FINISHED
    tally = job.tally
    assert (tally.added, tally.rejected, tally.left_out, tally.rows) == (3, 3, 1, 6)
    ana, luis, ada = await world.leads()
    assert [(each.number, each.label) for each in ana.numbers] == [("+34612345678", "mobile"), ("+34911234567", "home")]
    assert (ana.name, ana.external_id, ana.region, ana.basis) == ("Ana Ñúñez", "A1", "AN", "consent")
    assert ana.consent_s is not None
    assert dict(ana.fields) == {"provincia": "Sevilla", "saldo": "12,50"}
    assert ana.zone == "Europe/Madrid"
    assert (luis.zone, luis.basis, luis.consent_s) == ("Atlantic/Canary", "consent", None)
    assert (ada.basis, [each.number for each in ada.numbers]) == ("none", ["+34612345671"])
    assert ana.lead_id == f"{job.job_id}00000002"
    assert [(each["_row"], each["_column"], each["_what"]) for each in world.rejects(job)] == [
        ("4", "", "rechazada"),
        ("5", "Móvil", "rechazada"),
        ("6", "Consentimiento", "rechazada"),
        ("7", "Móvil", "número omitido"),
    ]
    assert world.rejects(job)[0]["_reason"] == "esta fila no tiene ningún número de teléfono"
    assert world.rejects(job)[1]["Código"] == "A4"
    assert world.told == [("main", "otoño")]


async def test_the_same_file_again_changes_nothing(world: World) -> None:
    await world.imports(_CLIENTS)
    before = await world.leads()
    again = await world.imports(_CLIENTS)
    assert (again.tally.added, again.tally.unchanged, again.tally.rejected) == (0, 3, 3)
    assert await world.leads() == before


async def test_a_new_version_of_the_file_updates_fields_and_leaves_leads_in_progress_alone(world: World) -> None:
    await world.imports(_CLIENTS)
    staged = await world.store.stage(Staging("main", "c", (ListShare("spring"),), 1, world.now_s))
    dialed = replace(staged.leads[0].record, state=LeadState.WAITING, attempts=1, not_before_s=NOW_S + 999)
    await world.store.save([Save("lead:1", 1, lead=dialed)])
    news = "Código;Móvil;Saldo;Riesgo\nA1;699111222;99;alto\nA9;612345699;1;bajo\n"
    job = await world.imports(news)
    assert (job.tally.added, job.tally.updated) == (1, 1)
    ana = (await world.leads())[0]
    assert [each.number for each in ana.numbers] == ["+34699111222", "+34911234567"]
    assert dict(ana.fields) == {"provincia": "Sevilla", "saldo": "99", "riesgo": "alto"}
    assert (ana.state, ana.attempts, ana.not_before_s, ana.name) == (LeadState.WAITING, 1, NOW_S + 999, "Ana Ñúñez")


@pytest.mark.parametrize(
    ("rule", "tally", "phones"),
    [
        ("update", (2, 1, 0), ["Ana María", "Luis"]),
        ("skip", (2, 0, 1), ["Ana", "Luis"]),
        ("allow", (3, 0, 0), ["Ana", "Luis", "Ana María"]),
    ],
)
async def test_duplicates_within_a_file_by_rule(world: World, rule: str, tally: Any, phones: list[str]) -> None:
    text = "name,phone\nAna,612345678\nLuis,612345679\nAna María,+34 612 345 678\n"
    job = await world.imports(text, duplicates=rule)
    assert (job.tally.added, job.tally.updated, job.tally.duplicates) == tally
    assert [each.name for each in await world.leads()] == phones
    if rule == "skip":
        assert world.rejects(job)[0]["_what"] == "duplicate"
        assert "same number" in world.rejects(job)[0]["_reason"]


@pytest.mark.parametrize(
    ("rule", "tally", "there"),
    [("allow", (2, 0, 0), ["Ana"]), ("skip", (1, 0, 1), ["Ana"]), ("update", (1, 1, 0), ["Ana María"])],
)
async def test_duplicates_of_another_list_by_rule(world: World, rule: str, tally: Any, there: list[str]) -> None:
    await world.imports("name,phone\nAna,612345678\n", list_id="autumn")
    job = await world.imports("name,phone\nAna María,612345678\nLuis,612345679\n", elsewhere=rule)
    assert (job.tally.added, job.tally.updated, job.tally.duplicates) == tally
    assert [each.name for each in await world.leads("autumn")] == there


async def test_two_people_at_one_phone_are_two_leads_where_ids_say_so(world: World) -> None:
    text = "id,name,phone\n1,Ana,911234567\n2,Luis,911234567\n1,Ana M,911234567\n"
    job = await world.imports(text)
    assert (job.tally.added, job.tally.updated) == (2, 1)
    assert [each.name for each in await world.leads()] == ["Ana M", "Luis"]


@pytest.mark.parametrize(
    ("rule", "states"),
    [
        ("block", [LeadState.BLOCKED, LeadState.NEW, LeadState.NEW]),
        ("reject", [LeadState.NEW] * 2),
        ("keep", [LeadState.NEW] * 3),
    ],
)
async def test_listed_numbers_are_checked_when_they_come(world: World, rule: str, states: Any) -> None:
    await world.store.put_listed([NumberListed("main", "+34612345678")], NOW_S)
    directory = registers_directory(world.directory / "var")
    write_register(directory, "lista-robinson", np.array([34612345679], dtype=np.uint64), NOW_S, NOW_S)
    text = "name,mobile,home\nAna,612345678,\nLuis,612345679,\nEva,612345678,911234567\n"
    job = await world.imports(text, listed=rule, duplicates="allow")
    assert [each.state for each in await world.leads()] == states
    assert (job.tally.national, job.tally.blocked) == (1, int(rule == "block"))
    if rule == "block":
        assert (await world.leads())[0].reason == "do_not_call/own"
    strict = await world.imports(
        text, list_id="strict", listed="reject", duplicates="allow", registers=("lista-robinson",)
    )
    assert (strict.tally.added, strict.tally.rejected) == (1, 2)
    assert "lista-robinson" in world.rejects(strict)[1]["_reason"]


async def test_an_import_that_was_killed_goes_on_without_doubling_anything(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "BATCH", 7)
    rows = [f"{n},6{n:08d}" if n % 3 else f"{n},112" for n in range(100)]
    text = "\n".join(["id,phone", *rows])
    whole = await world.imports(text, list_id="whole")
    job = await world.begun(text)

    class Killed(Exception):
        pass

    def dies(progress: ImportJob) -> None:
        if progress.rows > 40:
            raise Killed

    with pytest.raises(Killed):
        await world.lists.run(job, dies)
    with world.lists.rejects_of(job.job_id).open("ab") as file:
        file.write(b"what the killed one had written and not kept")
    with pytest.raises(ListBusy):
        await world.lists.begin(world.directory / "list.csv", *(await _planned(world)))
    done = await world.lists.resume("main", job.job_id)
    assert done.tally == whole.tally
    assert [each.external_id for each in await world.leads()] == [
        each.external_id for each in await world.leads("whole")
    ]
    assert world.lists.rejects_of(job.job_id).read_bytes() == world.lists.rejects_of(whole.job_id).read_bytes()
    with pytest.raises(ImportStopped):
        await world.lists.resume("main", job.job_id)


async def _planned(world: World) -> Any:
    shown = await world.lists.preview(world.directory / "list.csv", "main", "spring", country="ES")
    return shown.plan, shown.table


async def test_a_file_that_changed_meanwhile_is_not_mixed_in(world: World) -> None:
    job = await world.begun("phone\n612345678\n612345679\n")
    world.file("phone\n612345670\n612345671\n")
    with pytest.raises(FileUnusable, match="has changed since"):
        await world.lists.run(job)
    assert (await world.lists.job("main", job.job_id)).state is ImportState.FAILED
    assert await world.leads() == []


async def test_a_file_that_is_gone_fails_the_job_which_can_be_undone(world: World) -> None:
    job = await world.begun("phone\n612345678\n")
    (world.directory / "list.csv").unlink()
    with pytest.raises(FileUnusable, match="cannot be read"):
        await world.lists.resume("main", job.job_id)
    assert (await world.lists.job("main", job.job_id)).state is ImportState.FAILED
    world.file("phone\n612345678\n")
    assert (await world.lists.resume("main", job.job_id)).tally.added == 1


async def test_a_cancelled_import_stops_at_its_next_batch_and_is_undone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "BATCH", 5)
    job = await world.begun("phone\n" + "\n".join(f"6{n:08d}" for n in range(50)))
    running = asyncio.ensure_future(world.lists.run(job))
    while not await world.leads():
        await asyncio.sleep(0)
    await world.lists.cancel("main", job.job_id)
    with pytest.raises(ImportStopped):
        await running
    assert 0 < len(await world.leads()) < 50
    assert (await world.store.stage(Staging("main", "c", (ListShare("spring"),), 9, world.now_s))).leads == ()
    await world.lists.undo("main", job.job_id)
    assert await world.leads() == []


async def test_a_database_that_is_away_for_a_moment_costs_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "BATCH", 5)
    take, times = world.store.take, iter(range(100))

    async def sometimes(batch: Any) -> ImportJob:
        number = next(times)
        if number % 3 == 1:
            raise StoreUnavailable("away")
        done = await take(batch)
        if number % 3 == 2:
            raise StoreUnavailable("gone before it could say so")
        return done

    monkeypatch.setattr(world.store, "take", sometimes)
    job = await world.imports("phone\n" + "\n".join(f"6{n:08d}" for n in range(23)))
    assert (job.tally.added, len(await world.leads())) == (23, 23)


async def test_the_file_of_rejected_rows_can_be_mended_and_imported(world: World) -> None:
    job = await world.imports("id,phone,note\n1,61234567,=cmd()\n2,612345678,\n")
    assert world.rejects(job)[0]["note"] == "'=cmd()"
    mended = world.lists.rejects_of(job.job_id).read_text("utf-8-sig").replace("61234567,", "612345670,")
    again = await world.imports(mended)
    assert again.tally.added == 1
    assert (await world.leads())[1].fields == {"note": "'=cmd()"}


async def test_nothing_but_bad_rows_is_an_import_of_nothing(world: World) -> None:
    job = await world.imports("name,phone\n" + "x,y\n" * 3000)
    assert (job.state, job.tally.rejected, job.tally.added) == (ImportState.FINISHED, 3000, 0)
    assert len(world.rejects(job)) == 3000


async def test_a_preview_says_what_would_happen_and_touches_nothing(world: World) -> None:
    path = world.file(_CLIENTS, encoding="latin-1")
    shown = await world.lists.preview(path, "main", "spring", country="ES", words="es")
    body = shown.plain()
    assert body["reading"]["encoding"] == "cp1252"
    assert [(each["target"], each["label"]) for each in body["columns"]] == [
        ("external_id", ""),
        ("first_name", ""),
        ("last_name", ""),
        ("phone", "mobile"),
        ("phone", "home"),
        ("region", "provincia"),
        ("consent", ""),
        ("field", "saldo"),
    ]
    assert (body["looked_at"], body["taken"]) == (6, 3)
    assert body["leads"][0]["name"] == "Ana Ñúñez"
    assert {each["row"] for each in body["refused"]} == {4, 5, 6, 7}
    assert await world.lists.lists("main") == []
    wished = await world.lists.preview(path, "main", "spring", wishes=[("phone:casa", "Fijo"), ("ignore", "Saldo")])
    assert [(each.header, each.label) for each in wished.plan.of("phone")] == [("Fijo", "casa")]
    with pytest.raises(ValueError, match="there is no column 'Tlf'"):
        await world.lists.preview(path, "main", "spring", wishes=[("phone", "Tlf")])
    none = await world.lists.preview(world.file("a,b\nx,y\n"), "main", "spring")
    assert none.problems == ("no column is a phone number: name it with --map phone=HEADER",)


async def test_a_list_is_shown_exported_and_deleted(world: World) -> None:
    await world.imports(_CLIENTS, campaign="c1")
    shown = await world.lists.show("main", "spring")
    assert shown is not None
    assert (shown.about.campaign, dict(shown.leads), len(shown.jobs)) == ("c1", {LeadState.NEW: 3}, 1)
    assert await world.lists.show("main", "winter") is None
    assert await world.lists.delete("main", "spring") == (3, True)
    assert await world.lists.show("main", "spring") is None


async def test_who_is_staged_and_not_dialed_goes_with_her_list(world: World) -> None:
    await world.imports(_CLIENTS, campaign="c1")
    await world.stage(2)
    assert await world.lists.delete("main", "spring") == (3, True)
    assert world.leaving == ["spring"]


async def test_an_undo_takes_back_who_is_staged_and_not_dialed(world: World) -> None:
    job = await world.imports(_CLIENTS, campaign="c1")
    await world.stage(2)
    assert await world.lists.undo("main", job.job_id) == 3
    assert await world.leads() == []


async def test_a_list_of_which_somebody_is_dialed_stays_and_is_not_waited_for(world: World) -> None:
    await world.imports(_CLIENTS, campaign="c1")
    first = (await world.leads())[0]
    await world.store.save([Save("lead:1", 1, lead=replace(first, state=LeadState.DIALING))])
    assert await world.lists.delete("main", "spring") == (2, False)
    assert world.leaving == []
