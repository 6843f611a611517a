"""A listener is asked for and dismissed in its leg's turn, and outlasts the journal."""

from __future__ import annotations

import pytest

from core.errors import LegGone
from core.events import AudioVerdict, ListenerLost
from core.leg import LegRole
from core.leg_commands import AnswerLeg, DismissListener, HangUpLeg, ListenToLeg, OriginateLeg
from engine.absence import OVERFLOW, SAFE_HARBOUR, waiting
from engine.lanes import Lanes, Ordered
from store.wire import decode, encode

LISTEN = ListenToLeg("a", "l1", "amd", {"profile": "es"}, limit_s=5.0)


class Ports:
    """Answers everything, and keeps the order."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.gone = False

    def __getattr__(self, method: str):
        async def request(*arguments):
            self.asked.append(method)
            if self.gone:
                raise LegGone("it has ended")

        return request


async def put(ports: Ports, live: Ports | None, *commands) -> list[object]:
    reported: list[object] = []

    async def keep(command) -> None:
        raise AssertionError("nothing is kept here")

    lanes = Lanes(ports, ports, None, reported.append, keep, live)  # type: ignore[arg-type]
    for n, command in enumerate(commands):
        lanes.put(Ordered(f"1.{n}", "i", command))
    await lanes.drain()
    return reported


async def test_a_listener_comes_and_goes_in_its_legs_turn() -> None:
    ports = Ports()
    commands = (AnswerLeg("a"), LISTEN, DismissListener("a", "l1"), HangUpLeg("a"))
    assert await put(ports, ports, *commands) == []
    assert ports.asked == ["answer", "listen", "dismiss", "hang_up"]


async def test_a_leg_that_has_ended_needs_no_listener() -> None:
    ports = Ports()
    ports.gone = True
    assert await put(ports, ports, LISTEN) == []


async def test_where_nobody_listens_it_is_said_so() -> None:
    reported = await put(Ports(), None, LISTEN, DismissListener("a", "l1"))
    assert reported == [ListenerLost("a", "l1", "nobody listens to legs here")]


@pytest.mark.parametrize(
    "thing",
    [
        LISTEN,
        DismissListener("a", "l1"),
        OriginateLeg("a", "i", "n", LegRole.CUSTOMER, "trunk:t/1", "2", 20, 60, listen=LISTEN),
        OriginateLeg("a", "i", "n", LegRole.CUSTOMER, "trunk:t/1", "2", 20, 60),
        AudioVerdict("a", "l1", "amd", "human", 0.9, "two words, then silence", True, 1e9, 1.2, 0.8),
        ListenerLost("a", "l1", "the media worker ended"),
    ],
)
def test_what_is_asked_and_told_is_read_again_as_it_was_written(thing: object) -> None:
    assert decode(encode(thing)) == thing  # type: ignore[arg-type]


def test_a_leg_with_nobody_but_its_listener_waits_for_the_engine() -> None:
    bridges = [
        {"channels": ["a.x1", "media-a.x1.1"]},
        {"channels": ["b", "c"]},
        {"channels": ["d", "media-d.2", "e"]},
    ]
    legs = ["a.x1", "media-a.x1.1", "b", "c", "d", "e", "media-d.2", "f"]
    assert waiting(legs, bridges) == [("a.x1", SAFE_HARBOUR), ("f", OVERFLOW)]
