"""What waits for the disk: called off, given up, or in force only when it is there."""

import asyncio

import pytest

from core.commands import SetToggle
from core.events import CommandRejected, LegEnded, ToggleSet
from engine.lanes import Ordered
from store.errors import JournalUnavailable
from tests.unit.engine.runtime_house import NOTHING, around, open_house
from tests.virtual_time import run

__all__ = ["around"]


@pytest.fixture
def scenario(around):
    """Runs a coroutine function of a house in virtual time."""

    def play(body, **options):
        async def main():
            async with open_house(around, **options) as house:
                await body(house)

        run(main())

    return play


def test_nobody_is_dialed_for_a_caller_who_left_while_the_disk_was_slow(scenario):
    async def body(house):
        ana = await house.calls()
        house.book.disk.clear()
        ana.press("1")
        await asyncio.sleep(1)
        ana.hang_up()
        await asyncio.sleep(0.1)
        assert house.at(ana) is None, "nothing is left to wait for"
        house.book.disk.set()
        await asyncio.sleep(1)
        assert house.node.dialed == []
        assert len(house.book.events(LegEnded)) == 2
        assert house.left_behind() == NOTHING

    scenario(body)


def test_a_dialing_that_was_marked_and_called_off_is_marked_as_never_done(scenario):
    async def body(house):
        gate, ana = asyncio.Event(), await house.calls()

        async def command_started(*_):
            await gate.wait()

        house.book.command_started = command_started
        ana.press("1")
        await asyncio.sleep(0.1)
        ana.hang_up()
        await asyncio.sleep(0.1)
        gate.set()
        await asyncio.sleep(1)
        assert house.node.dialed == []
        assert list(house.book.done.values()) == ["never carried out"]

    scenario(body)


def test_an_event_that_found_no_room_refuses_what_waited_for_it(scenario):
    async def body(house):
        async def durable(seq):
            raise JournalUnavailable("no room")

        ana, eva = await house.calls(), await house.calls()
        house.book.durable = durable
        ana.press("1")
        eva.press("2")
        await asyncio.sleep(1)
        assert sorted(event.what for event in house.book.events(CommandRejected)) == ["OriginateLeg", "SendHttp"]
        assert (house.node.dialed, house.bank.asked) == ([], [])
        assert house.at(ana) == "main"

    scenario(body)


def order(house, name, value):
    house.runtime.dispatch(Ordered("1.0", "i-1", SetToggle("i-1", "main", name, value)), 1)


def test_a_toggle_is_in_force_when_it_is_on_disk_and_not_before(scenario):
    async def body(house):
        kept, told = [], []
        house.book.write_state = lambda name, event, at_s, rows: kept.append((event, rows)) or 1
        house.runtime._dispatch._durably._report = told.append
        house.book.disk.clear()
        order(house, "closed", True)
        order(house, "holiday", True)
        await asyncio.sleep(1)
        assert house.runtime.surroundings.toggles == {}
        assert kept[-1][1] == [("main", "closed", True), ("main", "holiday", True)], "neither forgets the other"
        house.book.disk.set()
        await asyncio.sleep(1)
        assert house.runtime.surroundings.toggles == {("main", "closed"): True, ("main", "holiday"): True}
        assert [type(event) for event in told] == [ToggleSet, ToggleSet]

    scenario(body)


def test_a_toggle_that_found_no_room_is_refused_and_forgotten(scenario):
    async def body(house):
        async def durable(seq):
            raise JournalUnavailable("no room")

        kept, told = [], []
        house.book.write_state = lambda name, event, at_s, rows: kept.append(rows) or 1
        house.runtime._dispatch._durably._report = told.append
        house.book.durable, really = durable, house.book.durable
        order(house, "closed", True)
        await asyncio.sleep(0.1)
        assert [(event.what, event.why) for event in told] == [("SetToggle", "no room")]
        house.book.durable = really
        order(house, "holiday", True)
        assert kept[-1] == [("main", "holiday", True)]
        await asyncio.sleep(0.1)

    scenario(body)


def test_a_command_that_cannot_be_sent_on_its_way_stops_none_after_it(scenario, monkeypatch):
    async def body(house):
        ana = await house.calls()
        real = house.runtime.timers.start

        def broken(*_):
            monkeypatch.setattr(house.runtime.timers, "start", real)
            raise ZeroDivisionError("oops")

        monkeypatch.setattr(house.runtime.timers, "start", broken)
        ana.press("7")
        await asyncio.sleep(0.5)
        assert [event.what for event in house.book.events(CommandRejected)] == ["StartTimer"]
        assert house.at(ana), "she did not notice"

    scenario(body)
