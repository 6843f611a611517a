"""`centralita up` as a person runs it: one instance, Ctrl-C drains, nothing is left behind."""

import asyncio
import contextlib
import json
import os
import re
import signal
import subprocess
import sys

import pytest

from telephony.softphone.errors import CallEnded
from tests.recovery.test_engine_kill import FLOW
from tests.system_fixture import write_project

UP = [sys.executable, "-c", "from engine.cli import main; main()"]


@pytest.fixture
async def up(tmp_path):
    project = tmp_path / "project"
    write_project(project, {"hold": FLOW}, {}, "drain_s: 120", tmp_path / "ports")
    env = {**os.environ, "CENTRALITA_HOME": str(project), "CENTRALITA_STATE": str(tmp_path / "var"), "COLUMNS": "100"}
    process = await asyncio.create_subprocess_exec(*UP, "up", env=env, stdout=asyncio.subprocess.PIPE)
    said = b""
    while b"Ctrl-C" not in said:
        said += await asyncio.wait_for(process.stdout.readline(), 120)
    yield process, env, said.decode(), tmp_path
    if process.returncode is None:
        process.kill()
        await process.wait()


def left_behind(tmp_path):
    """Command lines of processes that mention this test's directory."""
    shown = subprocess.run(["ps", "axww", "-o", "pid=,args="], capture_output=True, text=True).stdout
    return [line for line in shown.splitlines() if str(tmp_path / "var") in line]


async def test_ctrl_c_lets_the_call_in_progress_end_and_leaves_nothing(up, softphone):
    process, env, said, tmp_path = up
    account = re.search(r"user (\S+)\s+password (\S+)", said)
    port = int(re.search(r"127\.0\.0\.1:(\d+)", said)[1])
    await softphone.register(account[1], account[2], port=port)
    call = await softphone.call(f"sip:100@127.0.0.1:{port}")
    await call.until("confirmed")

    again = await asyncio.create_subprocess_exec(*UP, "up", env=env, stderr=asyncio.subprocess.PIPE)
    _, why = await again.communicate()
    assert again.returncode == 4
    assert b"already runs" in why

    status = await asyncio.create_subprocess_exec(*UP, "status", "--json", env=env, stdout=asyncio.subprocess.PIPE)
    body = json.loads((await status.communicate())[0])
    assert [row["node"] for row in body["interactions"]] == ["code"]

    process.send_signal(signal.SIGINT)
    await asyncio.sleep(1)
    assert call.state == "confirmed", "a stop does not cut the call in progress"
    late = await softphone.call(f"sip:100@127.0.0.1:{port}")
    with contextlib.suppress(CallEnded):
        await late.until("disconnected", timeout_s=60)
    assert call.state == "confirmed"
    await call.hangup()
    assert await asyncio.wait_for(process.wait(), 60) == 0
    async with asyncio.timeout(20):
        while left_behind(tmp_path):
            await asyncio.sleep(0.1)
    assert not (tmp_path / "var/engine.sock").exists()
