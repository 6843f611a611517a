"""A leg comes in: which flow answers it, or which phone it wants. Pure."""

from __future__ import annotations

from hashlib import sha256

from core.commands import Transfer
from core.decisions import InteractionOpened, LegJoined, Noted
from core.errors import EventRefused
from core.events import LegArrived
from core.interaction import InteractionEvent
from core.leg import Leg, LegEvent, LegRole
from core.leg_commands import Play, TurnAwayLeg
from core.media import Tone
from core.routing import PhoneUsed
from engine.config.numbers import Route
from engine.config.outbound import Permitted
from engine.interaction import Interaction, Surroundings, Turn, interaction_id_for
from engine.steps import follow
from engine.transfers import start_transfer
from ivr import interpreter
from ivr.interpreter import Start

DIRECT_RING_S = 60.0


def arrive(event: LegArrived, around: Surroundings, now_s: float) -> Turn:
    """A new interaction for a leg that came in: a flow answers it, or it is connected with the phone it dialed."""
    route = around.numbers.route(event.called, event.entry)
    if event.entry in around.outbound.devices and (permitted := wanted_phone(event, route, around)) is not None:
        return _connect(event, route, permitted, around, now_s)
    turn = Turn(_opened(event, route, around, now_s))
    interaction_id = turn.interaction.interaction_id
    release = around.releases[around.release_id]
    flow_id, rule = route.flow, route.rule
    if route.calendar and route.closed_flow:
        status = release.calendars[route.tenant, route.calendar].status(now_s)
        if not status.is_open:
            flow_id, rule = route.closed_flow, f"{route.rule}, {route.calendar}: {status.why}"
    flow = release.flow(route.tenant, flow_id)
    if flow is None:
        raise EventRefused(f"{rule} leads to flow '{flow_id}', which tenant {route.tenant} does not have")
    turn.decisions.append(
        InteractionOpened(
            interaction_id=interaction_id,
            tenant=route.tenant,
            channel="voice",
            direction="inbound",
            called=event.called,
            caller=event.caller,
            flow=flow_id,
            flow_version=around.release_id,
            language=route.language or flow.languages[0],
            rule=rule,
        )
    )
    _join(turn, now_s)
    if event.entry in around.outbound.devices:
        turn.facts.append(PhoneUsed(interaction_id, event.entry, used=True))
    start = Start(
        interaction_id=interaction_id,
        leg_id=event.leg_id,
        tenant=route.tenant,
        flow_id=flow_id,
        language=route.language or flow.languages[0],
        caller=event.caller,
        called=event.called,
        variables={"caller_name": event.caller_name},
        time_zone=around.time_zone,
        seed=int.from_bytes(sha256(interaction_id.encode()).digest()[:4], "big"),
    )
    follow(turn, interpreter.start(around.world(around.release_id), start, now_s), around, now_s)
    return turn


def wanted_phone(event: LegArrived, route: Route, around: Surroundings) -> Permitted | None:
    """Whom one of our own phones calls, when it is no number of ours and the outbound rules allow it. A carrier's
    caller never gets here: nobody outside can dial through us."""
    emergency = event.called in around.outbound.emergency_numbers
    if not (route.is_default or emergency):
        return None
    verdict = around.outbound.permit(event.called, route.tenant, around.dialed)
    return verdict if isinstance(verdict, Permitted) else None


def _connect(event: LegArrived, route: Route, permitted: Permitted, around: Surroundings, now_s: float) -> Turn:
    """A phone calls a phone, or out: no flow, one transfer, ringback meanwhile."""
    turn = Turn(_opened(event, route, around, now_s))
    interaction_id = turn.interaction.interaction_id
    turn.decisions.append(
        InteractionOpened(
            interaction_id=interaction_id,
            tenant=route.tenant,
            channel="voice",
            direction="outbound" if permitted.endpoint.startswith("trunk:") else "internal",
            called=event.called,
            caller=event.caller,
            flow="",
            flow_version=around.release_id,
            language="",
            rule=f"outbound {permitted.rule}",
        )
    )
    _join(turn, now_s)
    turn.facts.append(PhoneUsed(interaction_id, event.entry, used=True))
    turn.move(InteractionEvent.TRANSFER)
    ringback = f"{interaction_id}.ringback"
    caller = "" if permitted.endpoint.startswith("trunk:") else event.caller
    wanted = Transfer(interaction_id, event.leg_id, ringback, event.called, DIRECT_RING_S, caller)
    start_transfer(turn, wanted, around.outbound, around.dialed, now_s)
    turn.commands.append(Play(event.leg_id, ringback, (Tone("ringback"),)))
    return turn


def _opened(event: LegArrived, route: Route, around: Surroundings, now_s: float) -> Interaction:
    return Interaction(
        interaction_id=interaction_id_for(event.leg_id),
        tenant=route.tenant,
        channel="voice",
        called=event.called,
        caller=event.caller,
        entry=event.entry,
        opened_s=now_s,
        release_id=around.release_id,
        identity=route.identity,
        legs=(Leg(event.leg_id, LegRole.CUSTOMER, event.node, since_s=now_s),),
    )


def _join(turn: Turn, now_s: float) -> None:
    leg = turn.interaction.customer
    turn.decisions.append(LegJoined(turn.interaction.interaction_id, leg.leg_id, leg.role.value, leg.node))
    turn.advance(leg, LegEvent.ARRIVED, now_s)
    turn.move(InteractionEvent.FLOW)


def turn_away(event: LegArrived, around: Surroundings, why: str, now_s: float) -> Turn:
    """A leg that arrived and cannot be served at all: it goes to overflow, and the journal says why."""
    turn = Turn(_opened(event, Route("main", "", "", why), around, now_s).but(outcome="error"))
    opened = InteractionOpened(
        interaction_id=turn.interaction.interaction_id,
        tenant="main",
        channel="voice",
        direction="inbound",
        called=event.called,
        caller=event.caller,
        flow="",
        flow_version=around.release_id,
        language="",
        rule="turned away",
    )
    turn.decisions.extend((opened, Noted("turned_away", why)))
    _join(turn, now_s)
    turn.commands.append(TurnAwayLeg(event.leg_id))
    return turn
