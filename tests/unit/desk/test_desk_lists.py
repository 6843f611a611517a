"""Lists over the API: a file with mistakes is sent, looked at, imported by a process of its own, and taken back."""

from __future__ import annotations

import asyncio
import contextlib
import csv
import io
import json
import os
import signal
from pathlib import Path

import httpx
import pytest

from core.dialing import NumberListed
from core.lead_record import LeadNumber, LeadRecord
from core.list_store import ImportState
from desk import imports
from desk.list_export import leads_csv
from desk.problems import Unprocessable
from desk.roles import Role
from desk.uploads import TooLarge, Uploads
from tests.unit.desk.desk_stage import desks

ROWS = """Nombre;Apellidos;Móvil;Fijo;Contrato
Carmen;Díaz;600 11 22 33;;C-1
Luis;Pérez;;911222333;C-2
Marta;Ruiz;112;;C-3
Pau;Soler;6001122;;C-4
Iker;Ruiz;600112233;;C-5
"""
PLAN = {"list_id": "renewals", "country": "ES", "basis": "contract"}


@pytest.fixture
def manager(desk):
    return desk.as_role(Role.CAMPAIGN_MANAGER)


async def _send(person, text=ROWS, name="clientes.csv", encoding="latin-1"):
    file = {"file": (name, text.encode(encoding), "text/csv")}
    return await person.http.post("/v1/uploads", files=file)


async def _over(person, job_id):
    for _ in range(1_800):
        job = (await person.get(f"/v1/imports/{job_id}")).json()
        if job["state"] != "running":
            return job
        await asyncio.sleep(0.05)
    raise AssertionError(job)


async def test_a_list_with_mistakes_is_looked_at_imported_and_taken_back(desk, manager):
    sent = await _send(manager)
    upload_id = sent.json()["upload_id"]
    assert (sent.status_code, sent.json()["name"]) == (201, "clientes.csv")
    looked = (await manager.post(f"/v1/uploads/{upload_id}/preview", PLAN)).json()
    assert [(each["header"], each["target"]) for each in looked["columns"]][:4] == [
        ("Nombre", "first_name"),
        ("Apellidos", "last_name"),
        ("Móvil", "phone"),
        ("Fijo", "phone"),
    ]
    assert looked["problems"] == []
    assert {each["row"] for each in looked["refused"]} == {4, 5}
    assert looked["leads"][0]["numbers"][0]["number"] == "+34600112233"
    told = await manager.post(f"/v1/uploads/{upload_id}/preview", PLAN | {"map": {"Nombre": "name"}, "words": "es"})
    assert told.json()["columns"][0]["target"] == "name"
    assert "emergencias" in json.dumps(told.json()["refused"], ensure_ascii=False)

    begun = await manager.post("/v1/imports", PLAN | {"upload_id": upload_id})
    assert begun.status_code == 202
    job_id = begun.json()["job_id"]
    job = await _over(manager, job_id)
    assert (job["state"], job["share"], job["tally"]["added"], job["tally"]["rejected"]) == ("finished", 1.0, 2, 2)
    (shown,) = (await manager.get("/v1/lists")).json()["lists"]
    assert (shown["list_id"], shown["campaign"], shown["leads"]) == ("renewals", "renewals", {"new": 2})
    refused = await manager.get(f"/v1/imports/{job_id}/rejected")
    assert refused.headers["content-type"].startswith("text/csv")
    assert "112" in refused.text
    out = await manager.get("/v1/lists/renewals/export")
    rows = list(csv.DictReader(io.StringIO(out.text.lstrip("\ufeff"))))
    assert {row["numbers"] for row in rows} == {"+34600112233", "+34911222333"}
    await desk.until(lambda: any(fact == "ListsChanged" for fact, _ in desk.fake.done))

    undone = await manager.post(f"/v1/imports/{job_id}/undo")
    assert undone.json()["state"] == "undone"
    await desk.until(lambda: not desk.services.imports.undoing(job_id))
    assert (await manager.get("/v1/lists/renewals")).json()["leads"] == {}
    again = await manager.post(f"/v1/imports/{job_id}/resume")
    assert again.status_code == 409
    await desk.services.audit.flush()
    entries = (await desk.as_role(Role.ADMIN).get("/v1/audit")).json()["entries"]
    assert [each["action"] for each in entries] == ["import undone", "leads exported", "import"]
    assert "600112233" not in json.dumps(entries)


async def _begin(person, rows, list_id="renewals"):
    lines = "".join(f"Persona {n};6{n:08d}\n" for n in range(rows))
    upload_id = (await _send(person, f"Nombre;Móvil\n{lines}")).json()["upload_id"]
    asked = PLAN | {"upload_id": upload_id, "list_id": list_id}
    return (await person.post("/v1/imports", asked)).json()["job_id"]


async def test_an_import_whose_process_is_killed_goes_on_where_it_stood(desk, manager):
    for list_id in ("first", "second", "third", "fourth"):
        job_id = await _begin(manager, 5_000, list_id)
        if await _killed(manager, job_id):
            break  # else it was done before we looked
    job = await _over(manager, job_id)
    assert (job["state"], job["tally"]["added"], job["rows"]) == ("finished", 5_000, 5_001)
    assert (await manager.get(f"/v1/lists/{list_id}")).json()["leads"] == {"new": 5_000}
    assert desk.services.imports._kills[job_id] == 1


async def _killed(person, job_id):
    """Whether its worker was killed when it had begun and was not done."""
    rows = 0
    while rows < 2:
        await asyncio.sleep(0.02)
        rows = (await person.get(f"/v1/imports/{job_id}")).json()["rows"]
    with contextlib.suppress(ProcessLookupError):
        worker = int(_worker_of(job_id) or 0)
        if worker:
            os.kill(worker, signal.SIGSTOP)
            still = (await person.get(f"/v1/imports/{job_id}")).json()["state"] == "running"
            os.kill(worker, signal.SIGKILL)
            return still
    await _over(person, job_id)
    return False


async def test_an_import_that_is_cancelled_at_once_stays_so_until_somebody_goes_on_with_it(desk, manager):
    turns = desk.services.imports._turns
    async with turns, turns:  # its worker comes when it has been cancelled, and not before
        job_id = await _begin(manager, 1_200)
        other = await manager.post("/v1/imports", PLAN | {"upload_id": (await _send(manager)).json()["upload_id"]})
        assert other.status_code == 409
        assert (await manager.post(f"/v1/imports/{job_id}/cancel")).json()["state"] == "cancelled"
    await desk.until(lambda: not desk.services.imports.busy)
    assert (await manager.get(f"/v1/imports/{job_id}")).json()["state"] == "cancelled"
    assert (await manager.post(f"/v1/imports/{job_id}/resume")).json()["state"] == "running"
    job = await _over(manager, job_id)
    assert (job["state"], job["tally"]["added"]) == ("finished", 1_200)


async def test_an_undo_that_was_cut_short_is_finished(desk, manager, monkeypatch):
    job_id = await _begin(manager, 1_200)
    await _over(manager, job_id)
    await desk.services.list_store.end_job("main", job_id, ImportState.UNDONE, 1.0)
    assert await desk.services.list_store.undo("main", job_id, 700) == 700
    assert (await manager.get("/v1/lists/renewals")).json()["leads"] == {"new": 500}
    monkeypatch.setattr(imports, "_LOOK_EVERY_S", 0.05)
    looking = asyncio.create_task(desk.services.imports.watch(lambda: ["main"]))
    try:
        while (await manager.get("/v1/lists/renewals")).json()["leads"]:
            await asyncio.sleep(0.05)
        await desk.until(lambda: not desk.services.imports.busy)
        monkeypatch.setattr(desk.services.imports._lists, "finish_undo", None)
        await asyncio.sleep(0.2)
        assert not desk.services.imports.busy, "it is looked after once"
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)


def _worker_of(job_id):
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if "desk.import_worker\0" in (line := path.read_text()) and job_id in line:
                return path.parent.name
    return ""


async def test_an_import_of_another_tenant_is_not_there(desk, manager):
    upload_id = (await _send(manager)).json()["upload_id"]
    stranger = desk.as_role(Role.CAMPAIGN_MANAGER, tenant="acme")
    assert (await stranger.post(f"/v1/uploads/{upload_id}/preview", PLAN)).status_code == 404
    assert (await stranger.post("/v1/imports", PLAN | {"upload_id": upload_id})).status_code == 404
    for path in ("", "/cancel", "/resume", "/undo", "/rejected"):
        method = "GET" if path in ("", "/rejected") else "POST"
        assert (await stranger.http.request(method, f"/v1/imports/j1{path}")).status_code == 404


async def test_what_is_no_list_is_refused_in_words(desk, manager):
    for name, content, encoding in (("virus.exe", "MZ", "utf-8"), ("empty.csv", "", "utf-8")):
        answer = await _send(manager, content, name, encoding)
        assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json"), name
    picture = (await _send(manager, "\x89PNG\r\n\x1a\n\x00\x00", "a.csv")).json()["upload_id"]
    assert (await manager.post(f"/v1/uploads/{picture}/preview", PLAN)).status_code == 422
    names = (await _send(manager, "Nombre;Ciudad\nAna;Cádiz\n", "names.csv")).json()["upload_id"]
    looked = (await manager.post(f"/v1/uploads/{names}/preview", PLAN)).json()
    assert "phone" in looked["problems"][0]
    refused = await manager.post("/v1/imports", PLAN | {"upload_id": names})
    assert (refused.status_code, "phone" in refused.json()["detail"]) == (422, True)
    wrong = await manager.post(f"/v1/uploads/{names}/preview", PLAN | {"map": {"Teléfono": "phone"}})
    assert (wrong.status_code, "there is no column" in wrong.json()["detail"]) == (422, True)
    no_form = await manager.http.post("/v1/uploads", content=b"x", headers={"content-type": "text/csv"})
    assert no_form.status_code == 422
    assert (await manager.post("/v1/uploads/..%2F..%2Fdesk/preview", PLAN)).status_code == 404


async def test_a_file_that_is_too_large_is_refused_and_leaves_nothing(tmp_path, empty_database):
    async with desks(tmp_path, empty_database, upload_mb=1) as desk:
        manager = desk.as_role(Role.CAMPAIGN_MANAGER)
        assert (await _send(manager, "x" * 900_000)).status_code == 201
        with_length = await _send(manager, "x" * 1_200_000)
        assert (with_length.status_code, "1 MB" in with_length.json()["detail"]) == (413, True)

        async def chunks():
            yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
            for _ in range(30):
                yield b"x" * 50_000

        headers = {"content-type": "multipart/form-data; boundary=b"}
        try:
            without = await manager.http.post("/v1/uploads", content=chunks(), headers=headers)
            assert without.status_code == 413
        except httpx.WriteError:
            pass
        # Who was refused in the middle may know it before the desk has cleared up.
        await desk.until(lambda: len(list((tmp_path / "uploads" / "main").iterdir())) == 2)


async def _form(uploads, parts, boundary=b"xyz", size=7):
    async def chunks():
        body = b"".join(b"--" + boundary + b"\r\n" + head + b"\r\n\r\n" + data + b"\r\n" for head, data in parts)
        body += b"--" + boundary + b"--\r\n"
        for at in range(0, len(body), size):
            yield body[at : at + size]

    return await uploads.take("main", f"multipart/form-data; boundary={boundary.decode()}", chunks(), 1000.0)


async def test_of_a_form_the_first_file_counts_however_it_is_cut(tmp_path):
    uploads = Uploads(tmp_path, 10_000)
    field = (b'Content-Disposition: form-data; name="list"', b"spring")
    first = (b'content-disposition: form-data; name="f"; filename="../../etc/my list.CSV"', b"a,b\r\n1,2\r\n--xy")
    second = (b'Content-Disposition: form-data; name="g"; filename="other.csv"', b"no")
    for size in (1, 7, 1000):
        made = await _form(uploads, [field, first, second], size=size)
        found, path = uploads.get("main", made.upload_id)
        assert (found.name, path.read_bytes()) == ("my list.csv", b"a,b\r\n1,2\r\n--xy")
    with pytest.raises(Unprocessable):
        await _form(uploads, [field])
    with pytest.raises(TooLarge):
        await _form(Uploads(tmp_path, 5), [first])


async def test_a_number_is_looked_up_on_every_list(desk, manager):
    ours = NumberListed("main", "+34600112233")
    campaigns = NumberListed("main", "+34600112244", "renewals")
    await desk.services.list_store.put_listed([ours, campaigns], 1.0)
    told = (await manager.get("/v1/do-not-call", number="+34 600 11 22 33")).json()
    assert told == {"number": "+34600112233", "listed": True, "lists": [{"level": "tenant", "name": ""}]}
    assert (await manager.get("/v1/do-not-call", number="600 11 22 33")).json() == told
    other = await manager.get("/v1/do-not-call", number="0034600112244", campaign="renewals")
    assert other.json()["lists"] == [{"level": "campaign", "name": "renewals"}]
    assert (await manager.get("/v1/do-not-call", number="+34600112244")).json()["listed"] is False
    assert (await manager.get("/v1/do-not-call", number="600")).status_code == 422
    stranger = desk.as_role(Role.CAMPAIGN_MANAGER, tenant="acme")
    assert not (await stranger.get("/v1/do-not-call", number="+34600112233")).json()["listed"]


async def test_a_spreadsheet_takes_nothing_of_an_export_for_a_formula():
    async def leads():
        for number in range(1200):
            yield LeadRecord(f"l-{number}", "main", "spring", (LeadNumber("+34600112233"),), "=cmd|' /C calc'!A0")

    text = "".join([part async for part in leads_csv(leads())])
    rows = list(csv.DictReader(io.StringIO(text.lstrip("\ufeff"))))
    assert len(rows) == 1200
    assert {(row["name"], row["numbers"]) for row in rows} == {("'=cmd|' /C calc'!A0", "+34600112233")}
