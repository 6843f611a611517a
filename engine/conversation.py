"""A customer and who talks with her: put together, held, taken apart.

    begin --whisper, notice--> connect --hold / resume--> over (her flow goes on, or she is hung up)
                                  |                         ^
                                  |  an agent leaves -------+
                                  +- an agent's phone vanishes --> back to the head of the queue

What consultations and transfers add is in `engine/consult.py` and `engine/handover.py`.
"""

from __future__ import annotations

from core.commands import CancelTimer, StartTimer
from core.events import QueueLeft
from core.interaction import InteractionEvent
from core.leg import LegState
from core.leg_commands import (
    BridgeLegs,
    DestroyBridge,
    HangUpLeg,
    MuteLeg,
    Play,
    StartMusic,
    StopListening,
    StopMusic,
    StopPlayback,
    UnbridgeLeg,
)
from core.line_facts import LineUsed
from core.media import Part
from core.queue_facts import StayGivenUp
from core.talk_facts import TalkChanged, TalkEnded
from engine import announcements, interlude, offers, steps, talk_recording, waiting
from engine.contact import Conversation, Party, Waiting
from engine.interaction import Surroundings, Turn
from ivr.effects import longest_s

_TIMER = "talk:"


def begin(turn: Turn, party: Party, auto_answered: bool, around: Surroundings, now_s: float) -> None:
    """An agent has taken the offer of who waits. Who could not see it coming hears a whisper first; a caller who is
    to be recorded has heard so."""
    stay = waiting.stop(turn, keep_notice=True)
    borrow(turn, party)
    bridge_id = f"{turn.interaction_id}.b{turn.number()}"
    before: list[tuple[str, str]] = []
    longest: list[float] = []
    party = party.but(stay_id="")
    if turn.interaction.attempt is None:  # whom we called has waited long enough: the law counts seconds
        if party.line_interaction_id or auto_answered:
            _whisper(turn, party, stay, around, before, longest)
        _notice(turn, stay, around, before, longest)
    served = stay.but(playing="", saying="", timers=())
    talk = Conversation(bridge_id, served, now_s, lead=party, before=tuple(before))
    turn.interaction = turn.interaction.but(talk=talk)
    turn.move(InteractionEvent.CONNECT)
    _begin_with(turn, talk, longest, around, now_s)


def tell_first(turn: Turn, around: Surroundings, now_s: float) -> None:
    """They are put together when the customer has heard what she must."""
    talk = turn.interaction.talk
    assert talk is not None
    before: list[tuple[str, str]] = []
    longest: list[float] = []
    _notice(turn, talk.served, around, before, longest)
    talk = talk.but(before=tuple(before))
    keep(turn, talk)
    _begin_with(turn, talk, longest, around, now_s)


def _begin_with(turn: Turn, talk: Conversation, longest: list[float], around: Surroundings, now_s: float) -> None:
    if talk.before:
        turn.commands.append(StartTimer(turn.interaction_id, _timer_id(talk), now_s + max(longest)))
    else:
        connect(turn, around)


def _whisper(
    turn: Turn,
    party: Party,
    stay: Waiting,
    around: Surroundings,
    before: list[tuple[str, str]],
    longest: list[float],
) -> None:
    prompt = announcements.prompts_for(turn.interaction, stay, around).whisper
    parts = announcements.words(turn, (prompt,), stay, around, known_of(turn))
    _say(turn, party.leg_id, parts, before, longest)


def known_of(turn: Turn) -> dict[str, object]:
    """What an agent may hear of the customer: what her flow knows but for secrets, and what was sent along."""
    run = turn.interaction.run
    secrets = run.frame.secrets if run is not None else {}
    known = dict(run.facts) | dict(run.variables) if run is not None else {}
    return {name: value for name, value in known.items() if name not in secrets} | turn.interaction.values


def _notice(
    turn: Turn, stay: Waiting, around: Surroundings, before: list[tuple[str, str]], longest: list[float]
) -> None:
    customer = turn.interaction.customer.leg_id
    if stay.saying == "notice":
        before.append((customer, stay.playing))
        longest.append(60.0)
    elif (prompt := waiting.notice_due(turn, stay, around)) is not None:
        turn.commands.append(StopMusic(customer))
        _say(turn, customer, announcements.words(turn, (prompt,), stay, around, {}), before, longest)


def _say(turn: Turn, leg_id: str, parts: tuple[Part, ...], before: list[tuple[str, str]], longest: list[float]) -> None:
    if parts:
        playback_id = f"{turn.interaction_id}.w{turn.number()}"
        turn.commands.append(Play(leg_id, playback_id, parts))
        before.append((leg_id, playback_id))
        longest.append(longest_s(parts))


def borrow(turn: Turn, party: Party) -> None:
    """A held line's leg is lent to this interaction from now on."""
    if party.line_interaction_id:
        turn.facts.append(LineUsed(party.line_interaction_id, party.leg_id, turn.interaction_id))


def played(turn: Turn, playback_id: str, around: Surroundings) -> bool:
    """Whether this playback stood between them; with the last one they are put together."""
    talk = turn.interaction.talk
    if talk is None or all(playback_id != each for _, each in talk.before):
        return False
    rest = tuple(each for each in talk.before if each[1] != playback_id)
    keep(turn, talk.but(before=rest, served=talk.served.but(told_of_recording=True)))
    if not rest:
        turn.commands.append(CancelTimer(turn.interaction_id, _timer_id(talk)))
        connect(turn, around)
    return True


def fired(turn: Turn, timer_id: str, around: Surroundings) -> bool:
    """The end of what is said first is overdue: nobody waits for it any longer."""
    if not timer_id.startswith(_TIMER):
        return False
    talk = turn.interaction.talk
    if talk is not None and talk.before and timer_id == _timer_id(talk):
        hurry(turn, around)
    return True


def hurry(turn: Turn, around: Surroundings) -> None:
    """Whatever is still being said is stopped, and they are put together."""
    talk = turn.interaction.talk
    assert talk is not None
    turn.commands.extend(StopPlayback(leg_id, playback_id) for leg_id, playback_id in talk.before)
    keep(turn, talk.but(before=()))
    connect(turn, around)


def connect(turn: Turn, around: Surroundings) -> None:
    """The customer and everybody who is to be in it meet in the bridge. Asked again, it stays as it is."""
    talk = turn.interaction.talk
    customer = turn.interaction.customer
    if talk is None or talk.before or customer.state is LegState.ENDED:
        return
    silence_ring(turn)
    inside = tuple(party.leg_id for party in talk.parties if party.up and party.inside)
    turn.commands.append(StopMusic(customer.leg_id))
    meet(turn, customer.leg_id, *inside)
    talk = talk.but(customer_in=True, bridged=True, ring=None)
    keep(turn, talk)
    if turn.interaction.attempt is not None and waiting.notice_due(turn, talk.served, around) is not None:
        turn.note("talk_recording", "nobody told her that she is recorded, so she is not")
        return
    talk_recording.start(turn, talk, around)


def meet(turn: Turn, *leg_ids: str) -> None:
    """In the conversation's bridge. Agents' keys are for us."""
    talk = turn.interaction.talk
    assert talk is not None
    keyed = [party.leg_id for party in talk.parties if party.agent_id and party.up]
    if talk.supervisor is not None and talk.supervisor.mode == "barge":
        keyed.append(talk.supervisor.leg_id)
    turn.commands.append(BridgeLegs(talk.bridge_id, leg_ids, tuple(keyed)))


def hold(turn: Turn) -> None:
    """The customer hears music until she is fetched back."""
    talk = turn.interaction.talk
    assert talk is not None
    customer = turn.interaction.customer.leg_id
    if talk.customer_in:
        turn.commands += [UnbridgeLeg(customer, talk.bridge_id), StartMusic(customer, talk.served.music)]
        keep(turn, talk.but(customer_in=False))


def set_aside(turn: Turn, party: Party, aside: bool) -> Party:
    """A party beside the customer hears music, or is fetched back. Returns it as it is now."""
    talk = turn.interaction.talk
    assert talk is not None
    if party.inside is not aside:
        return party
    if aside:
        turn.commands += [UnbridgeLeg(party.leg_id, talk.bridge_id), StartMusic(party.leg_id, talk.served.music)]
    else:
        turn.commands.append(StopMusic(party.leg_id))
        meet(turn, party.leg_id)
    return party.but(inside=not aside)


def silence_ring(turn: Turn) -> None:
    talk = turn.interaction.talk
    if talk is not None and talk.ring is not None:
        turn.commands.append(StopPlayback(*talk.ring))
        keep(turn, talk.but(ring=None))


def keep(turn: Turn, talk: Conversation | None) -> None:
    turn.interaction = turn.interaction.but(talk=talk)


def changed(turn: Turn, agent_id: str, what: str) -> None:
    if agent_id:
        turn.facts.append(TalkChanged(turn.interaction_id, agent_id, what))  # type: ignore[arg-type]


# -- the end -----------------------------------------------------------------------------------------
def let_go(turn: Turn, party: Party, how: str) -> None:
    """A party's part is over: her phone is hung up, her held line is given back, the router is told."""
    talk = turn.interaction.talk
    assert talk is not None
    if party.agent_id and party.up:
        turn.facts.append(TalkEnded(turn.interaction_id, party.agent_id, how))
    if not party.leg_id:
        offers.withdraw_all(turn, party.stay_id)
        turn.facts.append(StayGivenUp(turn.interaction_id, party.stay_id, "left_by_key"))
    elif party.line_interaction_id:
        _give_back(turn, party, talk)
    else:
        hang_up(turn, party.leg_id)


def hang_up(turn: Turn, leg_id: str) -> None:
    """A leg of ours, when it is there."""
    leg = turn.interaction.leg(leg_id)
    if leg is not None and leg.state is not LegState.ENDED:
        turn.commands.append(HangUpLeg(leg_id))


def let_supervisor_go(turn: Turn, talk: Conversation) -> None:
    """Whoever follows is hung up; a leg she called in with goes back to her own call, which then ends."""
    there = talk.supervisor
    if there is None:
        return
    if not there.line_interaction_id:
        hang_up(turn, there.leg_id)
        return
    if there.mode == "barge":
        turn.commands.append(UnbridgeLeg(there.leg_id, talk.bridge_id))
    else:
        turn.commands.append(StopListening(there.leg_id))
    turn.facts.append(LineUsed(there.line_interaction_id, there.leg_id))


def _give_back(turn: Turn, party: Party, talk: Conversation) -> None:
    """As it came: silent, heard again, in no bridge. A line that has ended does not mind."""
    turn.commands += [StopPlayback(leg_id, each) for leg_id, each in talk.before if leg_id == party.leg_id]
    if talk.ring is not None and talk.ring[0] == party.leg_id:
        turn.commands.append(StopPlayback(*talk.ring))
    if party.muted:
        turn.commands.append(MuteLeg(party.leg_id, muted=False))
    if talk.bridged and party.inside:
        turn.commands.append(UnbridgeLeg(party.leg_id, talk.bridge_id))
    elif not party.inside:
        turn.commands.append(StopMusic(party.leg_id))
    turn.facts.append(LineUsed(party.line_interaction_id, party.leg_id))


def dissolve(turn: Turn, how: str) -> Conversation:
    """Everybody beside the customer is let go, and the bridge is gone. She herself is somebody else's to look after."""
    talk = turn.interaction.talk
    assert talk is not None
    interlude.break_off(turn)
    offers.withdraw_all(turn)
    for party in talk.parties:
        let_go(turn, party, how)
    let_supervisor_go(turn, talk)
    customer = turn.interaction.customer
    if customer.state is not LegState.ENDED:
        turn.commands += [StopPlayback(leg, each) for leg, each in talk.before if leg == customer.leg_id]
        if talk.ring is not None and talk.ring[0] == customer.leg_id:
            turn.commands.append(StopPlayback(*talk.ring))
        if talk.bridged and not talk.customer_in:
            turn.commands.append(StopMusic(customer.leg_id))
    if talk.before:
        turn.commands.append(CancelTimer(turn.interaction_id, _timer_id(talk)))
    if talk.bridged:
        turn.commands.append(DestroyBridge(talk.bridge_id))
    talk_recording.stop(turn)
    keep(turn, None)
    return talk


def over(turn: Turn, how: str, around: Surroundings, now_s: float, outcome: str = "answered") -> None:
    """The conversation has ended and the customer is there: her flow goes on, else she is hung up."""
    talk = dissolve(turn, how)
    after_stay(turn, talk.served, outcome, around, now_s)


def after_stay(turn: Turn, stay: Waiting, outcome: str, around: Surroundings, now_s: float) -> None:
    """Nobody is with her any more and she does not wait: her flow is told how her stay went, or she is hung up."""
    if turn.interaction.run is None or not stay.flow_stay_id:
        turn.interaction = turn.interaction.but(outcome=turn.interaction.outcome or outcome)
        steps.hang_up(turn)
        return
    turn.move(InteractionEvent.FLOW)
    steps.feed(turn, QueueLeft(turn.interaction_id, stay.flow_stay_id, outcome), around, now_s)


def customer_gone(turn: Turn) -> None:
    """She has hung up, or must go: nothing of hers is left behind."""
    if turn.interaction.talk is not None:
        dissolve(turn, "lost" if turn.is_our_fault else "customer_hung_up")
    waiting.leave(turn)
    offers.withdraw_all(turn)
    talk_recording.stop(turn)


def _timer_id(talk: Conversation) -> str:
    return f"{_TIMER}{talk.bridge_id}"
