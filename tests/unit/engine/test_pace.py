"""A busy loop rests between its spells of work; one that has little to do answers at once. In a time of its own."""

import asyncio

import pytest

from engine import pace
from engine.pace import LONGEST_S, LOOK_S, SHORTEST_S, SPELL_TURNS, Pace

ENOUGH_TURNS = 200_000


class Times:
    """The module `time` and the event that ends a rest, of a thread whose work and waiting the test decides."""

    def __init__(self) -> None:
        self.now_s = self.worked_s = 0.0
        self.rests: list[float] = []
        self.awaited = False

    def thread_time(self) -> float:
        return self.worked_s

    def monotonic(self) -> float:
        return self.now_s

    def wait(self, seconds: float) -> None:
        if not self.awaited:
            self.rests.append(seconds)
            self.now_s += seconds

    def set(self) -> None:
        self.awaited = True

    def clear(self) -> None:
        self.awaited = False

    def work(self, seconds: float) -> None:
        self.now_s += seconds
        self.worked_s += seconds


@pytest.fixture
def times(monkeypatch):
    replaced = Times()
    monkeypatch.setattr(pace, "time", replaced)
    monkeypatch.setattr(pace, "Event", lambda: replaced)
    return replaced


async def until_it_rests(times, rests):
    """Every turn of the loop is 4 ms of work."""
    for _ in range(ENOUGH_TURNS):
        if len(times.rests) >= rests:
            return
        times.work(0.004)
        await asyncio.sleep(0)
    raise AssertionError(f"it rested {len(times.rests)} times")


async def idle_looks(times, looks):
    """So often it looks at a loop that did next to nothing."""
    for _ in range(looks):
        times.now_s += LOOK_S
        times.worked_s += 0.0001
        await asyncio.sleep(1.5 * LOOK_S)


async def test_an_idle_loop_is_left_alone(times):
    started = Pace()
    await idle_looks(times, 4)
    started.close()
    assert times.rests == []


async def test_a_busy_one_rests_and_stops_resting_when_there_is_little_to_do(times):
    started = Pace()
    await until_it_rests(times, 3)
    assert all(SHORTEST_S <= rest <= LONGEST_S for rest in times.rests)
    await idle_looks(times, 3)
    times.rests.clear()
    await idle_looks(times, 3)
    started.close()
    assert times.rests == []


async def test_it_ends_when_it_is_closed(times):
    started = Pace()
    await until_it_rests(times, 1)
    started.close()
    times.rests.clear()
    for _ in range(1000):
        times.work(0.004)
        await asyncio.sleep(0)
    assert times.rests == []


async def test_what_comes_while_it_rests_is_not_lost(times):
    started = Pace()
    loop, told = asyncio.get_running_loop(), []
    working = asyncio.create_task(until_it_rests(times, 20))
    for number in range(50):
        await asyncio.to_thread(loop.call_soon_threadsafe, told.append, number)
    await working
    started.close()
    assert told == list(range(50))


async def test_time_spent_waiting_for_a_processor_counts_as_rest(times):
    started = Pace()
    for _ in range(20_000):
        times.work(0.004)
        times.now_s += LONGEST_S  # the thread is not on a processor
        await asyncio.sleep(0)
    started.close()
    assert times.rests == []


async def test_what_somebody_waits_for_spares_it_one_rest(times):
    started = Pace()
    await until_it_rests(times, 1)
    now_s = times.now_s
    started.wake()
    await until_it_rests(times, 2)
    started.close()
    rested_s = times.rests[1]
    assert times.now_s - now_s - rested_s > 0.004 * (SPELL_TURNS + 1)  # a whole spell more of work
