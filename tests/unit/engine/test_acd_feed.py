"""The board's changes as lines: in order, without holes, or told to begin anew."""

import asyncio
import json
from types import SimpleNamespace

from acd.router import Router
from acd.setup import QueueSetup, Relaxation, Setup
from core.commands import StartTimer
from core.events import TimerFired
from core.queue_facts import QueueJoined, StayGivenUp
from engine.acd_feed import GATHER_S, HELD, PING_S, RESET, UNWATCHED_S, Feed
from engine.routing_views import Views
from tests.virtual_time import LoopClock, run

ANA, EVA = ("agent", "main/ana"), ("agent", "main/eva")


class Board:
    def __init__(self):
        self.looks = {}

    def view(self, key, now_s):
        return self.looks.get(key)


def in_virtual_time(scenario):
    def test():
        async def main():
            board = Board()
            feed = Feed("e1", board.view, LoopClock().now_s)
            await scenario(board, feed)
            feed.close()

        run(main())

    return test


def shown(board, key, **values):
    board.looks[key] = {"tenant": "main", **values}


async def heard(feed, after, number, epoch="e1"):
    """The next lines, pings left out."""
    lines, stream = [], feed.lines(epoch, after)
    async for chunk in stream:
        lines.extend(line for line in map(json.loads, chunk.splitlines()) if "ping" not in line)
        if len(lines) >= number or lines[-1:] == [{"reset": True}]:
            break
    await stream.aclose()
    return lines


@in_virtual_time
async def test_a_burst_about_one_thing_is_one_line_with_its_last_look(board, feed):
    after = feed.begin()
    for n in range(5):
        shown(board, ANA, n=n)
        feed.changed([ANA])
    shown(board, EVA, n=0)
    feed.changed([EVA])
    lines = await heard(feed, after, 2)
    assert [(line["seq"], line["id"], line["tenant"], line["value"]["n"]) for line in lines] == [
        (after + 1, "ana", "main", 4),
        (after + 2, "eva", "main", 0),
    ]


@in_virtual_time
async def test_what_is_gone_is_told_with_its_tenant(board, feed):
    after = feed.begin()
    shown(board, ("stay", "s1"), tenant="acme")
    feed.changed([("stay", "s1")])
    feed.publish()
    del board.looks["stay", "s1"]
    feed.changed([("stay", "s1")])
    assert [(line["tenant"], line["value"] is None) for line in await heard(feed, after, 2)] == [
        ("acme", False),
        ("acme", True),
    ]


@in_virtual_time
async def test_the_end_of_what_only_the_snapshot_showed_is_told_to_whom_it_belongs(board, feed):
    after = feed.begin([(("stay", "s1"), "acme"), (("talk", "i-1"), "acme")])
    feed.changed([("stay", "s1"), ("talk", "i-1"), ("agent", "main/gone")])
    lines = await heard(feed, after, 3)
    assert [(line["id"], line["tenant"], line["value"]) for line in lines] == [
        ("s1", "acme", None),
        ("i-1", "acme", None),
        ("gone", "main", None),
    ]


@in_virtual_time
async def test_who_comes_back_goes_on_without_a_hole_and_who_watches_hears_at_once(board, feed):
    after = feed.begin()
    for n in range(10):
        shown(board, ANA, n=n)
        feed.changed([ANA])
        feed.publish()
    lines = await heard(feed, after + 4, 6)
    assert [line["value"]["n"] for line in lines] == [4, 5, 6, 7, 8, 9]
    waiting = asyncio.create_task(heard(feed, feed.seq, 1))
    await asyncio.sleep(3)
    shown(board, ANA, n=99)
    feed.changed([ANA])
    began_s = asyncio.get_running_loop().time()
    assert (await waiting)[0]["value"]["n"] == 99
    assert asyncio.get_running_loop().time() - began_s <= GATHER_S + 0.001


@in_virtual_time
async def test_silence_is_broken_by_pings(board, feed):
    feed.begin()
    stream = feed.lines("e1", feed.seq)
    began_s = asyncio.get_running_loop().time()
    assert "ping" in json.loads(await anext(stream))
    assert asyncio.get_running_loop().time() - began_s == PING_S
    await stream.aclose()


@in_virtual_time
async def test_another_epoch_the_future_and_the_long_past_are_reset(board, feed):
    feed.begin()
    shown(board, ANA, n=0)
    for _ in range(HELD + 5):
        feed.changed([ANA])
        feed.publish()
    for epoch, after in (("e0", feed.seq), ("e1", feed.seq + 1), ("e1", 3), ("e1", -1)):
        assert await heard(feed, after, 1, epoch) == [{"reset": True}]
    assert len(await heard(feed, feed.seq - 7, 7)) == 7


@in_virtual_time
async def test_nothing_is_held_for_nobody_and_who_comes_later_begins_anew(board, feed):
    after = feed.begin()
    await asyncio.sleep(UNWATCHED_S + 1)
    shown(board, ANA, n=0)
    feed.changed([ANA])
    feed.publish()
    assert [line async for line in feed.lines("e1", after)] == [RESET]
    after = feed.begin()
    shown(board, ANA, n=1)
    feed.changed([ANA])
    assert (await heard(feed, after, 1))[0]["value"]["n"] == 1


def test_queues_are_told_anew_a_moment_after_their_agents_changed():
    async def main():
        board = Board()
        sales = ("queue", "main/sales")
        feed = Feed("e1", board.view, LoopClock().now_s, lambda tenant: [sales] if tenant == "main" else [])
        shown(board, ANA, n=0)
        shown(board, sales, available=1)
        after = feed.begin()
        feed.changed([ANA])
        lines = await heard(feed, after, 2)
        assert [(line["kind"], line["id"]) for line in lines] == [("agent", "ana"), ("queue", "sales")]
        feed.close()

    run(main())


@in_virtual_time
async def test_streams_end_with_the_engine(board, feed):
    feed.begin()
    stream = feed.lines("e1", feed.seq)
    waiting = asyncio.create_task(anext(stream, None))
    await asyncio.sleep(0.1)
    feed.close()
    assert await waiting is None


def test_those_behind_are_told_that_they_have_moved_up():
    async def main():
        board, places = Board(), {("stay", "s1"): 1, ("stay", "s2"): 2}
        now_s = LoopClock().now_s
        feed = Feed(
            "e1", board.view, now_s, places_in=lambda queue, now_s: dict(places) if queue == "main/sales" else {}
        )

        def look():
            for key, place in places.items():
                shown(board, key, position=place)

        look()
        shown(board, ("queue", "main/sales"), waiting=2)
        after = feed.begin()
        feed.changed([*places, ("queue", "main/sales")])
        await asyncio.sleep(3)
        after = feed.seq
        del places["stay", "s1"], board.looks["stay", "s1"]
        places["stay", "s2"] = 1
        look()
        feed.changed([("stay", "s1"), ("queue", "main/sales")])
        lines = await heard(feed, after, 3)
        assert [(line["id"], line["value"] and line["value"].get("position")) for line in lines] == [
            ("s1", None),
            ("sales", None),
            ("s2", 1),
        ]
        await asyncio.sleep(5)
        assert feed.seq == after + 3, "who has not moved is not told again"
        feed.close()

    run(main())


@in_virtual_time
async def test_what_nobody_was_ever_told_of_needs_no_end(board, feed):
    after = feed.begin()
    feed.changed([("stay", "s1"), ("talk", "i-1")])
    shown(board, ANA, n=1)
    feed.changed([ANA])
    assert [(line["seq"], line["kind"], line["tenant"]) for line in await heard(feed, after, 1)] == [
        (after + 1, "agent", "main")
    ]


def places_of(lines):
    return {line["id"]: line["value"] and line["value"]["position"] for line in lines if line["kind"] == "stay"}


def test_a_real_queue_moves_up_when_its_head_leaves_even_a_colleague_who_consults():
    async def main():
        clock, sales = LoopClock(), QueueSetup("main", "sales", no_agents="wait")
        router = Router(Setup(queues={("main", "sales"): sales}))
        views = Views(SimpleNamespace(router=router), {})
        feed = Feed("e1", views.view, clock.now_s, views.queues_of, views.places_in)

        def take(fact):
            feed.changed(router.handle(fact, clock.now_s()).changed)

        take(QueueJoined("i-0", "colleague", "main", "sales", purpose="consult"))
        for name in ("a", "b", "c"):
            await asyncio.sleep(1)
            take(QueueJoined(f"i-{name}", name, "main", "sales"))
        board = views.board(clock.now_s())
        feed.begin([(("stay", stay["stay_id"]), stay["tenant"]) for stay in board["stays"]])
        assert {stay["stay_id"]: stay["position"] for stay in board["stays"]} == {
            "colleague": 1,
            "a": 2,
            "b": 3,
            "c": 4,
        }
        await asyncio.sleep(5)
        after = feed.seq
        take(StayGivenUp("i-0", "colleague", "abandoned"))
        lines = await heard(feed, after, 5)
        assert places_of(lines) == {"colleague": None, "a": 1, "b": 2, "c": 3}
        assert [line["value"]["waiting"] for line in lines if line["kind"] == "queue"][-1] == 3
        after = feed.seq
        for name in ("a", "b"):
            take(StayGivenUp(f"i-{name}", name, "abandoned"))
        lines = await heard(feed, after, 4)
        assert places_of(lines) == {"a": None, "b": None, "c": 1}
        assert sum(line["id"] == "c" for line in lines) == 1, "a burst moves each but once"
        await asyncio.sleep(UNWATCHED_S + 1)
        looked = []
        feed._places_in = lambda queue, now_s: looked.append(queue) or {}
        take(StayGivenUp("i-c", "c", "abandoned"))
        await asyncio.sleep(5)
        assert looked == [], "nobody watches"
        feed.close()

    run(main())


def test_who_is_overtaken_by_one_whose_relaxation_gives_priority_is_told():
    relaxed = QueueSetup("main", "sales", no_agents="wait", relaxations=(Relaxation(60.0, "", 5),))
    router = Router(Setup(queues={("main", "sales"): relaxed}))
    router.handle(QueueJoined("i-a", "a", "main", "sales", priority=3), 1000.0)
    timers = router.handle(QueueJoined("i-b", "b", "main", "sales", waited_s=30.0), 1000.0).commands
    due = min((command for command in timers if isinstance(command, StartTimer)), key=lambda command: command.due_s)
    assert list(router.places(("main", "sales"), 1000.0)) == ["a", "b"]
    outcome = router.handle(TimerFired("", due.timer_id), due.due_s)
    assert list(router.places(("main", "sales"), due.due_s)) == ["b", "a"]
    assert ("queue", "main/sales") in outcome.changed
