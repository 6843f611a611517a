"""A caller agrees to be called back, and her place is held meanwhile; or she waits on after all.

hold --agree--> agreed: when she hangs up, engine/callbacks.py goes on
 \\--stay_on--> she waits on the line, at her place
  \\--drop----> she wanted something else
"""

from __future__ import annotations

from dataclasses import replace

from core.callback import CALLBACK_TABLE, CallbackEvent
from core.commands import JoinQueue, RequestCallback
from core.decisions import Moved
from core.events import CommandRejected, Event
from core.interaction import InteractionEvent
from core.queue_facts import StayGivenUp, StayTurned
from engine import offers, waiting
from engine.callback_rules import permit, settings_of
from engine.config.outbound import Refused
from engine.contact import Callback, Waiting
from engine.interaction import Surroundings, Turn

_E = CallbackEvent


def hold(turn: Turn, around: Surroundings) -> bool:
    """She asks for a callback: nobody is offered her while she agrees on it. Whether her queue has such."""
    stay = turn.interaction.waiting
    if stay is None or turn.interaction.attempt is not None or settings_of(turn, stay.joined.queue, around) is None:
        return False
    stay = waiting.stop(turn)
    offers.withdraw_all(turn)
    turn.interaction = turn.interaction.but(waiting=stay.but(held=True, flow_stay_id=""))
    turn.facts.append(StayTurned(turn.interaction_id, stay.stay_id, "held"))
    return True


def agree(turn: Turn, command: RequestCallback, around: Surroundings, now_s: float) -> Event | None:
    """Her number is confirmed. An answer when it cannot be; else the command is answered when it is safe."""
    interaction, stay = turn.interaction, turn.interaction.waiting
    queue = command.queue or (stay.joined.queue if stay is not None and stay.held else "")
    settings = settings_of(turn, queue, around)
    known = interaction.callback
    if settings is None or interaction.attempt is not None or (known and known.callback_id == command.callback_id):
        turn.commands.append(command)
        return None
    verdict = permit(turn, command.target, settings, around)
    if isinstance(verdict, Refused):
        turn.note("callback_refused", verdict.why)
        return CommandRejected(turn.interaction_id, "", "RequestCallback", verdict.why, subject_id=command.callback_id)
    if stay is None or stay.joined.queue != queue:
        drop(turn)
        _join_away(turn, queue, command, now_s)
    callback = Callback(command.callback_id, command.target, settings.first, now_s + settings.expiry_s)
    turn.interaction = turn.interaction.but(callback=callback)
    turn.commands.append(command)
    return None


def _join_away(turn: Turn, queue: str, command: RequestCallback, now_s: float) -> None:
    """She has not waited on the line at all."""
    wish = JoinQueue(turn.interaction_id, turn.interaction.customer.leg_id, command.callback_id, queue)
    stay_id = f"{turn.interaction_id}.s{turn.number()}"
    joined = replace(waiting.joined_by(turn, wish), stay_id=stay_id, mode="held")
    turn.interaction = turn.interaction.but(waiting=Waiting(joined, now_s, held=True))
    turn.facts.append(joined)


def stay_on(turn: Turn, command: JoinQueue, music: str, around: Surroundings, now_s: float) -> bool:
    """Her flow lets her wait again. Whether that is the stay she has: then she goes on at her place."""
    stay = turn.interaction.waiting
    if stay is None or not stay.held:
        return False
    if stay.joined.queue != command.queue:
        drop(turn)
        return False
    progress(turn, _E.CANCELLED)
    stay = stay.but(held=False, flow_stay_id=command.stay_id, music=music)
    turn.interaction = turn.interaction.but(waiting=stay, callback=None)
    turn.move(InteractionEvent.QUEUE)
    turn.facts.append(StayTurned(turn.interaction_id, stay.stay_id, "live"))
    waiting.resume(turn, around, now_s, with_music=False)
    return True


def drop(turn: Turn) -> None:
    """She wants something else: a stay that was held is given up, and what was agreed with it."""
    stay = turn.interaction.waiting
    if stay is not None and stay.held:
        progress(turn, _E.CANCELLED)
        turn.interaction = turn.interaction.but(waiting=None, callback=None)
        turn.facts.append(StayGivenUp(turn.interaction_id, stay.stay_id, "left_by_key"))


# -- its life ----------------------------------------------------------------------------------------------
def progress(turn: Turn, event: CallbackEvent) -> None:
    """Raises EventRefused."""
    callback = turn.interaction.callback
    if callback is None:
        return
    state, transition = CALLBACK_TABLE.advance(callback.callback_id, callback.state, event)
    if transition is not None:
        keep(turn, state=state)
        turn.decisions.append(Moved(transition))


def keep(turn: Turn, **changes: object) -> None:
    callback = turn.interaction.callback
    assert callback is not None
    turn.interaction = turn.interaction.but(callback=callback.but(**changes))
