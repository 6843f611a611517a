"""Surveys in virtual time: who is adopted, who is taken in, whose end nobody said."""

import asyncio

import pytest

from core.errors import CommandRefused
from core.events import CommandOutcomeUnknown, CommandRejected, LegAdopted, LegArrived, LegEnded
from core.leg import EndReason, LegRole
from core.leg_commands import OriginateLeg
from engine.recovery import GRACE_S, report_unfinished
from store.entry import StartedCommand
from tests.unit.engine.runtime_house import around, open_house
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


def heard(party, item):
    """How often, the present playback included."""
    playing = [what for playback in party._queue for what in playback.media]
    return [one.item for one in party.heard].count(item) + playing.count(item)


def test_after_a_gap_everybody_is_asked_once_more_and_only_once(scenario):
    async def body(house):
        ana = await house.calls()
        await asyncio.sleep(0.5)
        eva = await house.calls()
        house.node.cut()
        house.node.lose(eva.leg_id)
        house.node.mend()
        await asyncio.sleep(2 * GRACE_S + 1)
        assert [event.leg_id for event in house.book.events(LegAdopted)] == [ana.leg_id]
        assert house.book.outcomes() == ["lost"]

    scenario(body)


def test_a_caller_found_when_there_is_no_room_goes_to_overflow_and_not_into_silence(scenario):
    async def body(house):
        ana = await house.calls()
        house.node.cut()
        eva = house.node.arrive("100")
        house.node.mend()
        await asyncio.sleep(GRACE_S + 1)
        assert eva.ended is EndReason.CONGESTION
        assert [arrived.leg_id for arrived in house.node.turned_away] == [eva.leg_id]
        assert ana.ended is None

    scenario(body, max_interactions=1)


def test_a_leg_whose_end_was_never_said_is_found_out_without_disturbing_anybody(scenario):
    async def body(house):
        ana, eva = await house.calls(), await house.calls()
        await asyncio.sleep(GRACE_S)
        house.node.lose(eva.leg_id)
        house.reconciler.audit()
        await asyncio.sleep(1)
        assert house.at(eva) is not None, "her end may be on its way"
        await asyncio.sleep(GRACE_S + 1)
        assert house.at(eva) is None
        assert house.book.outcomes() == ["lost"]
        assert house.book.events(LegAdopted) == []
        assert ana.ended is None

    scenario(body)


def test_a_caller_whose_arrival_was_never_said_is_taken_in(scenario):
    async def body(house):
        house.node.connected = False
        ana = house.node.arrive("100")
        house.node.connected = True
        house.reconciler.audit()
        await asyncio.sleep(2 * GRACE_S + 1)
        assert [event.leg_id for event in house.book.events(LegArrived)] == [ana.leg_id]
        assert heard(ana, "/welcome")

    scenario(body)


def test_a_leg_dialed_for_nobody_is_hung_up(scenario):
    async def body(house):
        stray = OriginateLeg("i-gone.x1", "i-gone", "fake", LegRole.EXTERNAL, "device:main-1002", "", 60, 600)
        await house.node.originate(stray)
        (party,) = house.node.dialed
        await asyncio.sleep(GRACE_S + 1)
        house.reconciler.audit()
        await asyncio.sleep(2 * GRACE_S + 1)
        assert party.ended is EndReason.FAILED

    scenario(body)


def test_a_survey_that_fails_is_made_again_and_the_gap_is_not_forgotten(scenario):
    async def body(house):
        ana = await house.calls()
        house.node.failures.fail("survey", CommandRefused("no"))
        house.node.cut()
        house.node.mend()
        await asyncio.sleep(2 * GRACE_S + 1)
        assert [event.leg_id for event in house.book.events(LegAdopted)] == [ana.leg_id]

    scenario(body)


def test_a_bug_in_one_pass_does_not_end_reconciling(scenario, monkeypatch):
    async def body(house):
        ana = await house.calls()
        real, tries = house.node.survey, []

        async def survey():
            tries.append(1)
            if len(tries) == 1:
                raise ZeroDivisionError("oops")
            return await real()

        house.node.survey = survey
        house.node.cut()
        house.node.mend()
        await asyncio.sleep(2 * GRACE_S + 1)
        assert [event.leg_id for event in house.book.events(LegAdopted)] == [ana.leg_id]

    scenario(body)


def test_a_gap_during_a_survey_is_another_gap(scenario):
    async def body(house):
        ana = await house.calls()
        house.node.failures.hang("survey")
        house.node.cut()
        house.node.mend()
        await asyncio.sleep(0.1)
        house.node.cut()
        house.node.mend()
        house.node.failures.release()
        await asyncio.sleep(1)
        assert [event.leg_id for event in house.book.events(LegAdopted)] == [ana.leg_id] * 2

    scenario(body)


def test_what_was_under_way_when_the_engine_died_is_told_once(scenario):
    async def body(house):
        ana = await house.calls()
        ana.press("2")
        await house.until(lambda: house.bank.asked)
        (asked,) = house.bank.asked
        pay = StartedCommand("7.0", asked.interaction_id, "SendHttp", asked.request_id, 1.0, None, None)
        dial = StartedCommand("8.0", asked.interaction_id, "OriginateLeg", "x", 1.0, None, None)
        report_unfinished(house.runtime, house.book, [pay, dial])
        await asyncio.sleep(0.1)
        assert [event.command_id for event in house.book.events(CommandOutcomeUnknown)] == ["7.0"]
        assert set(house.book.done) >= {"7.0", "8.0"}, "the next start does not find them again"

    scenario(body)


def test_no_end_is_told_twice(scenario):
    async def body(house):
        ana = await house.calls()
        await asyncio.sleep(GRACE_S)
        ana.hang_up()
        house.reconciler.audit()
        await asyncio.sleep(2 * GRACE_S + 1)
        assert [event.reason for event in house.book.events(LegEnded)] == [EndReason.HUNG_UP]

    scenario(body)


def test_what_was_to_be_said_while_the_node_was_away_is_said_when_it_is_back(scenario):
    async def body(house):
        ana = await house.calls()
        await asyncio.sleep(3)
        house.node.cut()
        await asyncio.sleep(4)
        assert house.book.events(CommandRejected) == [], "her silence was answered, and the answer waits"
        house.node.mend()
        await asyncio.sleep(3)
        assert ana.ended is None
        assert [one.item for one in ana.heard].count("/welcome") == 2
        assert house.at(ana) == "main"

    scenario(body)


def test_a_node_that_stays_away_is_not_waited_for_for_ever(scenario):
    async def body(house):
        ana = await house.calls()
        await asyncio.sleep(3)
        house.node.cut()
        await asyncio.sleep(30)
        assert house.book.events(CommandRejected)
        house.node.mend()
        await asyncio.sleep(1)
        assert ana.ended, "her flow had come to its end meanwhile"

    scenario(body)
