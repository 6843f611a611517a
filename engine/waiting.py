"""A caller waits for a person: music, her place and expected wait from time to time, a word of comfort.

begin --router--> left (its end goes to the flow, or to the next queue)
  |  <----------- announcements: music off, prompt, music on
  +-- leave: a key, a hang-up --> StayGivenUp
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from core.commands import CancelTimer, JoinQueue, StartTimer
from core.errors import CentralitaError
from core.events import QueueLeft
from core.interaction import InteractionEvent, InteractionState
from core.leg import LegState
from core.leg_commands import Play, StartMusic, StopMusic, StopPlayback
from core.media import Part
from core.routing import QueueJoined, QueuePosition, StayGivenUp
from engine import offers, talk_recording
from engine.config.queue_prompts import QueuePrompts, ewt_values
from engine.contact import Waiting
from engine.interaction import Interaction, Surroundings, Turn
from ivr.effects import longest_s
from ivr.prompts import Prompt

COMFORT, HEARD = "comfort", "heard"
_PREFIX = "wait:"
_NO_PROMPTS = QueuePrompts()


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
        _say(turn, (first,), "returned", around, now_s)
    elif turn.interaction.attempt is None and (notice := notice_due(turn, waiting, around)) is not None:
        _say(turn, (notice,), "notice", around, now_s)
    _arm(turn, around, now_s)


def notice_due(turn: Turn, waiting: Waiting, around: Surroundings) -> Prompt | None:
    """What she must have heard before she is recorded, while she has not."""
    if waiting.told_of_recording or not talk_recording.is_due(turn.interaction, waiting.queue, around):
        return None
    return prompts_for(turn.interaction, waiting, around).recording_notice


def prompts_for(interaction: Interaction, waiting: Waiting, around: Surroundings) -> QueuePrompts:
    return around.queue_prompts.get((interaction.tenant, waiting.queue), _NO_PROMPTS)


def music_for(interaction: Interaction, queue: str, wanted: str, around: Surroundings) -> str:
    """A flow's own choice, else the queue's."""
    setup = around.routing.queues.get((interaction.tenant, queue))
    return setup.music if setup is not None and wanted == "default" else wanted


def greet(turn: Turn, around: Surroundings, now_s: float) -> None:
    """She was away, and is on the line again."""
    waiting = turn.interaction.waiting
    assert waiting is not None
    notice = notice_due(turn, waiting, around)
    told = (prompts_for(turn.interaction, waiting, around).back, *((notice,) if notice is not None else ()))
    _say(turn, told, "notice" if notice is not None else "returned", around, now_s)
    _arm(turn, around, now_s)


def resume(turn: Turn, around: Surroundings, now_s: float, with_music: bool) -> None:
    """After a gap: nothing is known about what played, and no timer is armed. Her place was never lost."""
    waiting = turn.interaction.waiting
    assert waiting is not None
    _hush(turn, waiting)
    told = waiting.told_of_recording
    turn.interaction = turn.interaction.but(waiting=waiting.but(playing="", saying="", timers=()))
    if with_music:
        turn.commands.append(StartMusic(turn.interaction.customer.leg_id, waiting.music))
    if not told and (notice := notice_due(turn, waiting, around)) is not None:
        _say(turn, (notice,), "notice", around, now_s)
    _arm(turn, around, now_s)


def stop(turn: Turn, keep_notice: bool = False) -> Waiting:
    """The wait is over, however: its timers and announcement end. The stay itself is somebody else's to end.
    With `keep_notice`, one she is hearing goes on."""
    waiting = turn.interaction.waiting
    assert waiting is not None
    notice = keep_notice and waiting.saying == "notice"
    if not notice:
        _hush(turn, waiting)
    turn.commands.extend(CancelTimer(turn.interaction_id, timer_id) for timer_id in waiting.timers)
    waiting = waiting.but(timers=()) if notice else waiting.but(timers=(), playing="", saying="")
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
    """The same contact in a new stay."""
    return replace(joined, stay_id=f"{turn.interaction_id}.s{turn.number()}", **changes)


def for_colleague(turn: Turn, joined: QueueJoined, queue: str, agent_id: str, **changes: Any) -> QueueJoined:
    """The same contact in a new stay, for whoever serves `queue`, or for one agent in person: what its flow asked for
    was meant for the first queue."""
    fresh: dict[str, Any] = {"preferred_agent": "", "skills": "", "waited_s": 0.0}
    return another(turn, joined, queue=queue, agent_id="" if queue else agent_id, **fresh, **changes)


def waited_s(stay: Waiting, until_s: float) -> float:
    """All the time she has waited, in this stay and those it followed."""
    return stay.joined.waited_s + max(0.0, until_s - stay.since_s)


# -- announcements ---------------------------------------------------------------------------------
def fired(turn: Turn, timer_id: str, around: Surroundings, now_s: float) -> bool:
    """Whether the timer was this wait's."""
    if not timer_id.startswith(_PREFIX):
        return False
    waiting = turn.interaction.waiting
    if waiting is None or timer_id not in waiting.timers:
        return True
    turn.interaction = turn.interaction.but(waiting=waiting.but(timers=_without(waiting.timers, timer_id)))
    if timer_id == _timer_id(waiting, HEARD):
        heard(turn, waiting.playing, around)
        return True
    _arm(turn, around, now_s)
    if not waiting.playing:
        _comfort(turn, around, now_s)
    return True


def told(turn: Turn, event: QueuePosition, around: Surroundings, now_s: float) -> None:
    """The router says where she stands: so does the queue's announcement."""
    waiting = turn.interaction.waiting
    if waiting is None or event.stay_id != waiting.stay_id or waiting.playing:
        return
    prompts = prompts_for(turn.interaction, waiting, around)
    values = {"position": str(event.position), "waiting": str(event.waiting)}
    said = [prompts.position] if event.position > 0 and prompts.position is not None else []
    if event.ewt_s >= 0 and prompts.ewt is not None:
        values |= ewt_values((event.ewt_low_s, event.ewt_s, event.ewt_high_s), _language(turn.interaction, waiting))
        said.append(prompts.ewt)
    if event.callback and prompts.callback is not None:
        said.append(prompts.callback)
    _say(turn, said, "place", around, now_s, values)


def heard(turn: Turn, playback_id: str, around: Surroundings) -> bool:
    """Whether the playback was this wait's announcement: music again."""
    waiting = turn.interaction.waiting
    if waiting is None or not playback_id or waiting.playing != playback_id:
        return False
    overdue = _timer_id(waiting, HEARD)
    if overdue in waiting.timers:
        turn.commands.append(CancelTimer(turn.interaction_id, overdue))
    waiting = waiting.but(
        playing="",
        saying="",
        timers=_without(waiting.timers, overdue),
        told_of_recording=waiting.told_of_recording or waiting.saying == "notice",
    )
    turn.interaction = turn.interaction.but(waiting=waiting)
    turn.commands.append(StartMusic(turn.interaction.customer.leg_id, waiting.music))
    return True


def _comfort(turn: Turn, around: Surroundings, now_s: float) -> None:
    waiting = turn.interaction.waiting
    assert waiting is not None
    comfort = prompts_for(turn.interaction, waiting, around).comfort
    if comfort:
        turn.interaction = turn.interaction.but(waiting=waiting.but(comforted=waiting.comforted + 1))
        _say(turn, (comfort[waiting.comforted % len(comfort)],), "comfort", around, now_s)


def _say(
    turn: Turn, said: Sequence[Prompt], what: str, around: Surroundings, now_s: float, values: Mapping[str, str] = {}
) -> None:
    waiting = turn.interaction.waiting
    assert waiting is not None
    parts = words(turn, said, waiting, around, values)
    if not parts:
        return
    _hush(turn, waiting)
    playback_id = f"{turn.interaction_id}.w{turn.number()}"
    overdue = _timer_id(waiting, HEARD)
    leg_id = turn.interaction.customer.leg_id
    turn.commands += [
        StopMusic(leg_id),
        Play(leg_id, playback_id, parts),
        StartTimer(turn.interaction_id, overdue, now_s + longest_s(parts)),
    ]
    timers = (*_without(waiting.timers, overdue), overdue)
    changed = waiting.but(playing=playback_id, saying=what, timers=timers)
    turn.interaction = turn.interaction.but(waiting=changed)


def words(
    turn: Turn, said: Sequence[Prompt], waiting: Waiting, around: Surroundings, values: Mapping[str, object]
) -> tuple[Part, ...]:
    """The prompts in her language; what cannot be said is left out, and noted."""
    interaction = turn.interaction
    language = _language(interaction, waiting)
    known = {**prompts_for(interaction, waiting, around).constants, "language": language, **values}
    parts: list[Part] = []
    for prompt in said:
        try:
            parts += prompt.parts(known, language)
        except CentralitaError as failure:
            turn.note("prompt", f"it cannot be said: {failure}")
    return tuple(parts)


def _language(interaction: Interaction, waiting: Waiting) -> str:
    return interaction.run.language if interaction.run is not None else waiting.joined.language


def _hush(turn: Turn, waiting: Waiting) -> None:
    if waiting.playing and turn.interaction.customer.state is not LegState.ENDED:
        turn.commands.append(StopPlayback(turn.interaction.customer.leg_id, waiting.playing))


def _arm(turn: Turn, around: Surroundings, now_s: float) -> None:
    """The next word of comfort. Her place is told by the router, at its own times."""
    waiting = turn.interaction.waiting
    assert waiting is not None
    setup = around.routing.queues.get((turn.interaction.tenant, waiting.joined.queue))
    if setup is None or setup.announcements.comfort_every_s <= 0:
        return
    timer_id = _timer_id(waiting, COMFORT)
    turn.commands.append(StartTimer(turn.interaction_id, timer_id, now_s + setup.announcements.comfort_every_s))
    turn.interaction = turn.interaction.but(waiting=waiting.but(timers=(*_without(waiting.timers, timer_id), timer_id)))


def _timer_id(waiting: Waiting, what: str) -> str:
    return f"{_PREFIX}{waiting.stay_id}:{what}"


def _without(timers: tuple[str, ...], timer_id: str) -> tuple[str, ...]:
    return tuple(each for each in timers if each != timer_id)
