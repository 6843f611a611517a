"""What callers saw, what Asterisk did and what the journal says, compared call by call."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from bench.call_books import AsterisksBook, Contact
from bench.sip_phones import CallEnd, Callers


@dataclass
class Comparison:
    """`outcomes`: how a contact ended -> how many, and of these, in how many the three agree. `passed`: conversations
    that the journal counts and in which caller and agent were both up, but one hung up before a bridge had both."""

    outcomes: Counter[str] = field(default_factory=Counter)
    agreed: Counter[str] = field(default_factory=Counter)
    legs: int = 0
    passed: int = 0
    faults: list[str] = field(default_factory=list)


def compare(
    contacts: list[Contact], asterisk: AsterisksBook, callers: Callers, placed: list[str], device_of: Mapping[str, str]
) -> Comparison:
    """Each call once in every book, and the same told of it. `placed`: who called, in order, a number anew only when
    its last call was over; `device_of`: agent -> her phone's name in Asterisk."""
    found = Comparison()
    if asterisk.broken:
        found.faults.append(f"Asterisk was not heard to the end: {asterisk.broken}")
    by_caller: dict[str, list[Contact]] = {}
    for contact in sorted(contacts, key=lambda each: each.seq):
        by_caller.setdefault(contact.caller, []).append(contact)
    often = Counter(placed)
    of_legs = {leg_id for contact in contacts for leg_id in contact.legs}
    found.faults += [
        f"channel {channel_id} ({channel.name}) is in no interaction"
        for channel_id, channel in asterisk.channels.items()
        if channel_id not in of_legs
    ]
    pairs: list[tuple[Contact, CallEnd]] = []
    for number, times in often.items():
        theirs, ends = by_caller.pop(number, []), callers.ends.get(number, [])
        if (len(theirs), len(ends)) != (times, times):
            found.faults.append(f"{number} called {times} times: {len(theirs)} interactions, {len(ends)} ends")
        pairs += zip(theirs, ends, strict=False)
    for contact, end in pairs:
        wrong = [*_alone(contact), *_legs(contact, asterisk), *_callers_view(contact, end)]
        served, passed = _served(contact, asterisk, device_of)
        wrong += served
        found.passed += passed
        found.legs += len(contact.legs)
        found.outcomes[contact.outcome] += 1
        found.agreed[contact.outcome] += not wrong
        found.faults += [f"{contact.interaction_id} ({contact.outcome}): {what}" for what in wrong]
    found.faults += [
        f"nobody placed the call of {each.interaction_id}" for theirs in by_caller.values() for each in theirs
    ]
    return found


def _alone(contact: Contact) -> Iterator[str]:
    """What the journal says of itself."""
    if contact.opened != 1 or len(contact.closed) != 1:
        yield f"opened {contact.opened} times, closed {len(contact.closed)} times"
    for stay_id in dict.fromkeys((*contact.joined, *contact.stays)):
        ends = contact.stays.get(stay_id, [])
        if len(ends) != 1:
            yield f"stay {stay_id} ended {len(ends)} times: {ends}"
        yield from (f"stay {stay_id} was lost" for how in ends if how == "lost")


def _legs(contact: Contact, asterisk: AsterisksBook) -> Iterator[str]:
    """Each leg is one channel, and both say the same of it."""
    for leg_id, leg in contact.legs.items():
        channel = asterisk.channels.get(leg_id)
        if leg.ended != 1:
            yield f"leg {leg_id} ended {leg.ended} times"
        if channel is None:
            if leg.up or leg.reason not in _NEVER_BEGAN:
                yield f"leg {leg_id} ({leg.role}, {leg.reason}) is no channel"
            continue
        if (channel.begun, channel.ended) != (1, 1):
            yield f"channel {leg_id} began {channel.begun} times and ended {channel.ended} times"
        if channel.up is not bool(leg.up):
            yield f"leg {leg_id} ({leg.role}): up is {bool(leg.up)} in the journal, {channel.up} in Asterisk"
        if channel.cause != leg.cause:
            yield f"leg {leg_id} ({leg.role}): cause {leg.cause} in the journal, {channel.cause} in Asterisk"


_NEVER_BEGAN = ("hung_up_by_us",)
"""Called off before Asterisk was asked for it."""


def _served(contact: Contact, asterisk: AsterisksBook, device_of: Mapping[str, str]) -> tuple[list[str], int]:
    """Whom the journal says she spoke to is whom Asterisk had in a bridge with her."""
    caller = asterisk.channels.get(contact.customer)
    if caller is None:
        return ["the caller is no channel"], 0
    met = {_device(asterisk.channels[other].name) for other in caller.met if other in asterisk.channels}
    said = {device_of[agent_id] for agent_id in contact.served}
    up = {
        _device(asterisk.channels[leg_id].name)
        for leg_id, leg in contact.legs.items()
        if leg.role != "customer" and leg.up and leg_id in asterisk.channels
    }
    wrong = [f"Asterisk had {device} in a bridge with her, the journal not" for device in met - said]
    wrong += [f"the journal says {device} served her, who never answered" for device in said - met - up]
    return wrong, len(said & up - met)


def _callers_view(contact: Contact, end: CallEnd) -> Iterator[str]:
    """`end`: of her call, at her phone."""
    if end == "refused":
        yield "she was refused, and the journal has the call"
    elif contact.outcome.endswith("abandoned") and end != "hung up":
        yield "she was hung up on while she waited"


def _device(channel_name: str) -> str:
    """`PJSIP/main-a01-0000001f` -> `main-a01`."""
    return channel_name.partition("/")[2].rpartition("-")[0]
