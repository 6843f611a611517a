"""Several contacts at once, and which may come in over which."""

from __future__ import annotations

import pytest

from acd.setup import Channel
from tests.unit.acd.shift import Shift, agent, check, queue, setup


def house(**more: object) -> Shift:
    shift = Shift(setup([agent("ana", **more)], [queue(no_agents="wait")]))
    shift.logs_in("ana")
    return shift


def takes(shift: Shift, channel: str) -> bool:
    stay_id = shift.calls(channel=channel)
    if stay_id not in shift.offers:
        shift.hangs_up(stay_id)
        return False
    shift.answers(stay_id)
    check(shift)
    return True


@pytest.mark.parametrize(
    ("has", "comes", "taken"),
    [
        ("", "call", True),
        ("call", "call", False),
        ("call", "chat", False),
        ("call", "email", False),
        ("chat", "call", False),
        ("chat", "chat", True),
        ("chat", "email", True),
        ("email", "call", True),
        ("email", "chat", True),
        ("chat chat chat chat", "chat", False),
        ("chat chat chat", "chat", True),
        ("email " * 10, "email", False),
        ("email " * 10, "call", True),
    ],
)
def test_what_fits_beside_what(has: str, comes: str, taken: bool) -> None:
    shift = house()
    assert all(takes(shift, channel) for channel in has.split())
    assert takes(shift, comes) is taken


def test_an_agent_may_have_more_or_less_capacity_and_other_units() -> None:
    shift = house(capacity=200)
    assert [takes(shift, "call") for _ in range(3)] == [True, True, False]
    shift = house(units={"chat": 50})
    assert [takes(shift, "chat") for _ in range(3)] == [True, True, False]


def test_a_site_may_add_channels() -> None:
    whatsapp = {"whatsapp": Channel("whatsapp", 40)}
    shift = Shift(setup([agent("ana", device="")], channels=whatsapp))
    shift.logs_in("ana")
    assert [takes(shift, "whatsapp") for _ in range(3)] == [True, True, False]
    shift.calls(channel="pigeon")
    assert shift.left["c4"].outcome == "no_agents"


def test_wrap_up_takes_room_as_the_conversation_did() -> None:
    shift = Shift(setup([agent("ana")], [queue(wrap_up_s=30.0)]))
    shift.logs_in("ana")
    for _ in range(4):
        assert takes(shift, "chat")
    shift.hangs_up("c1")
    assert not takes(shift, "chat")
    shift.finishes("ana")
    assert takes(shift, "chat")


def test_no_phone_rings_for_a_chat() -> None:
    shift = house(device="")
    stay_id = shift.calls(channel="chat")
    assert shift.offers[stay_id][0].device == ""
    shift.calls()
    assert len(shift.decided) == 1
