"""`CallControl` on Asterisk: legs."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from core.errors import CommandRefused, DeadlineExceeded, NodeUnavailable, TrunkAway
from core.leg import EndReason, LegRole
from core.leg_commands import OriginateLeg, trunk_of
from core.ports import Survey
from telephony.ari.messages import channel_decoder
from telephony.ari.node_client import NodeClient
from telephony.control import names
from telephony.control.bridges import Bridges
from telephony.control.causes import cause_for
from telephony.control.desk import q, why
from telephony.control.legs import BridgeMemory, LegMemory
from telephony.control.surveying import Eavesdropping, survey_node
from telephony.control.translate import DIALED
from telephony.node.settings import CALLED_CONTEXT

ANSWER_YOURSELF = {
    "PJSIP_HEADER(add,Call-Info)": "<sip:centralita>;answer-after=0",
    "PJSIP_HEADER(add,Alert-Info)": "<http://www.notused.com>;info=alert-autoanswer;delay=0",
}
"""No one header is understood by all phones: each maker looks at one of these."""


def ring_s(command: OriginateLeg) -> int:
    """Whole seconds, and at least one: zero is for ever."""
    return max(1, math.ceil(command.ring_s))


def variables(command: OriginateLeg) -> dict[str, str]:
    """Of the channel, before it is dialed. Its limit is kept by Asterisk itself, also when no engine lives."""
    limit = {"TIMEOUT(absolute)": f"{max(1.0, command.limit_s):.1f}"}
    return limit | (ANSWER_YOURSELF if command.auto_answer else {})


def _subscription(node: NodeClient, leg_id: str) -> str:
    return f"applications/{q(node.settings.app)}/subscription?eventSource=channel:{q(leg_id)}"


class Calls(Bridges):
    """Legs of every node."""

    async def answer(self, leg_id: str) -> None:
        """Answering a leg that is up already does nothing."""
        leg = self._book.get(leg_id)
        if leg.up:
            return
        await self._quiet(leg)
        await self._ask(leg, "POST", f"channels/{q(leg_id)}/answer")
        if self._book.find(leg_id) is leg:
            self._translators[leg.node.name].tell_up(leg)

    async def hang_up(self, leg_id: str, reason: EndReason) -> None:
        leg = self._book.get(leg_id)
        leg.asked_to_end = leg.asked_to_end or reason
        await self._ask(leg, "DELETE", f"channels/{q(leg_id)}?reason_code={cause_for(reason)}")

    async def turn_away(self, leg_id: str) -> None:
        leg = self._book.get(leg_id)
        # What plays holds it: the dialplan would get it when that is over, and some tones never are.
        with contextlib.suppress(DeadlineExceeded):
            await self._quiet(leg)
        leg.asked_to_end = leg.asked_to_end or EndReason.CONGESTION
        self._turn_away(leg.node, leg_id)

    async def originate(self, command: OriginateLeg) -> None:
        leg = self._new_leg(command)
        body = {
            "callerId": names.caller_id(command.caller, command.caller_name, command.endpoint),
            "timeout": ring_s(command),
            "variables": variables(command),
        }
        if command.role is LegRole.CUSTOMER:
            # If she answers and no engine listens, the dialplan speaks to her.
            body |= {"context": CALLED_CONTEXT, "extension": "s", "priority": 1, **self._first(leg, body)}
        await self._make(leg, command, f"channels/{q(leg.leg_id)}", body)

    def _first(self, leg: LegMemory, body: Mapping[str, Any]) -> Mapping[str, object]:
        """What the dialplan does with her before it hands her over."""
        return {}

    def _new_leg(self, command: OriginateLeg) -> LegMemory:
        """Raises CommandRefused: no such node, or dialed before."""
        node = self._nodes.get(command.node)
        if node is None:
            raise CommandRefused(f"there is no node {command.node!r}: it must be one of {', '.join(self._nodes)}")
        leg_id = names.identifier(command.leg_id)
        if self._book.find(leg_id) is not None:
            raise CommandRefused(f"leg {leg_id} has been dialed already")
        return LegMemory(leg_id, node, inbound=False, limit_s=command.limit_s)

    async def _make(self, leg: LegMemory, command: OriginateLeg, uri: str, body: Mapping[str, object]) -> None:
        """Raises CommandRefused, TrunkAway among them, NodeUnavailable, and DeadlineExceeded, after which it may be
        there."""
        node, leg_id = leg.node, leg.leg_id
        by_dialplan = "context" in body
        common = {"endpoint": names.pjsip_endpoint(command.endpoint)}
        if not by_dialplan:
            common |= {"app": node.settings.app, "appArgs": DIALED}
        encoded = msgspec.json.encode({**common, **body})
        self._book.add(leg)
        try:
            made = node.send(leg_id, "POST", uri, encoded)
            watched = self._watch(leg) if by_dialplan else None
            response = await made
            if response.status_code == 200:
                if watched is not None:
                    await watched
                return
            if watched is not None:
                watched.close()
        except NodeUnavailable:
            self._book.forget(leg_id)
            raise
        self._book.forget(leg_id)
        if response.status_code == 409:
            raise CommandRefused(f"leg {leg_id} is on node {node.name} already: it has been dialed before")
        trunk = trunk_of(command.endpoint)
        if trunk:
            raise TrunkAway(
                f"{node.name} cannot reach the trunk {trunk} ({why(response)}): "
                "is it configured there, and does the carrier answer?"
            )
        raise CommandRefused(
            f"{node.name} cannot dial {names.without_number(command.endpoint)} ({why(response)}): "
            "is it configured there, and is the device registered, the carrier there? `centralita status` says"
        )

    def _watch(self, leg: LegMemory) -> Coroutine[Any, Any, None]:
        """Of what our application dials itself it is told anyway; here it asks for it, in the same breath as it dials,
        and then how far the phone is: it may have been quicker."""
        node, leg_id = leg.node, leg.leg_id
        asked = node.send(leg_id, "POST", _subscription(node, leg_id))
        found = node.send(leg_id, "GET", f"channels/{q(leg_id)}")

        async def answers() -> None:
            (subscribed, channel) = await asyncio.gather(asked, found)
            if self._book.find(leg_id) is not leg:
                return
            if subscribed.status_code >= 300:
                self._translators[node.name].end(leg, EndReason.FAILED, 0)  # over before anybody could look
            elif channel.status_code == 200:
                state = channel_decoder.decode(channel.message_body).state
                if state == "Ringing":
                    self._translators[node.name].tell_ringing(leg)
                elif state == "Up":
                    self._translators[node.name].take_answer(leg)

        return answers()

    async def send_digits(self, leg_id: str, digits: str) -> None:
        """`digits`: 0-9, A-D, `*`, `#`, and `w` for a pause of half a second."""
        leg = self._book.get(leg_id)
        await self._ask(leg, "POST", f"channels/{q(leg_id)}/dtmf?dtmf={q(names.digits(digits))}")

    async def mute(self, leg_id: str, muted: bool) -> None:
        leg = self._book.get(leg_id)
        await self._ask(leg, "POST" if muted else "DELETE", f"channels/{q(leg_id)}/mute?direction=in")

    async def park(self, leg_id: str) -> None:
        """Until the leg is bridged."""
        leg = self._book.get(leg_id)
        await self._ready(leg)
        if any(leg_id in bridge.leg_ids for bridge in self._bridges.values()):
            return
        leg.background.add("silence")
        await self._ask(leg, "POST", f"channels/{q(leg_id)}/silence")

    async def survey(self) -> Sequence[Survey]:
        """Put the result through the inbox like an event: it is true between the facts told before and after it."""
        self._book.begin_survey()
        surveys = []
        try:
            for node in self._nodes.values():
                if node.is_back:
                    surveys.append(await self._survey(node))
        finally:
            ended = self._book.ended_meanwhile()
        return [
            replace(survey, legs=tuple(leg for leg in survey.legs if leg.leg_id not in ended)) for survey in surveys
        ]

    def _end_eavesdropping(self, node: NodeClient, found: Eavesdropping) -> None:
        """What nobody here listens through."""

    async def _survey(self, node: NodeClient) -> Survey:
        before = [leg for leg in self._book.of_node(node.name) if leg.confirmed]
        bridges_before = [bridge_id for bridge_id, bridge in self._bridges.items() if bridge.node is node]
        seen, eavesdropping = await survey_node(node)
        self._end_eavesdropping(node, eavesdropping)
        gone = self._book.ended_so_far() | self._turned_away
        entered = self._book.entered
        found = tuple(replace(leg, up=leg.up or leg.leg_id in entered) for leg in seen.legs if leg.leg_id not in gone)
        for leg in found:
            memory = self._book.find(leg.leg_id)
            if memory is None:
                limit_s = node.settings.inbound_limit_s if leg.inbound else 0.0
                memory = LegMemory(leg.leg_id, node, leg.inbound, limit_s)
                memory.rang = leg.ringing
                memory.background |= {"moh", "silence"}  # who was here before us may have left it so
                self._book.add(memory)
                if leg.away and leg.leg_id not in entered:
                    memory.away = asyncio.Event()
            elif leg.up:
                memory.come()  # while nobody watched
            memory.confirmed, memory.missed = True, False
            # One that arrived unseen may be up: answering it then still has to be told.
            memory.up = memory.up or (leg.up and not leg.inbound)
        there = {leg.leg_id for leg in found}
        for memory in before:
            if memory.leg_id in there:
                continue
            if memory.missed:
                self._book.forget(memory.leg_id)
            memory.missed = True  # its end may be on its way, and then says more than we know
        for bridge_id in bridges_before:
            self._bridges.pop(bridge_id, None)
        for bridge_id, leg_ids in seen.bridges.items():
            self._bridges[bridge_id] = BridgeMemory(node, list(leg_ids))
        return replace(seen, legs=found)
