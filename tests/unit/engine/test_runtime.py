"""The runtime over the fake node in virtual time: order, timers, durability, poison, the door, overflow."""

import asyncio

import pytest

from core.errors import NodeUnavailable
from core.events import CommandRejected, DigitPressed, LegArrived, LegEnded, LegUp, TimerFired
from core.interaction import InteractionState
from core.leg import EndReason, LegState
from core.leg_commands import OriginateLeg
from engine import runtime as runtime_module
from ivr import interpreter
from tests.unit.engine.runtime_house import (
    LUIS,
    NOTHING,
    around,
    in_virtual_time,
    open_house,
)
from tests.virtual_time import run

__all__ = ["around"]


@in_virtual_time
async def test_what_is_told_first_is_handled_first_and_every_event_is_written_once(house):
    ana, eva = await house.calls(), await house.calls()
    before = len(house.book.written)
    for digit in "3123":
        ana.press(digit)
        eva.press(digit)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    told = [(w.event.leg_id, w.event.digit) for w in house.book.written[before:] if isinstance(w.event, DigitPressed)]
    assert told == [(leg, digit) for digit in "3123" for leg in (ana.leg_id, eva.leg_id)]
    assert house.at(ana) == house.at(eva) == "code"


@in_virtual_time
async def test_silence_is_counted_from_the_end_of_the_prompt_and_asked_twice(house):
    ana = await house.calls()
    await house.until(lambda: ana.ended)
    assert [heard.item for heard in ana.heard] == ["/welcome", "/silent", "/welcome", "/bye"]
    assert ana.heard[1].at_s - ana.heard[0].at_s == pytest.approx(6.0, abs=0.1)
    assert house.book.outcomes() == ["completed"]


@in_virtual_time
async def test_a_timer_that_was_armed_again_or_cancelled_while_it_waited_in_the_inbox_is_dropped(house):
    ana = await house.calls()
    ana.press("3")
    await asyncio.sleep(2)
    ana.press("1")
    await asyncio.sleep(2.9)
    # At the very moment the clock for the next digit runs out, a digit is already waiting in the inbox before it.
    ana.press("2")
    timers, interaction = house.runtime.timers, f"i-{ana.leg_id}"
    (timer_id,) = timers._by_interaction[interaction]
    house.runtime._timer_due(interaction, timer_id, timers._tokens[interaction, timer_id])
    await asyncio.sleep(1)
    assert house.book.events(TimerFired) == []
    assert house.at(ana) == "code"
    ana.hang_up()
    await asyncio.sleep(10)
    assert house.book.events(TimerFired) == [], "nobody is there any more"


@in_virtual_time
async def test_nobody_is_dialed_and_nothing_paid_before_it_is_on_disk(house):
    ana, eva = await house.calls(), await house.calls()
    house.book.disk.clear()
    ana.press("1")
    eva.press("2")
    await asyncio.sleep(2)
    assert house.node.dialed == []
    assert house.bank.asked == []
    house.book.disk.set()
    await house.until(lambda: house.node.dialed and house.bank.asked)
    assert sorted(what for what, _ in house.book.started) == ["OriginateLeg", "SendHttp"]
    await house.until(lambda: any(heard.item == "/paid" for heard in eva.heard))
    assert sorted(house.book.done.values()) == ["200", "done"]
    house.node.dialed[0].answer()
    await house.until(lambda: house.node.bridges)
    assert list(house.node.bridges.values()) == [[ana.leg_id, house.node.dialed[0].leg_id]]


@in_virtual_time
async def test_a_disk_that_does_not_answer_sends_callers_on_and_nothing_is_done_later(house):
    ana, eva = await house.calls(), await house.calls()
    house.book.disk.clear()
    ana.press("1")
    eva.press("2")
    await asyncio.sleep(8)
    assert house.at(ana) == "main", "the transfer failed, and she was asked again"
    assert house.at(eva) != "pay"
    house.book.disk.set()
    await asyncio.sleep(5)
    assert house.node.dialed == []
    assert house.bank.asked == []
    assert house.book.started == []


def heard(party, sound):
    return any(heard.item == f"/{sound}" for heard in party.heard)


@in_virtual_time
async def test_tickets_and_callbacks_are_on_disk_before_the_caller_goes_on(house):
    ana, eva = await house.calls(), await house.calls()
    eva.press("7")
    await house.until(lambda: heard(eva, "this_one"))
    house.book.disk.clear()
    ana.press("5")
    eva.press("1")
    await asyncio.sleep(2)
    assert (house.at(ana), house.at(eva)) == ("ticket", "ring_back")
    house.book.disk.set()
    await house.until(lambda: heard(ana, "paid") and heard(eva, "paid"))
    assert [what for what, _ in house.book.started] == ["OpenTicket"]
    assert list(house.book.done.values()) == ["answered"]


@in_virtual_time
async def test_no_channel_carries_messages_yet_and_no_queue_has_agents(house):
    ana, eva = await house.calls(), await house.calls()
    ana.press("6")
    eva.press("8")
    await house.until(lambda: heard(eva, "paid"))
    assert (house.at(ana), heard(ana, "paid")) == ("main", False)
    assert [what for what, _ in house.book.started] == ["SendMessage"]


@in_virtual_time
async def test_a_phone_that_is_dialed_in_vain_leads_back_to_the_flow(house):
    house.node.on_dial(LUIS, lambda party: party.decline())
    ana = await house.calls()
    ana.press("1")
    await house.until(lambda: [heard.item for heard in ana.heard].count("/welcome") + len(ana.playing) > 1)
    assert house.at(ana) == "main"
    assert isinstance(house.book.written[-1].commands, tuple)
    assert any(isinstance(c, OriginateLeg) for w in house.book.written for c in w.commands)


def test_poison_hurts_one_caller(around, monkeypatch, caplog):
    real = interpreter.handle

    def poisoned(world, run_, event, now_s):
        if isinstance(event, DigitPressed) and event.digit == "9":
            raise ZeroDivisionError("poison")
        return real(world, run_, event, now_s)

    async def main():
        async with open_house(around) as house:
            ana, eva = await house.calls(), await house.calls()
            monkeypatch.setattr(interpreter, "handle", poisoned)
            ana.press("9")
            eva.press("3")
            await house.until(lambda: ana.ended)
            assert [heard.item for heard in ana.heard][-2:] == ["/sorry", "/bye"], "the error exit of her node"
            assert house.at(eva) == "code"
            assert house.book.notes("event_refused") == ["DigitPressed: poison"]
            assert house.metrics.refused_events._value.get() == 1

    run(main())
    assert "poison" in caplog.text


@pytest.mark.parametrize("poisonous", [LegEnded, LegUp])
def test_poison_in_whatever_event_leaves_nobody_behind(around, monkeypatch, poisonous):
    real = interpreter.handle

    def poisoned(world, run_, event, now_s):
        if isinstance(event, poisonous):
            raise ZeroDivisionError("poison")
        return real(world, run_, event, now_s)

    async def main():
        async with open_house(around) as house:
            monkeypatch.setattr(interpreter, "handle", poisoned)
            ana = house.node.arrive("100")
            await asyncio.sleep(0.2)
            ana.hang_up()
            await asyncio.sleep(1)
            assert len(house.book.outcomes()) == 1
            assert house.left_behind() == NOTHING

    run(main())


def test_when_even_the_error_exit_fails_the_call_ends(around, monkeypatch):
    async def main():
        async with open_house(around) as house:
            ana = await house.calls()

            def broken(*_):
                raise ZeroDivisionError("always")

            monkeypatch.setattr(interpreter, "handle", broken)
            ana.press("1")
            await house.until(lambda: ana.ended)
            assert ana.ended is EndReason.FAILED
            assert house.book.outcomes() == ["error"]
            assert "always" in house.book.notes("gave_up")[0]

    run(main())


def test_who_arrives_when_it_is_full_stopping_or_unwell_is_turned_away_at_the_door(around):
    async def main():
        async with open_house(around, max_interactions=2) as house:
            ana, eva = await house.calls(), await house.calls()
            assert house.node.arrive("100").ended
            ana.hang_up()
            await asyncio.sleep(0.1)
            again = await house.calls()
            assert again.ended is None
            again.hang_up()
            await asyncio.sleep(0.1)
            house.book.healthy = False
            assert house.node.arrive("100").ended
            house.book.healthy, house.runtime.draining = True, True
            assert house.node.arrive("100").ended
            assert len(house.node.turned_away) == 3
            assert house.metrics.refused_arrivals._value.get() == 3
            eva.press("3")
            await asyncio.sleep(0.1)
            assert house.at(eva) == "code", "who is inside does not notice"
            house.runtime.draining = False

    run(main())


@in_virtual_time
async def test_facts_that_come_twice_or_too_late_change_nothing(house):
    ana = await house.calls()
    arrived = LegArrived(ana.leg_id, "fake", "100", "+34600000000")
    before = len(house.book.written)
    house.runtime.put(arrived)
    await asyncio.sleep(0.1)
    assert len(house.book.written) == before
    ana.hang_up()
    await asyncio.sleep(0.1)
    before = len(house.book.written)
    for late in (DigitPressed(ana.leg_id, "1"), LegEnded(ana.leg_id, EndReason.LOST), LegUp(ana.leg_id)):
        house.runtime.put(late)
    await asyncio.sleep(0.1)
    assert len(house.book.written) == before
    assert house.metrics.late_events._value.get() == 3
    assert house.book.outcomes() == ["caller_hung_up"]


@in_virtual_time
async def test_a_recording_that_cannot_be_kept_is_told_also_when_the_contact_is_over(house):
    ana = await house.calls()
    interaction_id, recording_id = f"i-{ana.leg_id}", f"i-{ana.leg_id}.r1"
    ana.hang_up()
    await asyncio.sleep(0.1)
    for _ in range(2):
        rejected = CommandRejected(interaction_id, "9.1", "KeepRecording", "no room", ana.leg_id, recording_id)
        house.runtime.put(rejected)
    house.runtime.put(CommandRejected(interaction_id, "9.2", "StopMusic", "gone", ana.leg_id))
    await asyncio.sleep(0.1)
    assert house.book.after == [(interaction_id, rejected)] * 2
    assert house.metrics.lost_recordings._value.get() == 1


def test_an_inbox_that_overflows_declares_a_gap_and_what_was_missed_is_found_out(around, monkeypatch):
    async def main():
        async with open_house(around, max_interactions=100) as house:
            ana, eva = await house.calls(), await house.calls()
            monkeypatch.setattr(runtime_module, "INBOX_LIMIT", 20)
            for _ in range(20):
                ana.press("7")
            eva.press("3")  # lost
            stranger = house.node.arrive("100")  # lost as well
            eva.hang_up()  # and so is this
            assert house.at(eva) is not None
            await asyncio.sleep(12)
            assert house.metrics.gaps._value.get() >= 3
            assert house.at(eva) is None, "she is known to be gone"
            assert "lost" in house.book.outcomes()
            assert house.at(stranger) == "main", "and he to be here"
            assert stranger.heard[0].item == "/welcome"
            assert ana.ended or house.at(ana)

    run(main())


@in_virtual_time
async def test_a_message_of_who_hangs_up_is_kept(house):
    ana = await house.calls()
    ana.press("4")
    await house.until(lambda: ana.recording_id)
    ana.speak(4)
    await asyncio.sleep(4)
    ana.hang_up()
    await asyncio.sleep(0.1)
    assert len(house.kept) == 1


@in_virtual_time
async def test_who_was_put_together_in_the_moment_before_a_crash_stays_together(house):
    later = asyncio.get_running_loop().call_later
    house.node.on_dial(LUIS, lambda luis: (luis.ring(), later(2.0, luis.answer)))
    party = await house.calls()
    party.press("1")
    runtime, interaction_id = house.runtime, f"i-{party.leg_id}"
    await house.until(lambda: any(leg.state is LegState.RINGING for leg in runtime.interactions[interaction_id].legs))
    ringing = runtime.interactions[interaction_id]
    await house.until(lambda: house.node.bridges)
    (together,) = house.node.bridges.items()
    runtime.interactions[interaction_id] = ringing  # what the journal had of it
    house.reconciler.node_back("fake")
    await asyncio.sleep(3)
    assert house.node.bridges == dict([together])
    assert runtime.interactions[interaction_id].state is InteractionState.CONNECTED


@in_virtual_time
async def test_a_reconciliation_that_fails_is_tried_again(house):
    ana = await house.calls()
    real, failures = house.node.survey, [ZeroDivisionError("bug"), NodeUnavailable("not now")]

    async def survey():
        if failures:
            raise failures.pop()
        return await real()

    house.node.survey = survey
    house.node.cut()
    house.node.lose(ana.leg_id)
    house.node.mend()
    await asyncio.sleep(20)
    assert failures == []
    assert house.book.outcomes() == ["lost"]


@in_virtual_time
async def test_who_called_an_asterisk_that_was_started_again_is_told_lost_at_once(house):
    house.reconciler.node_back("fake")
    await asyncio.sleep(1)
    await house.calls()
    house.node.restart()
    await asyncio.sleep(1)
    assert house.book.outcomes() == ["lost"]


@in_virtual_time
async def test_who_hung_up_while_nobody_listened_is_lost_at_once_however_lately_she_was_heard(house):
    party = await house.calls()
    del house.node.parties[party.leg_id]
    house.reconciler.node_back("fake")
    await asyncio.sleep(1)
    assert house.book.outcomes() == ["lost"]


@in_virtual_time
async def test_callers_who_come_at_one_moment_are_let_in_as_long_as_there_is_room(house):
    for _ in range(15):
        house.node.arrive("100")
    await asyncio.sleep(0.1)
    assert (len(house.runtime.interactions), len(house.node.turned_away)) == (10, 5)


@in_virtual_time
async def test_callers_whom_nobody_has_taken_in_are_taken_in_as_long_as_there_is_room(house):
    house.node.cut()
    for _ in range(15):
        house.node.arrive("100")
    house.node.mend()
    await asyncio.sleep(10)
    assert len(house.runtime.interactions) == 10
