"""A caller hangs up and keeps her place: the same stay goes on without her line, and she is called, or rings back.

    hold --her number agreed--> she hangs up --> away
     |  \\--she waits on the line after all--> live again, at her place
     |
    away --agent first: an agent takes the offer--> called --she answers--> they talk
     ^  \\-customer first: her turn is near--------> called --she answers--> she waits, first in her queue
     |   \\ she rings back-------------------------------------------------> the same, at her place
     +---- not reached, and may be called again; she hung up while waiting

One leg of hers at a time: she is dialed only when the one before has ended, and never twice for one decision.
"""

from __future__ import annotations

from acd.setup import Callbacks
from core.callback import CallbackEvent, CallbackState
from core.commands import CancelTimer, StartTimer
from core.decisions import LegJoined
from core.events import (
    CommandOutcomeUnknown,
    CommandRejected,
    Event,
    LegArrived,
    LegEarlyMedia,
    LegEnded,
    LegRinging,
    LegUp,
    QueueLeft,
    TimerFired,
)
from core.interaction import InteractionEvent
from core.leg import EndReason, Leg, LegEvent, LegRole, LegState
from core.leg_commands import AnswerLeg, HangUpLeg
from core.queue_facts import StayGivenUp, StayTurned, TurnNear
from engine import called_back, offers, waiting
from engine.callback_promise import keep, progress
from engine.callback_rules import permit, settings_of
from engine.config.outbound import Refused
from engine.departures import SETUP_S
from engine.dialing import dial
from engine.interaction import Surroundings, Turn

TIMER = "callback:"
EXPIRY, LOOK, RING = f"{TIMER}expiry", f"{TIMER}look", f"{TIMER}ring"
SOON_S = 5.0
"""When the next call may come after one that we called off ourselves."""
_S, _E = CallbackState, CallbackEvent


# -- she is gone, and waits on -------------------------------------------------------------------------
def goes_on(turn: Turn, around: Surroundings, now_s: float) -> bool:
    """Her line has ended. Whether she waits without it."""
    callback, stay = turn.interaction.callback, turn.interaction.waiting
    if callback is None or not callback.state.is_open:
        return False
    if callback.state.is_away:
        return stay is not None or turn.interaction.talk is not None
    if stay is None:
        return False
    settings = settings_of(turn, stay.joined.queue, around)
    came_back = callback.state is _S.BACK
    if settings is None or (came_back and callback.attempts >= settings.attempts):
        _end(turn, _E.GAVE_UP if came_back else _E.CANCELLED)
        return False
    progress(turn, _E.HUNG_UP)
    turn.move(InteractionEvent.CALLBACK)
    kept = waiting.stop(turn).but(held=False, flow_stay_id="")
    turn.interaction = turn.interaction.but(waiting=kept)
    again_s = now_s + settings.retry_s if came_back else 0.0
    turn.facts.append(StayTurned(turn.interaction_id, kept.stay_id, "virtual", callback.first, again_s))
    turn.commands.append(StartTimer(turn.interaction_id, EXPIRY, callback.expires_s))
    return True


def take(turn: Turn, leg: Leg | None, event: Event, around: Surroundings, now_s: float) -> bool:
    """Whether the event was the callback's alone: nobody else hears of it. `leg`: the one it names, if it is ours."""
    interaction, callback = turn.interaction, turn.interaction.callback
    assert callback is not None
    if leg is not None and leg.role is LegRole.CUSTOMER and leg.leg_id != interaction.customer.leg_id:
        return True  # one she had before
    hers = leg is not None and leg.leg_id == interaction.customer.leg_id
    calling = callback.state is _S.CALLING
    match event:
        case TimerFired() if event.timer_id.startswith(TIMER):
            _fired(turn, event.timer_id, now_s)
        case TurnNear():
            stay = interaction.waiting
            if callback.state is _S.WAITING and stay is not None and stay.stay_id == event.stay_id:
                call(turn, around, now_s)
        case LegRinging() | LegEarlyMedia() if hers and calling:
            if not callback.rang_s:
                keep(turn, rang_s=now_s)
                _let_ring(turn, around)
        case LegUp() if hers and calling and not callback.called_off:
            progress(turn, _E.ANSWERED)
            _on_the_line(turn, around, now_s, head=True)
        case LegUp() if hers:
            pass
        case LegEnded() if hers and calling:
            failed(turn, event.reason.value, around, now_s)
        case CommandRejected() | CommandOutcomeUnknown() if calling and _not_dialed(turn, event, now_s):
            failed(turn, getattr(event, "why", "nobody knows whether it was dialed"), around, now_s)
        case QueueLeft() if callback.state.is_away or callback.state is _S.AGREED:
            return _left(turn, event, now_s)
        case _:
            return calling and called_back.take(turn, leg, event, around, now_s)
    return True


def _fired(turn: Turn, timer_id: str, now_s: float) -> None:
    callback, hers = turn.interaction.callback, turn.interaction.customer
    assert callback is not None
    if timer_id == RING:
        if callback.state is _S.CALLING and callback.rang_s and hers.state is not LegState.ENDED:
            turn.commands.append(HangUpLeg(hers.leg_id, EndReason.NO_ANSWER))
        return
    if timer_id == EXPIRY and callback.state is _S.WAITING and turn.interaction.talk is None:
        _end(turn, _E.EXPIRED)
    elif callback.state.is_away:
        at_s = callback.expires_s if timer_id == LOOK else now_s + 60.0
        turn.commands.append(StartTimer(turn.interaction_id, EXPIRY, at_s))


def _left(turn: Turn, event: QueueLeft, now_s: float) -> bool:
    """Her queue was removed, or a supervisor moved her: she waits on in the queue she is sent to, or the promise is
    off."""
    stay = turn.interaction.waiting
    callback = turn.interaction.callback
    if stay is None or callback is None or event.stay_id != stay.stay_id:
        return False
    if not event.target:
        turn.interaction = turn.interaction.but(waiting=None)
        _close(turn, _E.CANCELLED)
        return True
    waited_s = waiting.waited_s(stay, now_s)
    joined = waiting.another(turn, stay.joined, queue=event.target, waited_s=waited_s, mode="held")
    turn.interaction = turn.interaction.but(waiting=stay.but(joined=joined, since_s=now_s))
    turn.facts.append(joined)
    if callback.state.is_away:
        turn.facts.append(StayTurned(turn.interaction_id, joined.stay_id, "virtual", callback.first, event.again_s))
    return True


# -- she is called ---------------------------------------------------------------------------------------
def _let_ring(turn: Turn, around: Surroundings) -> None:
    """How long it rings is counted from the first ring, however long the network took to find her, so that no voicemail
    picks up in her place. Who never rings has the time that Asterisk gives her."""
    settings, callback = _settings(turn, around), turn.interaction.callback
    assert callback is not None
    if settings is not None:
        turn.commands.append(StartTimer(turn.interaction_id, RING, callback.rang_s + settings.ring_s))


def _settings(turn: Turn, around: Surroundings) -> Callbacks | None:
    """Of the queue that she waits in, or has been served from."""
    interaction = turn.interaction
    stay = interaction.waiting or (interaction.talk.served if interaction.talk is not None else None)
    return settings_of(turn, stay.joined.queue if stay is not None else "", around)


def call(turn: Turn, around: Surroundings, now_s: float) -> bool:
    """Her phone is rung, once the line she had has ended. Whether it is. Who is on a do-not-call list by now is not."""
    interaction, callback = turn.interaction, turn.interaction.callback
    assert callback is not None
    settings = _settings(turn, around)
    if interaction.customer.state is not LegState.ENDED or settings is None:
        return False
    if why := around.listed(interaction.tenant, callback.number):
        turn.note("callback_refused", why)
        _end(turn, _E.REFUSED)
        return False
    progress(turn, _E.DIAL)
    keep(turn, attempts=callback.attempts + 1, called_off=False, rang_s=0.0)
    verdict = permit(turn, callback.number, settings, around)
    if isinstance(verdict, Refused):
        failed(turn, verdict.why, around, now_s)
        return False
    leg_id = dial(turn, verdict, LegRole.CUSTOMER, around, now_s, settings.ring_s + SETUP_S, settings.caller)
    _her_leg(turn, leg_id)
    return True


def failed(turn: Turn, why: str, around: Surroundings, now_s: float) -> None:
    """She was not reached. Who waited for her with us is free again; she keeps her place until the next call."""
    callback = turn.interaction.callback
    assert callback is not None
    turn.note("callback", f"not reached, call {callback.attempts}: {why}")
    stay = called_back.let_agent_go(turn)
    settings = settings_of(turn, stay.joined.queue if stay is not None else "", around)
    if stay is None or settings is None or (callback.attempts >= settings.attempts and not callback.called_off):
        _end(turn, _E.GAVE_UP)
        return
    progress(turn, _E.FAILED)
    again_s = now_s + (SOON_S if callback.called_off else settings.retry_s)
    if callback.called_off:
        keep(turn, attempts=callback.attempts - 1, called_off=False)
    turn.facts.insert(0, StayTurned(turn.interaction_id, stay.stay_id, "virtual", callback.first, again_s))


def _not_dialed(turn: Turn, event: CommandRejected | CommandOutcomeUnknown, now_s: float) -> bool:
    """Whether it was her leg that could not be dialed. It is hung up in case it exists, and counts as ended."""
    leg = turn.interaction.customer
    if event.what != "OriginateLeg" or leg.leg_id not in (getattr(event, "leg_id", ""), event.subject_id):
        return False
    if leg.state is not LegState.ENDED:
        turn.commands.append(HangUpLeg(leg.leg_id, EndReason.FAILED))
        turn.advance(leg, LegEvent.ENDED, now_s, EndReason.FAILED)
    return True


# -- she is on the line again -----------------------------------------------------------------------------
def rang_back(turn: Turn, event: LegArrived, around: Surroundings, now_s: float) -> None:
    """She calls us before we reach her: she has her place, on the line."""
    if not turn.interaction.is_away or turn.interaction.leg(event.leg_id) is not None:
        return
    before = turn.interaction.customer
    if before.state is not LegState.ENDED:
        turn.commands.append(HangUpLeg(before.leg_id))
    leg = Leg(event.leg_id, LegRole.CUSTOMER, event.node, since_s=now_s)
    turn.interaction = turn.interaction.with_leg(leg)
    turn.decisions.append(LegJoined(turn.interaction_id, leg.leg_id, leg.role.value, leg.node))
    turn.advance(leg, LegEvent.ARRIVED, now_s)
    _her_leg(turn, event.leg_id)
    progress(turn, _E.RANG_BACK)
    turn.commands.append(AnswerLeg(event.leg_id))
    _on_the_line(turn, around, now_s, head=False)


def _on_the_line(turn: Turn, around: Surroundings, now_s: float, head: bool) -> None:
    if turn.interaction.talk is not None:
        called_back.meet(turn, around, now_s)
        return
    stay = turn.interaction.waiting
    assert stay is not None
    turn.move(InteractionEvent.QUEUE)
    node = turn.interaction.customer.node
    turn.facts.append(StayTurned(turn.interaction_id, stay.stay_id, "live", head=head, node=node))
    waiting.greet(turn, around, now_s)


def adopted(turn: Turn, leg: Leg, up: bool, around: Surroundings, now_s: float) -> bool:
    """After a gap. Whether there is nothing else to do about her leg."""
    callback = turn.interaction.callback
    if callback is None or leg.leg_id != turn.interaction.customer.leg_id:
        return False
    if callback.state is _S.CALLING:
        if up and not callback.called_off:
            progress(turn, _E.ANSWERED)
            _on_the_line(turn, around, now_s, head=True)
        elif up:
            turn.commands.append(HangUpLeg(leg.leg_id))
        elif callback.rang_s:  # it rings still: who answered meanwhile is not to be hung up on
            _let_ring(turn, around)
        return True
    run = turn.interaction.run
    if callback.state is _S.AGREED and (run is None or run.ended):
        turn.commands.append(HangUpLeg(leg.leg_id))
        return True
    return False


def look(turn: Turn) -> None:
    """After every event: whatever led to it, who talks with an agent has been reached."""
    interaction = turn.interaction
    callback = interaction.callback
    if callback is not None and callback.state is _S.BACK and interaction.talk is not None:
        progress(turn, _E.REACHED)
        turn.commands.append(CancelTimer(turn.interaction_id, EXPIRY))


def _her_leg(turn: Turn, leg_id: str) -> None:
    """This leg is the customer's from now on."""
    legs = turn.interaction.legs
    ordered = sorted(legs, key=lambda leg: leg.leg_id != leg_id)
    turn.interaction = turn.interaction.but(legs=tuple(ordered))


# -- the end -----------------------------------------------------------------------------------------------
def _end(turn: Turn, event: CallbackEvent) -> None:
    """Nobody will be called: her stay is over."""
    stay = called_back.let_agent_go(turn) or turn.interaction.waiting
    if stay is not None:
        if turn.interaction.waiting is not None:
            waiting.stop(turn)
        offers.withdraw_all(turn)
        turn.facts.insert(0, StayGivenUp(turn.interaction_id, stay.stay_id, "callback"))
    _close(turn, event)


def _close(turn: Turn, event: CallbackEvent) -> None:
    progress(turn, event)
    callback = turn.interaction.callback
    assert callback is not None
    if turn.interaction.customer.state is LegState.ENDED:
        turn.commands.append(CancelTimer(turn.interaction_id, EXPIRY))
        outcome = turn.interaction.outcome or f"callback_{callback.state.value}"
        turn.interaction = turn.interaction.but(outcome=outcome)
