"""A busy loop rests between its spells of work; one that has little to do answers at once."""

import asyncio
import time

import pytest

from engine import pace
from engine.pace import LONGEST_S, LOOK_S, SHORTEST_S, Pace


@pytest.fixture
def rests(monkeypatch):
    """How long it slept each time."""
    slept, sleep = [], time.sleep

    def remember(seconds):
        slept.append(seconds)
        sleep(seconds)

    monkeypatch.setattr(pace.time, "sleep", remember)
    return slept


async def work(for_s: float) -> None:
    """Uses about half of the loop's time."""
    until_s = time.monotonic() + for_s
    while time.monotonic() < until_s:
        began_s = time.thread_time()
        while time.thread_time() - began_s < 0.004:
            pass
        await asyncio.sleep(0.004)


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
    assert all(SHORTEST_S <= rest <= LONGEST_S for rest in rests)
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
