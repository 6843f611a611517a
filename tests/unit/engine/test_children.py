"""Real processes that live briefly."""

import asyncio
import itertools
import os
import sys

import pytest

from engine.children import CHILD_TABLE, Child, ChildEvent, ChildState


@pytest.fixture
def make(tmp_path):
    def child(code, **options):
        return Child("sleeper", [sys.executable, "-c", code], log_file=tmp_path / "child.out", **options)

    return child


async def eventually(what, within_s=20.0):
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
    await eventually(lambda: child.pid not in (first, None))
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


async def test_a_child_that_ignores_sigterm_is_killed(make):
    child = make("import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(60)", stop_s=0.3)
    await child.start()
    await asyncio.sleep(0.3)
    await child.stop()
    assert child.pid is None


async def test_a_child_that_dies_at_once_is_not_restarted_in_a_storm(make):
    child = make("raise SystemExit(3)")
    await child.start()
    await asyncio.sleep(1.2)
    assert 1 <= child.restarts <= 5
    await child.stop()


@pytest.mark.parametrize(("state", "event"), list(itertools.product(ChildState, ChildEvent)))
def test_every_event_in_every_state_moves_or_is_late(state, event):
    CHILD_TABLE.advance("c", state, event)
