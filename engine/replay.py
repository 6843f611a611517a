"""Yesterday's journal through the rules: the same events must give the same commands, or the difference is shown.

With the release each call was pinned to, a difference means that the code decides otherwise than it did. With
another release it means that the flow does: the first point where a caller would have been led elsewhere.
Beyond that point the recorded events answer questions nobody asked, so a call is followed to there and no further.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from core.commands import Command, StartTimer
from core.decisions import REQUEST_REFUSED, InteractionOpened, NodeEntered, Noted
from core.events import Event, RoutingDecided, ToggleSet
from engine.campaigns import DIALED
from engine.decide import BEGINNINGS, decide
from engine.interaction import Interaction, Surroundings
from engine.routing import ROUTED
from store.entry import Recorded

_ROUNDING_S = 1e-4

Result = Literal["same", "differs", "skipped"]


@dataclass(frozen=True, slots=True)
class Replayed:
    """One call. `at_seq`: the event of the first difference; `was`, `now`: the commands then and now; `node`: where
    the caller was; `why`: what was skipped, and why."""

    interaction_id: str
    events: int
    result: Result
    at_seq: int = 0
    event: str = ""
    node: str = ""
    was: tuple[Command, ...] = ()
    now: tuple[Command, ...] = ()
    why: str = ""


@dataclass(slots=True)
class _Call:
    around: Surroundings
    interaction: Interaction | None = None
    events: int = 0
    node: str = ""


def replay(records: Iterable[Recorded], around_for: Callable[[str], Surroundings | None]) -> Iterator[Replayed]:
    """Replays every call that begins within `records` (in the journal's order), and yields it when it is over.

    Args:
        around_for: what decisions may look at, for the release a call was pinned to; None when it is gone.
    """
    calls: dict[str, _Call] = {}
    toggles: dict[tuple[str, str], bool] = {}
    for record in records:
        if isinstance(record.event, ToggleSet):
            toggles = {**toggles, (record.event.tenant, record.event.toggle): record.event.value}
        if not record.interaction_id:
            continue
        call = calls.get(record.interaction_id)
        if call is None:
            opened = _begin(record, around_for)
            if opened is None:
                continue
            if isinstance(opened, Replayed):
                yield opened
                continue
            call = calls[record.interaction_id] = opened
        call.around = replace(call.around, toggles=toggles)
        ended = _step(call, record)
        if ended is not None:
            yield ended
            del calls[record.interaction_id]
    for interaction_id, call in calls.items():
        yield Replayed(interaction_id, call.events, "same", why="still open")


def _begin(record: Recorded, around_for: Callable[[str], Surroundings | None]) -> _Call | Replayed | None:
    if not isinstance(record.event, BEGINNINGS):
        return None
    pinned = next((d.flow_version for d in record.decisions if isinstance(d, InteractionOpened)), "")
    around = around_for(pinned)
    if around is None:
        return Replayed(
            record.interaction_id, 0, "skipped", record.seq, why=f"release {pinned} is not kept any more: try --now"
        )
    return _Call(around)


def _step(call: _Call, record: Recorded) -> Replayed | None:
    """What became of the call, once that is known."""
    if record.event is None:
        return Replayed(record.interaction_id, call.events, "skipped", record.seq, why=record.unreadable)
    event: Event = record.event
    if type(event) in ROUTED or type(event) in DIALED or isinstance(event, RoutingDecided):
        return None
    if getattr(event, "digit", None) == "":
        why = "sensitive digits are not kept"
        return Replayed(record.interaction_id, call.events, "skipped", record.seq, node=call.node, why=why)
    refused = next((d.why for d in record.decisions if isinstance(d, Noted) and d.what == REQUEST_REFUSED), "")
    # Who could be rung then, only the router knew.
    around = replace(call.around, hindered=lambda interaction, agent_id, now_s: refused)
    turn = decide(call.interaction, event, around, record.at_s).turn
    call.interaction = turn.interaction
    call.events += 1
    if not _alike(turn.commands, record.commands):
        return Replayed(
            record.interaction_id,
            call.events,
            "differs",
            record.seq,
            record.type,
            call.node,
            tuple(record.commands),
            tuple(turn.commands),
        )
    entered: Sequence[NodeEntered] = [d for d in turn.decisions if isinstance(d, NodeEntered)]
    if entered:
        call.node = f"{entered[-1].flow}.{entered[-1].node}"
    if turn.interaction.is_closed:
        return Replayed(record.interaction_id, call.events, "same")
    return None


def _alike(now: Sequence[Command], was: Sequence[Command]) -> bool:
    """Equal, but for what the journal's microseconds round off a timer."""
    if len(now) != len(was):
        return False
    for one, other in zip(now, was, strict=True):
        if isinstance(one, StartTimer) and isinstance(other, StartTimer):
            if abs(one.due_s - other.due_s) > _ROUNDING_S or replace(one, due_s=0.0) != replace(other, due_s=0.0):
                return False
        elif one != other:
            return False
    return True
