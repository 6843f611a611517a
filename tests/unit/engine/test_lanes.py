"""Lanes over a recording double of both ports: what is asked of the node, in which order."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import CommandRefused, LegGone, NodeUnavailable, TrunkAway
from core.events import CommandRejected, LegEnded, PlaybackFinished, RecordingKept
from core.leg import EndReason, LegRole
from core.leg_commands import (
    AnswerLeg,
    BridgeLegs,
    DestroyBridge,
    HangUpLeg,
    KeepRecording,
    OriginateLeg,
    Play,
    SendDigits,
    StartMusic,
    StartRecording,
    StopPlayback,
    StopRecording,
    UnbridgeLeg,
    Way,
)
from core.media import Sound, Speech
from engine.lanes import Lanes, Ordered


class Ports:
    """Notes each request; `slow` makes a leg's requests take time, `fail` makes a method raise."""

    def __init__(self):
        self.asked = []
        self.slow = {}
        self.fail = {}

    def __getattr__(self, method):
        async def request(*arguments):
            subject = getattr(arguments[0], "leg_id", arguments[0])
            await asyncio.sleep(self.slow.get(subject, 0))
            self.asked.append((method, *arguments))
            if method in self.fail:
                raise self.fail[method]

        return request


class Texts:
    """Sounds are known at once, words need `pause_s`."""

    pause_s = 0.05

    def known(self, parts):
        return None if any(isinstance(part, Speech) for part in parts) else [part.name for part in parts]

    def __init__(self):
        self.forgotten = []

    async def resolve(self, parts, secret=False):
        await asyncio.sleep(self.pause_s)
        return [getattr(part, "text", None) or part.name for part in parts]

    def forget(self, media):
        self.forgotten += media


class House:
    def __init__(self):
        self.ports, self.reported, self.refuses, self.keep_s = Ports(), [], None, 0
        self.texts = Texts()
        self.lanes = Lanes(self.ports, self.ports, self.texts, self.reported.append, self._keep)

    async def _keep(self, command):
        await asyncio.sleep(self.keep_s)
        self.ports.asked.append(("keep", command.recording_id))
        if self.refuses is not None:
            raise self.refuses

    def put(self, *commands, done=None):
        for n, command in enumerate(commands):
            self.lanes.put(Ordered(f"7.{n}", "i-1", command, done))

    async def settled(self):
        await self.lanes.drain()
        assert len(self.lanes) == 0
        return self.ports.asked


@pytest.fixture
def house():
    return House()


async def test_a_legs_commands_run_in_the_order_they_were_decided(house):
    house.ports.slow["a"] = 0.02
    house.put(AnswerLeg("a"), Play("a", "p1", (Sound("hello", "es"),)), HangUpLeg("a"))
    assert await house.settled() == [
        ("answer", "a"),
        ("play", "a", "p1", ["hello"]),
        ("hang_up", "a", EndReason.HUNG_UP_BY_US),
    ]


async def test_legs_do_not_wait_for_each_other(house):
    house.ports.slow["a"] = 0.1
    house.put(AnswerLeg("a"), AnswerLeg("b"))
    assert [asked[1] for asked in await house.settled()] == ["b", "a"]


async def test_a_prompt_stopped_before_it_was_sent_is_never_sent(house):
    house.ports.slow["a"] = 0.05
    house.put(AnswerLeg("a"), Play("a", "p1", (Sound("hello", "es"),)), StopPlayback("a", "p1"))
    assert await house.settled() == [("answer", "a")]
    assert house.reported == [PlaybackFinished("a", "p1", "stopped")]


async def test_a_prompt_stopped_while_it_is_synthesised_is_never_sent(house):
    house.put(Play("a", "p1", (Speech("hola", "es"),)))
    await asyncio.sleep(0.01)
    house.put(StopPlayback("a", "p1"), Play("a", "p2", (Sound("next", "es"),)))
    assert await house.settled() == [("play", "a", "p2", ["next"])]
    assert house.reported == [PlaybackFinished("a", "p1", "stopped")]


async def test_a_prompt_with_nothing_to_say_has_been_heard(house):
    house.put(Play("a", "p1", ()))
    await house.settled()
    assert house.reported == [PlaybackFinished("a", "p1", "completed")]


async def test_a_refused_command_is_reported_with_its_subject_and_the_lane_goes_on(house):
    house.ports.fail["start_recording"] = CommandRefused("disk full")
    outcomes = []
    house.put(StartRecording("a", "rec1", 60), HangUpLeg("a"), done=outcomes.append)
    assert [asked[0] for asked in await house.settled()] == ["start_recording", "hang_up"]
    assert house.reported == [
        CommandRejected("i-1", "7.0", "StartRecording", "CommandRefused: disk full", "a", "rec1", refused=True)
    ]
    assert outcomes == ["CommandRefused: disk full", "done"]


async def test_a_message_is_reported_as_kept_once_it_is(house):
    house.put(KeepRecording("i-1", "a", "rec1", "sales"))
    assert await house.settled() == [("keep", "rec1")]
    assert house.reported == [RecordingKept("a", "rec1")]


async def test_a_message_that_was_not_kept_is_reported_as_refused(house):
    house.refuses = CommandRefused("disk full")
    house.put(KeepRecording("i-1", "a", "rec1", "sales"))
    await house.settled()
    assert house.reported == [
        CommandRejected("i-1", "7.0", "KeepRecording", "CommandRefused: disk full", "a", "rec1", refused=True)
    ]


async def test_a_leg_that_is_gone_is_no_news(house):
    house.ports.fail["play"] = LegGone("a")
    house.put(Play("a", "p1", (Sound("hello", "es"),)))
    await house.settled()
    assert house.reported == []


async def test_a_bug_in_an_adapter_hurts_one_command_only(house):
    house.ports.fail["play"] = ZeroDivisionError("oops")
    house.put(Play("a", "p1", (Sound("hello", "es"),)), HangUpLeg("a"))
    await house.settled()
    assert [event.what for event in house.reported] == ["Play"]


async def test_a_trunk_that_is_away_is_named_so(house):
    ways = (Way("trunk:b/112", "+341"),)
    house.ports.fail["originate"] = TrunkAway("n1 cannot reach it")
    house.put(OriginateLeg("a", "i-1", "n1", LegRole.EXTERNAL, "trunk:a/112", "+340", 30.0, 60.0, failover=ways))
    assert len(await house.settled()) == 1, "which way is next is not the lane's to say"
    (event,) = house.reported
    assert (event.what, event.why, event.refused) == ("OriginateLeg", "TrunkAway: n1 cannot reach it", True)


async def test_legs_meet_when_all_of_them_have_done_what_came_before(house):
    house.ports.slow["b"] = 0.03
    house.put(AnswerLeg("a"), AnswerLeg("b"), BridgeLegs("b1", ("a", "b")), SendDigits("b", "1"))
    assert [asked[:2] for asked in await house.settled()] == [
        ("answer", "a"),
        ("answer", "b"),
        ("bridge", "b1"),
        ("send_digits", "b"),
    ]


async def test_commands_of_a_bridge_do_not_overtake_each_other_whoever_they_are_about(house):
    house.ports.slow["a"] = 0.03
    house.put(
        AnswerLeg("a"),
        BridgeLegs("b1", ("a", "b")),
        BridgeLegs("b1", ("c",)),
        UnbridgeLeg("b", "b1"),
        DestroyBridge("b1"),
        StartMusic("b"),
        HangUpLeg("c"),
    )
    asked = [method for method, *_ in await house.settled()]
    assert asked.index("start_music") > asked.index("unbridge")
    asked.remove("start_music")
    assert asked == ["answer", "bridge", "bridge", "unbridge", "destroy_bridge", "hang_up"]


async def test_a_bridge_that_waits_for_one_leg_holds_up_no_third(house):
    house.ports.slow["a"] = 0.05
    house.put(AnswerLeg("a"), BridgeLegs("b1", ("a", "b")), AnswerLeg("c"))
    assert [asked[:2] for asked in await house.settled()] == [("answer", "c"), ("answer", "a"), ("bridge", "b1")]


async def test_a_meeting_is_tried_again_when_the_node_was_away_and_its_legs_wait(house, monkeypatch):
    monkeypatch.setattr("engine.lanes.UNSENT_PAUSE_S", 0.01)
    house.ports.fail["bridge"] = NodeUnavailable("away")
    house.put(BridgeLegs("b1", ("a", "b")), HangUpLeg("b"))
    await asyncio.sleep(0.03)
    assert {method for method, *_ in house.ports.asked} == {"bridge"}
    del house.ports.fail["bridge"]
    assert (await house.settled())[-2:] == [("bridge", "b1", ("a", "b"), ()), ("hang_up", "b", EndReason.HUNG_UP_BY_US)]


async def test_filing_a_recording_waits_for_its_turn_and_holds_nobody_up(house):
    house.ports.slow["a"] = 0.01
    house.keep_s = 0.05
    house.put(StopRecording("a", "rec1"), KeepRecording("i-1", "a", "rec1", "sales"), SendDigits("a", "1"))
    assert [asked[0] for asked in await house.settled()] == ["stop_recording", "send_digits", "keep"]


async def test_nobody_waits_for_words_that_are_not_wanted_any_more(house):
    house.texts.pause_s = 3600
    house.put(Play("a", "p1", (Speech("hola", "es"),)))
    await asyncio.sleep(0.01)
    house.put(StopPlayback("a", "p1"), BridgeLegs("b1", ("a", "b")))
    assert await house.settled() == [("bridge", "b1", ("a", "b"), ())]
    assert house.reported == [PlaybackFinished("a", "p1", "stopped")]


LEGS, BRIDGES = st.sampled_from("abcd"), st.sampled_from(["b1", "b2"])
ANY_COMMAND = st.one_of(
    st.builds(AnswerLeg, LEGS),
    st.builds(BridgeLegs, BRIDGES, st.lists(LEGS, min_size=1, max_size=3, unique=True).map(tuple)),
    st.builds(UnbridgeLeg, LEGS, BRIDGES),
    st.builds(DestroyBridge, BRIDGES),
)


def _concern(command):
    legs = getattr(command, "leg_ids", None) or [leg for leg in [getattr(command, "leg_id", "")] if leg]
    bridges = [bridge for bridge in [getattr(command, "bridge_id", "")] if bridge]
    return {*legs, *bridges}


@settings(max_examples=60, deadline=None)
@given(st.lists(ANY_COMMAND, max_size=12), st.dictionaries(LEGS, st.sampled_from([0, 0.001])))
def test_whoever_shares_a_leg_or_a_bridge_keeps_the_order_and_nobody_waits_for_ever(commands, slow):
    async def run():
        house, done = House(), []
        house.ports.slow = slow
        for n, command in enumerate(commands):
            house.lanes.put(Ordered(f"7.{n}", "i-1", command, lambda outcome, n=n: done.append(n)))
        async with asyncio.timeout(60):
            await house.settled()
        assert sorted(done) == list(range(len(commands)))
        for later, n in enumerate(done):
            for earlier in done[:later]:
                assert earlier < n or not _concern(commands[earlier]) & _concern(commands[n])

    asyncio.run(run())


async def test_closing_leaves_no_task_behind(house):
    house.ports.slow["a"] = 30
    house.put(AnswerLeg("a"))
    await asyncio.sleep(0)
    await house.lanes.close()
    assert [task for task in asyncio.all_tasks() if task.get_name().startswith("lane")] == []


@pytest.mark.parametrize("end", [PlaybackFinished("a", "p1"), LegEnded("a", EndReason.HUNG_UP)])
async def test_what_was_said_in_secret_is_forgotten_when_it_has_been_heard(house, end):
    house.lanes.put(Ordered("7.0", "i-1", Play("a", "p1", (Speech("uno dos", "es"),)), secret=True))
    house.lanes.put(Ordered("7.1", "i-2", Play("b", "p2", (Speech("tres", "es"),)), secret=True))
    house.put(Play("c", "p3", (Speech("hola", "es"),)))
    await house.settled()
    assert house.texts.forgotten == []
    house.lanes.over(PlaybackFinished("c", "p3"))
    house.lanes.over(end)
    house.lanes.over(end)
    assert house.texts.forgotten == ["uno dos"]


async def test_a_secret_nobody_heard_is_forgotten_too(house):
    house.ports.fail["play"] = CommandRefused("no")
    house.lanes.put(Ordered("7.0", "i-1", Play("a", "p1", (Speech("uno dos", "es"),)), secret=True))
    await house.settled()
    assert house.texts.forgotten == ["uno dos"]
