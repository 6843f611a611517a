"""Legs that are still there after a gap: who waited waits on, who talked talks on, what the gap hid is made up for."""

from __future__ import annotations

from core.events import LegAdopted
from core.leg import Leg
from core.leg_commands import MuteLeg, Play, StartMusic, UnbridgeLeg
from core.media import Tone
from engine import consult, conversation, offers, steps, supervision, talk_recording, waiting
from engine.contact import Conversation, Party
from engine.interaction import Surroundings, Turn
from ivr import interpreter


def adopted(turn: Turn, leg: Leg, event: LegAdopted, around: Surroundings, now_s: float) -> bool:
    """Whether the leg, still there after a gap, was theirs to look after."""
    interaction = turn.interaction
    if (offer := offers.find(turn, leg.leg_id)) is not None:
        if event.up and (party := offers.accepted(turn, offer)) is not None:
            consult.come(turn, party, offer.auto_answer, around, now_s)
        return True
    talk = interaction.talk
    if leg.leg_id == interaction.customer.leg_id:
        if interaction.waiting is not None and interaction.waiting.held:
            return False  # her flow has her
        if interaction.waiting is not None:
            _customer_waits(turn, around, now_s)
        elif talk is not None:
            _customer_talks(turn, talk, event, around, now_s)
            if interaction.recording is not None:
                talk_recording.resume(turn, interaction.recording)
        return interaction.waiting is not None or talk is not None
    if talk is not None and talk.supervisor is not None and talk.supervisor.leg_id == leg.leg_id:
        if event.up:
            supervision.came(turn, talk, talk.supervisor)
        return True
    party = talk.party(leg.leg_id) if talk is not None else None
    if talk is None or party is None:
        return False
    if event.up and not party.up:
        consult.reached(turn, party, around)
    else:
        rejoin(turn, talk, leg.leg_id, party.up and party.inside, event.bridge_id)
        if event.up:
            _as_she_was(turn, talk, party)
    return True


def _customer_waits(turn: Turn, around: Surroundings, now_s: float) -> None:
    interaction = turn.interaction
    stay = interaction.waiting
    assert stay is not None
    by_flow = interaction.run is not None and bool(stay.flow_stay_id)
    if by_flow and interaction.run is not None:
        step = interpreter.resume(around.world(interaction.release_id), interaction.run, now_s)
        steps.follow(turn, step, around, now_s)
    if turn.interaction.waiting is not None:
        waiting.resume(turn, around, now_s, with_music=not by_flow)


def _customer_talks(turn: Turn, talk: Conversation, event: LegAdopted, around: Surroundings, now_s: float) -> None:
    """Lines hear again who has them: the line's own leg may have been found first."""
    for party in talk.parties:
        conversation.borrow(turn, party)
        if party.line_interaction_id:
            _as_she_was(turn, talk, party)
    interaction = turn.interaction
    if interaction.parked is not None and interaction.run is not None:
        step = interpreter.resume(around.world(interaction.release_id), interaction.run, now_s)
        steps.follow(turn, step, around, now_s)
        return
    if talk.before:
        conversation.hurry(turn, around)
    elif talk.lead is not None:
        rejoin(turn, talk, event.leg_id, talk.customer_in, event.bridge_id)


def _as_she_was(turn: Turn, talk: Conversation, party: Party) -> None:
    """Muted or not: what she wished last may not have reached Asterisk. One beep for who has her customer on hold: the
    key that was to end it may have been lost in the gap."""
    if party.agent_id and party.up:
        turn.commands.append(MuteLeg(party.leg_id, party.muted))
    alone = party.inside and talk.other is None and talk.bridged and not talk.before
    if party.agent_id and alone and not talk.customer_in and turn.interaction.parked is None:
        turn.commands.append(Play(party.leg_id, f"{turn.interaction_id}.w{turn.number()}", (Tone("beep"),)))


def rejoin(turn: Turn, talk: Conversation, leg_id: str, inside: bool, found_in: str | None) -> None:
    """A leg that was found outside of the bridge it belongs to, or inside one it does not."""
    if found_in is None or talk.before or not talk.bridged:
        return
    if inside and found_in != talk.bridge_id:
        conversation.meet(turn, leg_id)
    elif not inside and found_in == talk.bridge_id:
        turn.commands += [UnbridgeLeg(leg_id, talk.bridge_id), StartMusic(leg_id, talk.served.music)]
