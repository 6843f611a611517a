"""What a caller hears while she waits for a person: music, her place and expected wait from time to time, a word of
comfort. One announcement at a time; the music stops for it and goes on after it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core.callback import CallbackState
from core.commands import CancelTimer, StartTimer
from core.errors import CentralitaError
from core.leg import LegState
from core.leg_commands import Play, StartMusic, StopMusic, StopPlayback
from core.media import Part
from core.queue_facts import QueuePosition
from engine.config.queue_prompts import QueuePrompts, ewt_values
from engine.contact import Waiting
from engine.interaction import Interaction, Surroundings, Turn
from ivr.effects import longest_s
from ivr.prompts import Prompt

COMFORT, HEARD = "comfort", "heard"
_PREFIX = "wait:"
_NO_PROMPTS = QueuePrompts()


def prompts_for(interaction: Interaction, waiting: Waiting, around: Surroundings) -> QueuePrompts:
    return around.queue_prompts.get((interaction.tenant, waiting.queue), _NO_PROMPTS)


def fired(turn: Turn, timer_id: str, around: Surroundings, now_s: float) -> bool:
    """Whether the timer was this wait's."""
    if not timer_id.startswith(_PREFIX):
        return False
    waiting = turn.interaction.waiting
    if waiting is None or timer_id not in waiting.timers:
        return True
    turn.interaction = turn.interaction.but(waiting=waiting.but(timers=_without(waiting.timers, timer_id)))
    if timer_id == _timer_id(waiting, HEARD):
        heard(turn, waiting.playing, around, now_s)
        return True
    arm(turn, around, now_s)
    _comfort(turn, around, now_s)
    return True


def told(turn: Turn, event: QueuePosition, around: Surroundings, now_s: float) -> None:
    """The router says where she stands: so does the queue's announcement."""
    waiting = turn.interaction.waiting
    if waiting is None or event.stay_id != waiting.stay_id or waiting.saying == "place":
        return
    if waiting.playing:
        turn.interaction = turn.interaction.but(waiting=waiting.but(place_due=event))
        return
    prompts = prompts_for(turn.interaction, waiting, around)
    values = {"position": str(event.position), "waiting": str(event.waiting)}
    said = [prompts.position] if event.position > 0 and prompts.position is not None else []
    if event.ewt_s >= 0 and prompts.ewt is not None:
        values |= ewt_values((event.ewt_low_s, event.ewt_s, event.ewt_high_s), _language(turn.interaction, waiting))
        said.append(prompts.ewt)
    if event.callback and prompts.callback is not None and not _is_back(turn):
        said.append(prompts.callback)
    say(turn, said, "place", around, now_s, values)


def heard(turn: Turn, playback_id: str, around: Surroundings, now_s: float) -> bool:
    """Whether the playback was this wait's announcement: then what fell due meanwhile, and music again. Two that recur
    at the same times would else never both be heard."""
    waiting = turn.interaction.waiting
    if waiting is None or not playback_id or waiting.playing != playback_id:
        return False
    overdue = _timer_id(waiting, HEARD)
    if overdue in waiting.timers:
        turn.commands.append(CancelTimer(turn.interaction_id, overdue))
    place, comfort = waiting.place_due, waiting.comfort_due
    waiting = waiting.but(
        playing="",
        saying="",
        timers=_without(waiting.timers, overdue),
        told_of_recording=waiting.told_of_recording or waiting.saying == "notice",
        place_due=None,
        comfort_due=False,
    )
    turn.interaction = turn.interaction.but(waiting=waiting)
    if place is not None:
        told(turn, place, around, now_s)
    if comfort:
        _comfort(turn, around, now_s)
    if not _is_told_something(turn):
        turn.commands.append(StartMusic(turn.interaction.customer.leg_id, waiting.music))
    return True


def _is_told_something(turn: Turn) -> bool:
    waiting = turn.interaction.waiting
    return waiting is not None and bool(waiting.playing)


def _comfort(turn: Turn, around: Surroundings, now_s: float) -> None:
    waiting = turn.interaction.waiting
    assert waiting is not None
    comfort = prompts_for(turn.interaction, waiting, around).comfort
    if waiting.playing:
        later = waiting.saying != "comfort"
        turn.interaction = turn.interaction.but(waiting=waiting.but(comfort_due=later))
    elif comfort:
        turn.interaction = turn.interaction.but(waiting=waiting.but(comforted=waiting.comforted + 1))
        say(turn, (comfort[waiting.comforted % len(comfort)],), "comfort", around, now_s)


def say(
    turn: Turn, said: Sequence[Prompt], what: str, around: Surroundings, now_s: float, values: Mapping[str, str] = {}
) -> None:
    """Instead of the music, and of what she hears now. `what`: `notice` for one that she must have heard."""
    waiting = turn.interaction.waiting
    assert waiting is not None
    parts = words(turn, said, waiting, around, values)
    if not parts:
        return
    hush(turn, waiting)
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


def hush(turn: Turn, waiting: Waiting) -> None:
    """Whatever is being announced stops."""
    if waiting.playing and turn.interaction.customer.state is not LegState.ENDED:
        turn.commands.append(StopPlayback(turn.interaction.customer.leg_id, waiting.playing))


def _is_back(turn: Turn) -> bool:
    """Whether she was away: her flow ended when she hung up, and no key leads anywhere now, so none is told to her."""
    callback = turn.interaction.callback
    return callback is not None and callback.state is CallbackState.BACK


def arm(turn: Turn, around: Surroundings, now_s: float) -> None:
    """The next word of comfort, in which a queue names its keys. Her place is told by the router, at its own times."""
    waiting = turn.interaction.waiting
    assert waiting is not None
    setup = around.routing.queues.get((turn.interaction.tenant, waiting.joined.queue))
    if setup is None or setup.announcements.comfort_every_s <= 0 or _is_back(turn):
        return
    timer_id = _timer_id(waiting, COMFORT)
    turn.commands.append(StartTimer(turn.interaction_id, timer_id, now_s + setup.announcements.comfort_every_s))
    turn.interaction = turn.interaction.but(waiting=waiting.but(timers=(*_without(waiting.timers, timer_id), timer_id)))


def _timer_id(waiting: Waiting, what: str) -> str:
    return f"{_PREFIX}{waiting.stay_id}:{what}"


def _without(timers: tuple[str, ...], timer_id: str) -> tuple[str, ...]:
    return tuple(each for each in timers if each != timer_id)
