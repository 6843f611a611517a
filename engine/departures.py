"""A campaign wants somebody called: which rule lets us, from which number of ours, and the leg that rings her. Pure."""

from __future__ import annotations

from dataclasses import replace

from core.attempt import ATTEMPT_TABLE, AttemptEvent
from core.decisions import InteractionClosed, LegJoined, Moved
from core.dialing import AttemptWanted
from core.interaction import InteractionEvent
from core.leg import EndReason, Leg, LegEvent, LegRole
from engine import screening
from engine.config.outbound import Permitted, Refused
from engine.contact import Attempt
from engine.interaction import Interaction, Surroundings, Turn
from engine.progress import close_with, keep, progress
from engine.ringing import ring

SETUP_S = 15.0
"""How long a network may take to find her before her phone rings: Asterisk gives up after this and the ringing time,
also when no engine lives."""


def open_(event: AttemptWanted, around: Surroundings, now_s: float) -> Turn:
    """A new interaction that dials her, or one that is over at once because an outbound rule refuses."""
    turn = _opened(event, around, now_s)
    verdict = _permit(event, around)
    if isinstance(verdict, Refused):
        turn.note("outbound_refused", verdict.why)
        _over_at_once(turn, f"outbound: {verdict.why}", now_s)
        return turn
    if any(rule.hourly for rule in around.outbound.rules if rule.name == verdict.rule):
        turn.dialed_by = verdict.rule  # of the others nobody counts the thousands
    turn.note("outbound_permitted", verdict.rule)
    keep(turn, event, kept=True)
    identity = event.identity or verdict.caller
    turn.interaction = turn.interaction.but(caller=identity, identity=identity)
    ring_s = max(event.ring_s, event.least_ring_s) + SETUP_S
    listen = screening.listening(event, ring_s, around.detection)
    ring(
        turn,
        event.leg_id,
        LegRole.CUSTOMER,
        verdict.endpoint,
        identity,
        ring_s,
        around.outbound,
        now_s,
        listen=listen,
        failover=verdict.ways_left(event.identity),
    )
    return turn


def _permit(event: AttemptWanted, around: Surroundings) -> Permitted | Refused:
    rules = around.outbound
    if {event.called, rules.normalise(event.called)} & rules.emergency_numbers:
        return Refused("no campaign calls an emergency number")
    return rules.permit(event.called, event.tenant, around.dialed)


def refuse(event: AttemptWanted, around: Surroundings, why: str, now_s: float) -> Turn:
    """It cannot be dialed at all: no room, or a fault of ours."""
    turn = _opened(event, around, now_s)
    turn.note("event_refused", why)
    _over_at_once(turn, why, now_s)
    return turn


def _opened(event: AttemptWanted, around: Surroundings, now_s: float) -> Turn:
    attempt = Attempt(replace(event, variables={}), dialed_s=now_s)
    turn = Turn(
        Interaction(
            interaction_id=event.interaction_id,
            tenant=event.tenant,
            channel="voice",
            called=event.called,
            caller=event.identity,
            entry="",
            opened_s=now_s,
            release_id=around.release_id,
            identity=event.identity,
            legs=(Leg(event.leg_id, LegRole.CUSTOMER, around.node, since_s=now_s),),
            values=dict(event.variables),
            attempt=attempt,
        )
    )
    turn.open("outbound", f"campaign {event.campaign}", event.flow, event.language)
    state, transition = ATTEMPT_TABLE.advance(event.attempt_id, attempt.state, AttemptEvent.DIAL)
    if transition is not None:  # the dialer knows: it asked for it
        turn.decisions.append(Moved(transition))
    turn.interaction = turn.interaction.but(attempt=attempt.but(state=state))
    return turn


def _over_at_once(turn: Turn, why: str, now_s: float) -> None:
    leg = turn.interaction.customer
    turn.decisions.append(LegJoined(turn.interaction_id, leg.leg_id, leg.role.value, leg.node))
    turn.advance(leg, LegEvent.ENDED, now_s, EndReason.FAILED)
    progress(turn, AttemptEvent.FAILED, why=why)
    close_with(turn)
    turn.move(InteractionEvent.CLOSE)
    turn.decisions.append(InteractionClosed(turn.interaction_id, turn.interaction.outcome))
