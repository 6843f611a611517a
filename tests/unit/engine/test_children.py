"""Real processes that live briefly."""

import asyncio
import itertools
import json
import os
import shutil
import signal
import sys
from multiprocessing.util import get_temp_dir
from pathlib import Path

import pytest

from engine.children import CHILD_TABLE, Child, ChildEvent, ChildState

PROJECT = Path(__file__).resolve().parents[3]


@pytest.fixture
def make(tmp_path):
    def child(does, **options):
        return Child("sleeper", "tests.sleeper", env={"DOES": does}, log_file=tmp_path / "child.out", **options)

    return child


async def eventually(what, within_s=30.0):
    until = asyncio.get_running_loop().time() + within_s
    while not what():
        assert asyncio.get_running_loop().time() < until
        await asyncio.sleep(0.02)


def parent_of(pid):
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


async def test_a_killed_child_comes_back_as_another_process(make):
    exits = []
    child = make("sleep", on_exit=exits.append)
    await child.start()
    first = child.pid
    child.kill()
    await eventually(lambda: child.pid not in (first, None) and child.state is ChildState.RUNNING)
    assert (exits, child.restarts) == ([-9], 1)
    await child.stop()
    assert child.pid is None


async def test_stopping_stops_for_good(make):
    child = make("sleep")
    await child.start()
    pid = child.pid
    await child.stop()
    await asyncio.sleep(0.3)
    assert child.state is ChildState.STOPPED
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_a_child_that_ignores_sigterm_is_killed(make, tmp_path):
    child = make("ignore", stop_s=0.3)
    await child.start()
    said = tmp_path / "child.out"
    await eventually(lambda: said.exists() and "deaf" in said.read_text())
    await child.stop()
    assert child.pid is None
    assert child._process.returncode == -signal.SIGKILL


async def test_a_child_that_dies_at_once_is_not_restarted_in_a_storm(make):
    loop, ended_s = asyncio.get_running_loop(), []
    child = make("fail", on_exit=lambda code: ended_s.append(loop.time()))
    await child.start()
    await eventually(lambda: len(ended_s) == 4, 60.0)
    await child.stop()
    pauses_s = [after_s - before_s for before_s, after_s in itertools.pairwise(ended_s)]
    pause_s = child.FIRST_PAUSE_S
    assert [each >= pause_s * 2**n for n, each in enumerate(pauses_s)] == [True] * 3, pauses_s


async def test_it_has_its_own_session_environment_and_name(make, tmp_path, monkeypatch):
    child = make("tell")
    monkeypatch.setenv("DOES", "sleep")
    await child.start()
    told = tmp_path / "child.out"
    await eventually(lambda: told.exists() and told.read_text().endswith("}\n"))
    assert json.loads(told.read_text()) == {"pid": child.pid, "session": child.pid, "does": "tell", "stdin": ""}
    assert Path(f"/proc/{child.pid}/cmdline").read_bytes().rstrip(b"\0") == b"centralita sleeper"
    names = [Path(f"/proc/{pid}/comm").read_text().strip() for pid in (child.pid, parent_of(child.pid))]
    assert names == ["sleeper", "fork server"], "whoever ends all that is called centralita ends the supervisor alone"
    await child.stop()


async def test_children_end_with_their_fork_server_and_come_back_from_another(make):
    children = [make("sleep"), make("sleep")]
    for child in children:
        await child.start()
    before = [child.pid for child in children]
    server = parent_of(before[0])
    assert server != os.getpid()
    os.kill(server, signal.SIGTERM)  # as a service manager tells every process: it is for the supervisor to say
    await asyncio.sleep(0.3)
    assert [child.pid for child in children] == before
    os.kill(server, signal.SIGKILL)
    await eventually(lambda: all(child.pid not in (pid, None) for child, pid in zip(children, before, strict=True)))
    # Nobody of ours reaps them: that is for process 1, in its own time.
    await eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in before))
    for child in children:
        await child.stop()


@pytest.mark.parametrize("gone", ["its socket", "all of it"])
async def test_children_come_back_though_somebody_tidied_up(make, gone):
    child = make("sleep")
    await child.start()
    first, place = child.pid, Path(get_temp_dir())
    for listener in place.glob("listener-*"):
        listener.unlink()
    if gone == "all of it":
        shutil.rmtree(place)
    child.kill()
    await eventually(lambda: child.pid not in (first, None) and child.state is ChildState.RUNNING)
    await child.stop()


async def test_whoever_started_them_takes_them_along(tmp_path):
    """Whatever becomes of it."""
    program = """
import asyncio, pathlib, sys, time
from engine.children import Child
child = Child("sleeper", "tests.sleeper", env={"DOES": "sleep"}, log_file=pathlib.Path(sys.argv[1]))
asyncio.run(child.start())
print(child.pid, flush=True)
time.sleep(60)
"""
    starter = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, tmp_path / "child.out", stdout=asyncio.subprocess.PIPE, cwd=PROJECT
    )
    pid = int(await starter.stdout.readline())
    os.kill(pid, 0)
    starter.kill()
    await starter.wait()
    await eventually(lambda: not Path(f"/proc/{pid}").exists())


@pytest.mark.parametrize("then", ["asyncio.run(child.start())", ""])
async def test_a_server_that_was_warmed_up_is_the_childrens_and_ends_with_who_did_it(tmp_path, then):
    program = f"""
import asyncio, pathlib, sys, time
from multiprocessing import forkserver
from engine import fork_server
fork_server.warm_up()
from engine.children import Child
child = Child("sleeper", "tests.sleeper", env={{"DOES": "sleep"}}, log_file=pathlib.Path(sys.argv[1]))
before = forkserver._forkserver._forkserver_pid
{then}
print(before, forkserver._forkserver._forkserver_pid, flush=True)
time.sleep(60)
"""
    starter = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, tmp_path / "child.out", stdout=asyncio.subprocess.PIPE, cwd=PROJECT
    )
    first, second = map(int, (await starter.stdout.readline()).split())
    assert first == second
    starter.kill()
    await starter.wait()
    await eventually(lambda: not Path(f"/proc/{first}").exists())


@pytest.mark.parametrize(("state", "event"), list(itertools.product(ChildState, ChildEvent)))
def test_every_event_in_every_state_moves_or_is_late(state, event):
    CHILD_TABLE.advance("c", state, event)
