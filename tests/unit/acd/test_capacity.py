"""Several contacts at once, and which may come in over which."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acd import capacity
from acd.records import Agent, Assignment
from acd.setup import AgentSetup, Channel, Setup
from core.agent import Presence
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


@given(
    presence=st.sampled_from(Presence),
    works=st.lists(st.sampled_from(("call", "chat", "email")), max_size=3),
    told=st.fixed_dictionaries(
        {
            "pending": st.sampled_from(("", "log_out")),
            "device": st.sampled_from(("", "main-1")),
            "reachable": st.booleans(),
            "line_leg_id": st.sampled_from(("", "leg")),
            "rest_until_s": st.sampled_from((0.0, 50.0, 100.0, 101.0)),
        }
    ),
)
def test_channels_open_to_her_are_those_for_which_nothing_hinders_her(
    presence: Presence, works: list[str], told: dict[str, Any]
) -> None:
    house = Setup()
    person = AgentSetup("main", "ana")
    agent = Agent("main", "ana", presence=presence, **told)
    for n, channel in enumerate(works):
        taken = capacity.units(person, channel, house)
        agent.assignments[f"i{n}"] = Assignment(f"i{n}", f"s{n}", f"o{n}", "sales", channel, taken, since_s=0.0)
    found = capacity.open_to(agent, capacity.needs(person, house), 100.0)
    assert set(found) == {name for name in house.channels if not capacity.hindrance(agent, person, name, house, 100.0)}
