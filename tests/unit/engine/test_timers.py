import asyncio

from core.clock import VirtualClock
from engine.timers import Timers
from tests.virtual_time import LoopClock, run


class Fired:
    def __init__(self, clock):
        self.timers = Timers(clock, self._fire)
        self.all = []

    def _fire(self, interaction_id, timer_id, token):
        self.all.append((interaction_id, timer_id, token))

    def current(self):
        return [(i, t) for i, t, token in self.all if self.timers.take(i, t, token)]


def test_timers_fire_in_the_order_they_are_due():
    async def main():
        clock = LoopClock()
        fired = Fired(clock)
        for name, after_s in (("late", 0.06), ("early", 0.02), ("past", -5.0)):
            fired.timers.start("i", name, clock.now_s() + after_s)
        await asyncio.sleep(0.1)
        assert [t for _, t in fired.current()] == ["past", "early", "late"]
        assert len(fired.timers) == 0

    run(main())


def test_a_timer_re_armed_while_its_firing_waited_in_the_inbox_is_dropped_there():
    async def main():
        clock = LoopClock()
        fired = Fired(clock)
        fired.timers.start("i", "no_input", clock.now_s())
        await asyncio.sleep(0.02)
        fired.timers.start("i", "no_input", clock.now_s() + 60)
        assert fired.current() == []
        assert len(fired.timers) == 1
        fired.timers.close()

    run(main())


def test_a_cancelled_timer_never_fires():
    async def main():
        clock = LoopClock()
        fired = Fired(clock)
        fired.timers.start("i", "a", clock.now_s() + 0.01)
        fired.timers.start("i", "b", clock.now_s() + 0.01)
        fired.timers.start("other", "a", clock.now_s() + 0.01)
        fired.timers.cancel("i", "a")
        fired.timers.cancel("i", "never-armed")
        await asyncio.sleep(0.04)
        assert sorted(fired.current()) == [("i", "b"), ("other", "a")]

    run(main())


def test_when_an_interaction_ends_all_its_timers_go():
    async def main():
        fired = Fired(VirtualClock())
        for name in "abc":
            fired.timers.start("i", name, 1e12)
        fired.timers.start("j", "a", 1e12)
        fired.timers.cancel_all("i")
        assert len(fired.timers) == 1
        fired.timers.close()

    run(main())
