"""kill -9 the engine with callers in flows: who drops, who is asked again, and how long nobody commands them.

    python -m bench.recovery            10, 50 and 100 callers, with and without the warm second engine
    python -m bench.recovery --quick    50 callers, as shipped

Each caller types a code, waits in a menu while the engine is killed, presses 1 afterwards and is hung up on by
the flow. `adopted` is from the kill to the moment the last call is commanded again; callers who arrive meanwhile
hear music. Peers have no such row: `app_queue` and FreeSWITCH's `mod_callcenter` lose waiting callers with their
process.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.needs import need_sipp
from core.decisions import NodeEntered
from core.events import LegAdopted
from engine.config.loader import load
from engine.config.sources import read_sources
from engine.home import Home, SecretBox
from engine.node_settings import node_settings
from engine.supervisor import Plan, Supervisor
from telephony.node.install import install
from tests.recovery.test_engine_kill import FLOW
from tests.sipp import Callers
from tests.system_fixture import System, write_project

WAIT_S = 14.0


async def round_of(calls: int, standby: bool) -> dict[str, object]:
    with tempfile.TemporaryDirectory(prefix="centralita-bench-") as place:
        folder = Path(place)
        write_project(folder / "project", {"hold": FLOW}, {}, "", folder / "ports")
        home = Home.find(folder / "project", folder / "var")
        home.prepare()
        configuration = load(read_sources(home.project)).configuration
        assert configuration is not None
        node = node_settings(home, configuration, SecretBox(home.state / "secrets.json"))
        supervisor = Supervisor(Plan(home, node, await asyncio.to_thread(install), 60.0, ()))
        await supervisor.start()
        running = System(home, node, supervisor)
        callers = Callers(folder, running.sip, [f"{1000 + n}" for n in range(calls)], wait_s=WAIT_S)
        try:
            if not standby:
                await next(engine for engine in supervisor.engines if engine is not supervisor.engine).stop()
            else:
                await asyncio.sleep(6)
            await callers.start(rate=25)
            await running.until(lambda b: sum(row["node"] == "wait" for row in b["interactions"]) == calls, 30)
            await running.until(lambda b: b["journal"]["durable_seq"] == b["journal"]["last_seq"])
            killed_s = time.time()
            running.kill_engine()
            await running.until(lambda b: b["ready"] and len(b["interactions"]) == calls, 20)
            served = await callers.served()
            await running.until_idle()
            adopted, again = [], 0
            for interaction_id in running.interactions():
                records = running.journal(interaction_id)
                adopted += [record.at_s for record in records if isinstance(record.event, LegAdopted)]
                visits = [d.node for record in records for d in record.decisions if isinstance(d, NodeEntered)]
                again += visits != ["code", "wait", "done", "bye"]
        finally:
            await callers.stop()
            await supervisor.stop()
    return {
        "callers": calls,
        "second_engine": standby,
        "dropped": served.failed,
        "asked_again": again,
        "adopted_s": round(max(adopted) - killed_s, 2),
    }


async def main(quick: bool, as_json: bool) -> None:
    rounds = [(50, True)] if quick else [(10, True), (50, True), (100, True), (50, False)]
    results = [await round_of(*each) for each in rounds]
    if as_json:
        print(json.dumps(results))
        return
    table = Table(title="kill -9 with callers in flows")
    for column in ("callers", "second engine", "dropped", "asked a finished question again", "adopted after"):
        table.add_column(column, justify="right")
    for r in results:
        warm = "warm" if r["second_engine"] else "none"
        table.add_row(str(r["callers"]), warm, str(r["dropped"]), str(r["asked_again"]), f"{r['adopted_s']} s")
    Console().print(table)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    need_sipp()
    asyncio.run(main(arguments.quick, arguments.json))
