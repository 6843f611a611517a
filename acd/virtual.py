"""Whether who waits may be served now: everybody who is on the line, and who is away when she may be called back."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from acd.records import Stay
from core.queue_facts import StayMode
from core.stay import StayState

if TYPE_CHECKING:
    from acd.floor import Floor


def seeks(floor: Floor, stay: Stay, now_s: float) -> bool:
    """Whether it has a place among those who are matched. Without one it keeps its rank: only nobody is offered it."""
    if stay.mode == "live":
        return True
    return stay.mode == "virtual" and not stay.called and now_s >= stay.again_s and _may_call(floor, stay, now_s)


def not_yet(floor: Floor, stay: Stay, now_s: float) -> str:
    """Why nobody at all is offered it now, in a word for `acd.words`; empty when somebody may be."""
    if stay.mode == "held":
        return "agreeing"
    if stay.mode == "live":
        return ""
    if stay.called:
        return "being_called"
    if now_s < called_from_s(floor, stay, now_s):
        return "called_later"
    return "callback" if is_called_first(stay) else ""


def called_from_s(floor: Floor, stay: Stay, now_s: float) -> float:
    """When she may be called at the earliest, whoever is free; 0 for who is on the line, or is called already."""
    if stay.mode != "virtual" or stay.called:
        return 0.0
    from_s = max(now_s, stay.again_s)
    settings = floor.queue_setup(stay).callback
    if settings is None or settings.hours is None or settings.hours.is_open(from_s):
        return from_s
    return settings.hours.changes_at(from_s)


def turn_to(stay: Stay, mode: StayMode, now_s: float) -> None:
    """`stay` is the turn's."""
    if mode != "virtual":
        stay.virtual_s, stay.virtual_since_s = virtual_s(stay, now_s), 0.0
    elif not stay.virtual_since_s:
        stay.virtual_since_s = now_s
    stay.mode = mode


def virtual_s(stay: Stay, now_s: float) -> float:
    """How long she has waited away from the phone."""
    return stay.virtual_s + (now_s - stay.virtual_since_s if stay.virtual_since_s else 0.0)


def is_called_first(stay: Stay) -> bool:
    """Whether the customer herself is called when it is her turn, before any agent."""
    return stay.mode == "virtual" and stay.first == "customer"


def due_s(floor: Floor, stay: Stay, now_s: float) -> float:
    """When a stay that is away needs to be looked at again; infinite for never."""
    if stay.mode != "virtual" or stay.state is not StayState.WAITING or stay.called:
        return inf
    if now_s < stay.again_s:
        return stay.again_s
    settings = floor.queue_setup(stay).callback
    hours_s = settings.hours.changes_at(now_s) if settings is not None and settings.hours is not None else inf
    return min(hours_s, stay.look_s or inf)


def _may_call(floor: Floor, stay: Stay, now_s: float) -> bool:
    settings = floor.queue_setup(stay).callback
    return settings is None or settings.hours is None or settings.hours.is_open(now_s)
