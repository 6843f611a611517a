"""Real processes that live briefly."""

import asyncio
import itertools
import os
import signal
import sys

import pytest

from engine.children import CHILD_TABLE, Child, ChildEvent, ChildState


@pytest.fixture
def make(tmp_path):
    def child(code, **options):
        return Child("sleeper", [sys.executable, "-c", code], log_file=tmp_path / "child.out", **options)

    return child


async def eventually(what, within_s=30.0):
    until = asyncio.get_running_loop().time() + within_s
    while not what():
        assert asyncio.get_running_loop().time() < until
        await asyncio.sleep(0.02)


async def test_a_killed_child_comes_back_as_another_process(make):
    exits = []
    child = make("import time; time.sleep(60)", on_exit=exits.append)
    await child.start()
    first = child.pid
    child.kill()
    await eventually(lambda: child.pid not in (first, None) and child.state is ChildState.RUNNING)
    assert (exits, child.restarts) == ([-9], 1)
    await child.stop()
    assert child.pid is None


async def test_stopping_stops_for_good(make):
    child = make("import time; time.sleep(60)")
    await child.start()
    pid = child.pid
    await child.stop()
    await asyncio.sleep(0.3)
    assert child.state is ChildState.STOPPED
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_a_child_that_ignores_sigterm_is_killed(make, tmp_path):
    code = "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
    child = make(code, stop_s=0.3)
    await child.start()
    await eventually(lambda: "deaf" in (tmp_path / "child.out").read_text())
    await child.stop()
    assert child.pid is None
    assert child._process.returncode == -signal.SIGKILL


async def test_a_child_that_dies_at_once_is_not_restarted_in_a_storm(make):
    loop, ended_s = asyncio.get_running_loop(), []
    child = make("raise SystemExit(3)", on_exit=lambda code: ended_s.append(loop.time()))
    await child.start()
    await eventually(lambda: len(ended_s) == 4, 60.0)
    await child.stop()
    pauses_s = [after_s - before_s for before_s, after_s in itertools.pairwise(ended_s)]
    pause_s = child.FIRST_PAUSE_S
    assert [each >= pause_s * 2**n for n, each in enumerate(pauses_s)] == [True] * 3, pauses_s


@pytest.mark.parametrize(("state", "event"), list(itertools.product(ChildState, ChildEvent)))
def test_every_event_in_every_state_moves_or_is_late(state, event):
    CHILD_TABLE.advance("c", state, event)
