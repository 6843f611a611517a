"""A busy loop rests between its spells of work; one that has little to do answers at once."""

import asyncio
import threading
import time

import pytest

from engine import pace
from engine.pace import LONGEST_S, LOOK_S, SHORTEST_S, Pace


class Times:
    """The module `time`, of a thread that always has a processor to itself unless `waits`."""

    def __init__(self) -> None:
        self.rests: list[float] = []
        self.waits = False

    thread_time = staticmethod(time.thread_time)

    def monotonic(self) -> float:
        return time.monotonic() if self.waits else time.thread_time()

    def sleep(self, seconds: float) -> None:
        self.rests.append(seconds)
        time.sleep(seconds)


@pytest.fixture
def times(monkeypatch):
    replaced = Times()
    monkeypatch.setattr(pace, "time", replaced)
    return replaced


@pytest.fixture
def rests(times):
    """How long it slept each time."""
    return times.rests


async def work(for_s: float) -> None:
    """Uses all the loop's time."""
    until_s = time.monotonic() + for_s
    while time.monotonic() < until_s:
        began_s = time.thread_time()
        while time.thread_time() - began_s < 0.004:
            pass
        await asyncio.sleep(0)


async def test_an_idle_loop_is_left_alone(rests):
    started = Pace()
    for _ in range(20):
        await asyncio.sleep(LOOK_S / 5)
    started.close()
    assert rests == []


async def test_a_busy_one_rests_and_stops_resting_when_there_is_little_to_do(rests):
    started = Pace()
    await work(6 * LOOK_S)
    assert len(rests) >= 3
    assert all(SHORTEST_S / 2 <= rest <= 1.1 * LONGEST_S for rest in rests)
    await asyncio.sleep(3 * LOOK_S)
    rests.clear()
    await asyncio.sleep(3 * LOOK_S)
    started.close()
    assert rests == []


async def test_it_ends_when_it_is_closed(rests):
    started = Pace()
    await work(3 * LOOK_S)
    started.close()
    rests.clear()
    await work(3 * LOOK_S)
    assert rests == []


async def test_what_comes_while_it_rests_is_not_lost(rests):
    started = Pace()
    loop, told = asyncio.get_running_loop(), []
    working = asyncio.create_task(work(4 * LOOK_S))
    for number in range(50):
        await asyncio.to_thread(loop.call_soon_threadsafe, told.append, number)
    await working
    started.close()
    assert told == list(range(50))


async def test_time_spent_waiting_for_a_processor_counts_as_rest(times, rests):
    times.waits = True
    started = Pace()
    working = asyncio.create_task(work(6 * LOOK_S))
    while not working.done():
        await asyncio.sleep(0)
        threading.Event().wait(LONGEST_S)  # the thread is not on a processor
    started.close()
    assert rests == []
