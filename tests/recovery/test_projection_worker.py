"""The projection's process beside a live system: SQL follows, is killed, catches up."""

import asyncio
import sqlite3

from tests.recovery.test_engine_kill import FLOW


def rows(running):
    """(id, outcome) of each interaction in SQL; none before the worker has made the tables."""
    try:
        with sqlite3.connect(f"file:{running.home.state}/centralita.db?mode=ro", uri=True, timeout=5) as db:
            return db.execute("SELECT interaction_id, outcome FROM interactions ORDER BY 1").fetchall()
    except sqlite3.OperationalError:
        return []


async def call_once(running, phone):
    call = await phone.call(f"sip:100@{running.sip}")
    await call.until("confirmed")
    await asyncio.sleep(0.3)
    await call.hangup()
    await running.until_idle()


async def eventually(what, within_s=40.0):
    until = asyncio.get_running_loop().time() + within_s
    while not what():
        assert asyncio.get_running_loop().time() < until
        await asyncio.sleep(0.1)


async def test_sql_follows_the_journal_through_its_workers_death(system, softphone):
    running = await system({"hold": FLOW}, workers=("projection",))
    await softphone.register("main-1001", running.account("main-1001"), port=running.node.sip_port)
    await call_once(running, softphone)
    await eventually(lambda: len(rows(running)) == 1)
    worker = running.supervisor.workers[0]
    killed = worker.pid
    worker.kill()
    await call_once(running, softphone)
    await eventually(lambda: worker.pid not in (killed, None))
    await eventually(lambda: [outcome for _, outcome in rows(running)] == ["caller_hung_up"] * 2)
    await running.until(lambda body: body["projection"]["lag_events"] == 0)

    # The database keeps everybody waiting: calls do not notice, and nothing of them is missing afterwards.
    with sqlite3.connect(running.home.state / "centralita.db", timeout=30, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        try:
            await call_once(running, softphone)
            await running.until(lambda body: body["projection"]["lag_events"] > 0)
            await call_once(running, softphone)
            assert len(rows(running)) == 2
        finally:
            other.execute("ROLLBACK")
    await eventually(lambda: [outcome for _, outcome in rows(running)] == ["caller_hung_up"] * 4)
    await running.until(lambda body: body["projection"]["lag_events"] == 0)
