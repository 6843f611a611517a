"""A caller waits for a person. What she hears meanwhile is in `engine/announcements.py`.

begin --router--> left (its end goes to the flow, or to the next queue)
  |  <----------- announcements: music off, prompt, music on
  +-- leave: a key, a hang-up --> StayGivenUp
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from core.commands import CancelTimer, JoinQueue
from core.events import QueueLeft
from core.interaction import InteractionEvent, InteractionState
from core.leg_commands import StartMusic
from core.queue_facts import QueueJoined, StayGivenUp
from engine import announcements, offers, talk_recording
from engine.contact import Waiting
from engine.interaction import Interaction, Surroundings, Turn
from ivr.prompts import Prompt

_QUIET = {"playing": "", "saying": "", "place_due": None, "comfort_due": False}


def joined_by(turn: Turn, command: JoinQueue) -> QueueJoined:
    """A flow's wish to wait, as the router hears it."""
    interaction = turn.interaction
    run = interaction.run
    return QueueJoined(
        interaction_id=turn.interaction_id,
        stay_id=command.stay_id,
        tenant=interaction.tenant,
        queue=command.queue,
        channel=channel_of(interaction),
        priority=command.priority,
        skills=command.skills,
        value=command.value,
        preferred_agent=command.preferred_agent,
        language=run.language if run is not None else "",
        node=interaction.customer.node,
    )


def channel_of(interaction: Interaction) -> str:
    return "call" if interaction.channel == "voice" else interaction.channel


def begin(turn: Turn, waiting: Waiting, around: Surroundings, now_s: float, first: Prompt | None = None) -> None:
    """She waits from now on. `first` is said before there is music; without it there must be music already."""
    if turn.interaction.state is not InteractionState.QUEUED:
        turn.move(InteractionEvent.QUEUE)
    run = turn.interaction.run
    if run is not None and run.notified:
        waiting = waiting.but(told_of_recording=True)
    turn.interaction = turn.interaction.but(waiting=waiting)
    turn.facts.append(waiting.joined)
    if first is not None:
        announcements.say(turn, (first,), "returned", around, now_s)
    elif turn.interaction.attempt is None and (notice := notice_due(turn, waiting, around)) is not None:
        announcements.say(turn, (notice,), "notice", around, now_s)
    announcements.arm(turn, around, now_s)


def notice_due(turn: Turn, waiting: Waiting, around: Surroundings) -> Prompt | None:
    """What she must have heard before she is recorded, while she has not."""
    if waiting.told_of_recording or not talk_recording.is_due(turn.interaction, waiting.queue, around):
        return None
    return announcements.prompts_for(turn.interaction, waiting, around).recording_notice


def music_for(interaction: Interaction, queue: str, wanted: str, around: Surroundings) -> str:
    """A flow's own choice, else the queue's."""
    setup = around.routing.queues.get((interaction.tenant, queue))
    return setup.music if setup is not None and wanted == "default" else wanted


def greet(turn: Turn, around: Surroundings, now_s: float) -> None:
    """She was away, and is on the line again."""
    waiting = turn.interaction.waiting
    assert waiting is not None
    notice = notice_due(turn, waiting, around)
    told = (
        announcements.prompts_for(turn.interaction, waiting, around).back,
        *((notice,) if notice is not None else ()),
    )
    announcements.say(turn, told, "notice" if notice is not None else "returned", around, now_s)
    announcements.arm(turn, around, now_s)


def resume(turn: Turn, around: Surroundings, now_s: float, with_music: bool) -> None:
    """After a gap: nothing is known about what played, and no timer is armed. Her place was never lost."""
    waiting = turn.interaction.waiting
    assert waiting is not None
    announcements.hush(turn, waiting)
    told = waiting.told_of_recording
    turn.interaction = turn.interaction.but(waiting=waiting.but(**_QUIET, timers=()))
    if with_music:
        turn.commands.append(StartMusic(turn.interaction.customer.leg_id, waiting.music))
    if not told and (notice := notice_due(turn, waiting, around)) is not None:
        announcements.say(turn, (notice,), "notice", around, now_s)
    announcements.arm(turn, around, now_s)


def stop(turn: Turn, keep_notice: bool = False) -> Waiting:
    """The wait is over, however: its timers and announcement end. The stay itself is somebody else's to end.
    With `keep_notice`, one she is hearing goes on."""
    waiting = turn.interaction.waiting
    assert waiting is not None
    notice = keep_notice and waiting.saying == "notice"
    if not notice:
        announcements.hush(turn, waiting)
    turn.commands.extend(CancelTimer(turn.interaction_id, timer_id) for timer_id in waiting.timers)
    goes_on = {"playing": waiting.playing, "saying": waiting.saying} if notice else {}
    waiting = waiting.but(**{**_QUIET, **goes_on}, timers=())
    turn.interaction = turn.interaction.but(waiting=None)
    return waiting


def leave(turn: Turn, outcome: str = "abandoned") -> None:
    """She, or her flow, gives up waiting: whoever rings for her stops ringing."""
    if turn.interaction.waiting is None:
        return
    waiting = stop(turn)
    offers.withdraw_all(turn)
    if waiting.held:
        outcome = "left_by_key"
    if outcome == "abandoned" and turn.is_our_fault:
        outcome = "lost"
    turn.facts.append(StayGivenUp(turn.interaction_id, waiting.stay_id, outcome))


def overflow(turn: Turn, event: QueueLeft, around: Surroundings, now_s: float) -> bool:
    """Whether the stay goes on in another queue, with the time she has waited."""
    waiting = turn.interaction.waiting
    if waiting is None or not event.target or event.outcome != "overflowed":
        return False
    announced = bool(waiting.playing)
    before = stop(turn)
    offers.withdraw_all(turn)
    joined = another(turn, before.joined, queue=event.target, agent_id="", waited_s=waited_s(before, now_s))
    music = music_for(turn.interaction, event.target, "default", around)
    if announced or music != before.music:
        turn.commands.append(StartMusic(turn.interaction.customer.leg_id, music))
    begin(turn, before.but(joined=joined, since_s=now_s, music=music), around, now_s)
    return True


def another(turn: Turn, joined: QueueJoined, **changes: Any) -> QueueJoined:
    """The same contact in a new stay, in which nobody is spared because of what happened before the last one."""
    changes = {"spared_agents": (), **changes}
    return replace(joined, stay_id=f"{turn.interaction_id}.s{turn.number()}", **changes)


def for_colleague(turn: Turn, joined: QueueJoined, queue: str, agent_id: str, **changes: Any) -> QueueJoined:
    """The same contact in a new stay, for whoever serves `queue`, or for one agent in person: what its flow asked for
    was meant for the first queue."""
    fresh: dict[str, Any] = {"preferred_agent": "", "skills": "", "waited_s": 0.0}
    return another(turn, joined, queue=queue, agent_id="" if queue else agent_id, **fresh, **changes)


def waited_s(stay: Waiting, until_s: float) -> float:
    """All the time she has waited, in this stay and those it followed."""
    return stay.joined.waited_s + max(0.0, until_s - stay.since_s)
