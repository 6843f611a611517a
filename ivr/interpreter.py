"""Runs a flow: one step per fact, values in and values out.

    step = start(world, Start(...), now_s)
    step = handle(world, step.run, event, now_s)      as often as something happens
    step = resume(world, step.run, now_s)             after a gap in which facts may have been missed

Nothing here raises, whatever the order of events: what a verb cannot do sends the caller to the node's error exit, and
a failure on the way out of a failure ends the call. Facts that crossed on the wire (the end of a playback that is no
longer ours, a timer that was replaced) are dropped; a run that has ended answers every fact with nothing.

**Secrets.** What a sensitive node is given lives in memory alone. After a restart the node itself is entered anew. A
secret *variable* that is missing is asked for again when it is next needed, not before: the node about to use it waits,
the node that set it is visited once more, and the caller goes on where she was; nothing between is done twice. A secret
argument of a subflow is asked for by the calling flow, so that subflow starts over.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from core.decisions import Noted
from core.events import (
    CommandRejected,
    DigitPressed,
    Event,
    LegAdopted,
    LegEnded,
    LegUp,
    PlaybackFinished,
    TimerFired,
)
from ivr.machine import Machine
from ivr.nodes import VERBS
from ivr.run import Ended, FlowRun, Frame, Start, Step, plain
from ivr.visit import World

__all__ = ["Ended", "FlowRun", "Start", "Step", "World", "handle", "resume", "start"]

_BENIGN = frozenset({"StopPlayback", "StopMusic", "StartMusic", "DiscardRecording", "StopRecording", "LeaveQueue"})
"""Commands whose failure changes nothing for the caller."""


def start(world: World, begin: Start, now_s: float) -> Step:
    """A call enters a flow. An unknown flow ends it as an error."""
    facts = {
        **{name: plain(value) for name, value in begin.variables.items()},
        "caller": begin.caller,
        "called": begin.called,
        "interaction_id": begin.interaction_id,
        **_clock_on_the_wall(begin.time_zone, int(now_s // 60)),
    }
    run = FlowRun(
        interaction_id=begin.interaction_id,
        leg_id=begin.leg_id,
        tenant=begin.tenant,
        release_id=world.release.id,
        language=begin.language,
        frames=(Frame(begin.flow_id),),
        facts=facts,
        seed=begin.seed,
        visit=begin.visit,
        serial=begin.serial,
        leg_up=begin.leg_up,
        quick_since_s=now_s,
    )
    machine = Machine(world, run, now_s)
    flow = machine.at.flow
    if flow is None:
        machine.end("error", f"there is no flow {begin.flow_id} for tenant {begin.tenant}")
    else:
        machine.at.begin(flow, machine.facts, frozenset())
        machine.take_turns(machine.enter(flow.start))
    return machine.step()


def handle(world: World, run: FlowRun, event: Event, now_s: float) -> Step:
    """One fact. Facts about other legs and interactions change nothing."""
    if run.ended or not _is_ours(run, event):
        return Step(run)
    machine = Machine(world, run, now_s)
    if type(event) is not LegEnded:
        if machine.at.node is None or run.verb not in VERBS:
            machine.end("error", f"flow {run.flow_id} has no node {run.node_id}")
            return machine.step()
        if run.secret and run.memory is None and run.leaving is None:
            machine.take_turns(machine.resume())  # a sensitive node that forgot what it was given: it asks again
            return machine.step()
    _TAKE.get(type(event), _tell)(machine, event)
    return machine.step()


def resume(world: World, run: FlowRun, now_s: float) -> Step:
    """After a gap: the present node asks again, keeping what it was given; its playback and timers begin anew."""
    if run.ended:
        return Step(run)
    machine = Machine(world, run, now_s)
    machine.take_turns(machine.resume())
    return machine.step()


@lru_cache(maxsize=256)
def _clock_on_the_wall(time_zone: str, minute: int) -> Mapping[str, str]:
    """The call's date and time where the tenant is; an unknown zone is UTC's."""
    try:
        zone = ZoneInfo(time_zone)
    except (KeyError, ValueError, OSError):
        zone = ZoneInfo("UTC")
    now = datetime.fromtimestamp(minute * 60, zone)
    return {"today": now.date().isoformat(), "time": now.strftime("%H:%M"), "weekday": str(now.isoweekday())}


def _is_ours(run: FlowRun, event: Event) -> bool:
    leg_id = getattr(event, "leg_id", "")
    if leg_id and leg_id != run.leg_id:
        return False
    return getattr(event, "interaction_id", run.interaction_id) == run.interaction_id


def _tell(machine: Machine, event: Event) -> None:
    if machine.leaving is None:
        machine.take_turns(machine.tell(event))


def _pressed(machine: Machine, event: DigitPressed) -> None:
    machine.take_turns(machine.press(event.digit))


def _fired(machine: Machine, event: TimerFired) -> None:
    effects = machine.effects
    if not effects.fired(event.timer_id):
        return
    if effects.is_watchdog(event.timer_id):
        playback_id = effects.playing
        effects.hush()
        _over(machine, PlaybackFinished(machine.run.leg_id, playback_id, "failed"))
    else:
        _tell(machine, event)


def _finished(machine: Machine, event: PlaybackFinished) -> None:
    if event.playback_id == machine.effects.playing:
        machine.effects.heard()
        _over(machine, event)


def _over(machine: Machine, event: PlaybackFinished) -> None:
    if event.how == "failed":
        machine.decisions.append(Noted("playback failed", event.playback_id))
    machine.take_turns(machine.tell(event) if machine.leaving is None else machine.go_on())


def _ended(machine: Machine, event: LegEnded) -> None:
    machine.hung_up(event.reason.value)


def _adopted(machine: Machine, event: LegAdopted) -> None:
    machine.effects.leg_up = event.up
    machine.take_turns(machine.resume())


def _up(machine: Machine, event: LegUp) -> None:
    machine.effects.leg_up = True


def _rejected(machine: Machine, event: CommandRejected) -> None:
    machine.decisions.append(Noted(f"{event.what} refused", event.why))
    if event.what == "Play":
        _finished(machine, PlaybackFinished(machine.run.leg_id, event.subject_id, "failed"))
    elif event.what in ("AnswerLeg", "event"):
        # "event": the runtime could not handle a fact of this call, so nobody knows where the node stands.
        machine.effects.leg_up = machine.effects.leg_up and event.what != "AnswerLeg"
        machine.take_turns(machine.fail(event.why) if machine.leaving is None else machine.go_on())
    elif event.what not in _BENIGN:
        _tell(machine, event)


_TAKE: Mapping[type, Callable[[Machine, Any], None]] = {
    DigitPressed: _pressed,
    PlaybackFinished: _finished,
    TimerFired: _fired,
    LegEnded: _ended,
    LegAdopted: _adopted,
    LegUp: _up,
    CommandRejected: _rejected,
}
