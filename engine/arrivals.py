"""A leg comes in: which flow answers it, or which phone it wants. Pure."""

from __future__ import annotations

from hashlib import sha256

from core.agent_facts import PhoneUsed
from core.commands import Transfer
from core.decisions import LegJoined
from core.errors import EventRefused
from core.events import LegArrived
from core.interaction import InteractionEvent
from core.leg import EndReason, Leg, LegEvent, LegRole
from core.leg_commands import HangUpLeg, Play, TurnAwayLeg
from core.media import Tone
from engine.config.numbers import Route
from engine.config.outbound import Permitted, Refused
from engine.interaction import Interaction, Surroundings, Turn, interaction_id_for
from engine.steps import follow
from engine.transfers import start_transfer
from ivr import interpreter
from ivr.interpreter import Start

DIRECT_RING_S = 60.0


def arrive(event: LegArrived, around: Surroundings, now_s: float) -> Turn:
    """A new interaction for a leg that came in: a flow answers it, or it is connected with the phone it dialed."""
    route = around.numbers.route(event.called, event.entry)
    if event.entry in around.outbound.devices:
        match _asked(event, route, around):
            case Permitted() as permitted:
                return _connect(event, _of_its_tenant(event, route, around), permitted, around, now_s)
            case Refused(why) if around.outbound.is_public(event.called):
                return _refuse(event, _of_its_tenant(event, route, around), why, around, now_s)
    turn = Turn(_opened(event, route, around, now_s))
    interaction_id = turn.interaction.interaction_id
    release = around.releases[around.release_id]
    flow_id, rule = route.flow, route.rule
    if route.calendar and route.closed_flow:
        status = release.calendars[route.flows_of, route.calendar].status(now_s)
        if not status.is_open:
            flow_id, rule = route.closed_flow, f"{route.rule}, {route.calendar}: {status.why}"
    flow = release.flow(route.flows_of, flow_id)
    if flow is None:
        raise EventRefused(f"{rule} leads to flow '{flow_id}', which tenant {route.flows_of} does not have")
    language = route.language or flow.languages[0]
    turn.open("inbound", rule, flow_id, language)
    _join(turn, now_s)
    if event.entry in around.outbound.devices:
        turn.facts.append(PhoneUsed(interaction_id, event.entry, used=True))
    start = Start(
        interaction_id=interaction_id,
        leg_id=event.leg_id,
        tenant=route.flows_of,
        flow_id=flow_id,
        language=language,
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
    verdict = _asked(event, route, around)
    return verdict if isinstance(verdict, Permitted) else None


def _asked(event: LegArrived, route: Route, around: Surroundings) -> Permitted | Refused | None:
    """What the outbound rules of its tenant say of what one of our phones dialed; None: it is a number of ours."""
    tenant = around.numbers.tenant_of(event.entry)
    if not route.is_default:
        if event.called not in around.outbound.emergency_numbers:
            return None
        verdict = around.outbound.permit(event.called, tenant, around.dialed)
        return verdict if isinstance(verdict, Permitted) else None
    return around.outbound.permit(event.called, tenant, around.dialed)


def _of_its_tenant(event: LegArrived, route: Route, around: Surroundings) -> Route:
    """What a phone dials is its own tenant's matter, also where the main tenant's default would have answered."""
    return route.on_behalf_of(around.numbers.tenant_of(event.entry))


def _refuse(event: LegArrived, route: Route, why: str, around: Surroundings, now_s: float) -> Turn:
    """Her phone says so: who dials a public number that she may not have must not believe that she was put through.
    Other digits that are nobody's reach the default flow."""
    turn = Turn(_opened(event, route, around, now_s).but(outcome="refused"))
    turn.open("outbound", "outbound refused")
    turn.note("outbound_refused", why)
    _join(turn, now_s)
    turn.commands.append(HangUpLeg(event.leg_id, EndReason.REJECTED))
    return turn


def _connect(event: LegArrived, route: Route, permitted: Permitted, around: Surroundings, now_s: float) -> Turn:
    """A phone calls a phone, or out: no flow, one transfer, ringback meanwhile."""
    turn = Turn(_opened(event, route, around, now_s))
    interaction_id = turn.interaction.interaction_id
    direction = "outbound" if permitted.endpoint.startswith("trunk:") else "internal"
    turn.open(direction, f"outbound {permitted.rule}")
    _join(turn, now_s)
    turn.facts.append(PhoneUsed(interaction_id, event.entry, used=True))
    turn.move(InteractionEvent.TRANSFER)
    ringback = f"{interaction_id}.ringback"
    # Outside, a phone shows a number that people there can call back: its own, if it has a public one.
    outside = permitted.endpoint.startswith("trunk:") and not event.caller.startswith("+")
    caller = "" if outside else event.caller
    wanted = Transfer(interaction_id, event.leg_id, ringback, event.called, DIRECT_RING_S, caller)
    start_transfer(turn, wanted, around.outbound, around.dialed, now_s)
    turn.commands.append(Play(event.leg_id, ringback, (Tone("ringback"),)))
    return turn


def _opened(event: LegArrived, route: Route, around: Surroundings, now_s: float) -> Interaction:
    device = event.entry if event.entry in around.outbound.devices else ""
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
        legs=(Leg(event.leg_id, LegRole.CUSTOMER, event.node, since_s=now_s, device=device),),
    )


def _join(turn: Turn, now_s: float) -> None:
    leg = turn.interaction.customer
    turn.decisions.append(LegJoined(turn.interaction.interaction_id, leg.leg_id, leg.role.value, leg.node))
    turn.advance(leg, LegEvent.ARRIVED, now_s)
    turn.move(InteractionEvent.FLOW)


def turn_away(event: LegArrived, around: Surroundings, why: str, now_s: float) -> Turn:
    """A leg that arrived and cannot be served at all: it goes to overflow, and the journal says why."""
    turn = Turn(_opened(event, Route("main", "", "", why), around, now_s).but(outcome="error"))
    turn.open("inbound", "turned away")
    turn.note("turned_away", why)
    _join(turn, now_s)
    turn.commands.append(TurnAwayLeg(event.leg_id))
    return turn
