"""Campaigns when things go wrong: nobody is dialed twice, nobody sits in silence, every lead is accounted for."""

import asyncio
import contextlib
import csv
import json
import sqlite3
import threading
from collections import Counter

from typer.testing import CliRunner

from core.lead import LeadState
from engine.cli.app import app
from tests.http_host import HttpHost, json_reply
from tests.recovery.campaign_stage import AGENTS, Behaviour, Person, campaign, stages

RINGS_S = 60.0
ENDED = (LeadState.DONE, LeadState.EXHAUSTED)


async def test_a_killed_engine_dials_nobody_twice_and_accounts_for_everybody(tmp_path):
    ways = ["talk", "talk", "no_answer", "talk", "busy", "hang_up", "talk", "talk", "decline", "talk"]
    # The first ones talk until the engine is back.
    persons = [Person(way, ring_s=1.5, talk_s=6.0 if n < 4 else 2.0) for n, way in enumerate(ways)]
    async with contextlib.AsyncExitStack() as stack:
        crm = await stack.enter_async_context(HttpHost())
        crm.answers["/hook"] = json_reply({})
        told = campaign("spring") + f"webhooks: [{{url: 'http://127.0.0.1:{crm.port}/hook'}}]\n"
        hosts = f"hosts: [{{host: 127.0.0.1, port: {crm.port}, http: yes, private: yes}}]\n"
        files = {"config/http.yaml": hosts}
        stage = await stack.enter_async_context(stages(tmp_path, {"spring": told}, {"spring": persons}, files=files))
        stage.behaviour[0] = Behaviour(talk_s=60.0)
        running, people = stage.running, stage.people
        assert await stage.act("start") == {"ok": True}
        await stage.until_people(lambda all_: _ringing(all_) and _answered(all_) and len(all_.calls) >= 4)
        before = await stage.view()
        await running.saved()  # what was decided in the journal's last milliseconds is as if it had not been
        killed, killed_s = running.engine_pid, asyncio.get_running_loop().time()
        running.kill_engine()
        await running.until(lambda body: body["ready"] and running.engine_pid != killed)
        back_s = asyncio.get_running_loop().time()
        after = await stage.view()
        assert after["state"] == "running"
        assert after["abandonment"][0]["live"] >= before["abandonment"][0]["live"], "budgets are kept"
        assert after["today"]["dialed"] >= before["today"]["dialed"]

        view = await stage.until_over()
        await running.until_idle()  # no channel and no bridge is left: nobody sits alone in one
        leads = await stage.staged()
        assert len(leads) == len(persons)
        assert {each.record.state for each in leads.values()} <= set(ENDED)
        for each in leads.values():
            (number,) = each.record.numbers
            (attempt,) = each.history
            assert number.attempts == 1
            # Decided, and the engine died before it was dialed: on record as lost, and nobody's phone rang.
            undialed = (attempt.state, attempt.ringing_s) == ("failed", None)
            calls = len(people.calls_to(number.number))
            assert calls == 1 or (undialed and not calls), each
        attempts = [attempt for each in leads.values() for attempt in each.history]
        answered = sum(attempt.answered_s is not None for attempt in attempts)
        calls = [call for call in people.calls if call.answered_s is not None]
        # Of who answered and left while nobody was there nothing is known but that her attempt was lost; and who hangs
        # up in the very instant of answering may be gone before anybody hears that she answered.
        unseen = sum(
            (call.answered_s > killed_s - 3.0 and call.ended_s < back_s) or call.ended_s - call.answered_s < 0.1
            for call in calls
        )
        assert len(calls) - unseen <= answered <= len(calls)
        states = Counter(attempt.state for attempt in attempts)
        (limit,) = view["abandonment"]
        assert limit["live"] == answered
        assert limit["abandoned"] == states["abandoned"] + states["customer_hung_up"]
        assert states["completed"] >= 4
        await _told_elsewhere(crm, attempts)
        await asyncio.to_thread(_read_in_a_terminal, stage, tmp_path, attempts)
        await _removed_while_it_runs(stage)


async def _told_elsewhere(crm, attempts):
    """Every end was told, the crash notwithstanding; what was told twice has the same name."""
    ended = {attempt.attempt_id for attempt in attempts}
    async with asyncio.timeout(40):
        while {told["attempt_id"] for told in _notices(crm) if told["event"] == "attempt_ended"} < ended:
            await asyncio.sleep(0.1)
    ids = Counter(told["id"] for told in _notices(crm))
    assert max(ids.values()) <= 2
    assert all("X-Centralita-Signature".lower() in map(str.lower, headers) for _, _, headers, _ in crm.asked)
    assert not any("+34" in body.decode() for _, _, _, body in crm.asked)


def _notices(crm):
    return [json.loads(body) for _, _, _, body in crm.asked]


def _read_in_a_terminal(stage, place, attempts):
    """As a campaign's manager does."""
    running = stage.running
    runner = CliRunner(env={"CENTRALITA_STATE": str(running.home.state), "COLUMNS": "200"})

    def run(*words):
        done = runner.invoke(app, [*words, "-p", str(running.home.project)])
        return done.exit_code, done.output

    code, shown = run("campaign", "list")
    assert (code, "spring" in shown, "running" in shown) == (0, True, True), shown
    code, shown = run("campaign", "show", "spring")
    assert code == 0, shown
    assert "lab/abandonment" in shown
    assert json.loads(run("campaign", "show", "spring", "--json")[1])["leads"]["new"] == 0
    code, shown = run("why", "lead-002")
    assert (code, "no_answer" in shown or "no answer" in shown) == (0, True), shown
    assert run("why", "nobody")[0] == 1
    file = place / "results.csv"
    assert run("campaign", "export", "spring", "-o", str(file))[0] == 0
    with file.open(newline="") as rows:
        exported = list(csv.DictReader(rows))
    assert {row["attempt_id"]: row["result"] for row in exported} == {each.attempt_id: each.state for each in attempts}
    page = place / "evidence.html"
    code, shown = run("campaign", "report", "spring", "--html", str(page))
    assert code in (0, 1), shown
    assert "lab/abandonment" in page.read_text()
    code, shown = run("campaign", "pause", "spring")
    assert (code, "paused" in shown) == (0, True), shown
    assert run("campaign", "start", "spring")[0] == 0
    assert run("campaign", "start", "nothing")[0] == 1


async def _removed_while_it_runs(stage):
    """A campaign whose file is gone dials no more; the system goes on."""
    (stage.running.home.project / "config/campaigns/spring.yaml").unlink()
    told = await stage.running.reload()
    assert told["reloaded"], told
    assert (await stage.running.ask("GET", "/dialer/snapshot"))["campaigns"] == []
    assert not (await stage.act("start"))["ok"]


async def test_a_bad_day_store_away_agents_gone_trunk_refusing(tmp_path):
    """Three campaigns one after another on one system, each with trouble of its own."""
    campaigns = {
        "locked": campaign("locked"),
        "deserted": campaign("deserted", "power", "ratio: 4, max_lines: 10", RINGS_S, "unlimited"),
        "refused": campaign("refused"),
        "declined": campaign("declined"),
    }
    persons = {
        "locked": [Person("talk", ring_s=0.5, talk_s=2.5)] * 12,
        "deserted": [Person("no_answer")] * 14,
        "refused": [Person("unavailable")] * 30,
        "declined": [Person("decline")] * 30,
    }
    async with stages(tmp_path, campaigns, persons) as stage:
        await _store_locked(stage, len(persons["locked"]))
        await _agents_gone(stage)
        await _trunk_refuses(stage, "refused")
        await _trunk_refuses(stage, "declined")
        assert all(len(stage.people.calls_to(number)) <= 1 for number in stage.people.people)


async def _store_locked(stage, leads):
    """Ten seconds without the database: what was staged is dialed, everything gets there afterwards."""
    assert await stage.act("start", "locked") == {"ok": True}
    await stage.until_people(lambda people: len(people.calls) >= 3)
    dialed = len(stage.people.calls)
    with _locked(stage.database):
        view = await stage.until(lambda view: view["store"]["away"], "locked")
        assert view["state"] == "running"
        await stage.until(lambda view: view["store"]["unsaved"] >= 3, "locked")
        await stage.until_people(lambda people: len(people.calls) > dialed)  # it goes on with the leads it has
    view = await stage.until_over("locked")
    assert not view["store"]["away"]
    assert view["today"]["connected"] + view["today"]["abandoned"] >= leads - 1
    assert view["leads"]["done"] + view["leads"]["exhausted"] == leads
    await stage.act("stop", "locked")


async def _agents_gone(stage):
    """Every agent logs out with ten lines ringing: each rings as long as it must, and is hung up."""
    before = len(stage.people.calls)
    assert await stage.act("start", "deserted") == {"ok": True}
    await stage.until(lambda view: view["lines"]["ringing"] + view["lines"]["dialing"] >= 10, "deserted")
    for name in AGENTS:
        await stage.agent(f"a{name}", "log_out")
    await stage.until(lambda view: not any(view["lines"].values()), "deserted")
    await stage.until_people(lambda people: not people.open_calls)
    calls = stage.people.calls[before:]
    assert len(calls) == 10
    assert all(call.cancelled and call.ended_s - call.began_s >= 2.0 for call in calls)
    assert all(call.ended_s - call.began_s < RINGS_S - 5.0 for call in calls), "sooner than they would have rung out"
    view = await stage.view("deserted")
    assert view["today"]["live"] == view["today"]["abandoned"] == 0
    assert await stage.act("stop", "deserted") == {"ok": True}
    for name in AGENTS:
        await stage.agent(f"a{name}", "log_in")
        await stage.agent(f"a{name}", "ready")


async def _trunk_refuses(stage, name):
    """It stops by itself long before the list is burnt, and says why."""
    assert await stage.act("start", name) == {"ok": True}
    view = await stage.until(lambda view: view["state"] == "paused", name)
    assert "look at the trunk" in view["why"]
    assert 20 <= view["today"]["dialed"] < 30
    assert await stage.act("stop", name) == {"ok": True}


@contextlib.contextmanager
def _locked(database):
    """Nobody else gets to the SQLite file."""
    path = database.partition("///")[2]
    done, taken = threading.Event(), threading.Event()

    def hold():
        connection = sqlite3.connect(path, timeout=10)
        connection.execute("BEGIN EXCLUSIVE")
        taken.set()
        done.wait()
        connection.rollback()
        connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    taken.wait(10)
    try:
        yield
    finally:
        done.set()
        thread.join()


def _ringing(people):
    return any(call.is_open and call.answered_s is None for call in people.calls)


def _answered(people):
    return any(call.is_open and call.answered_s is not None for call in people.calls)
