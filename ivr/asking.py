"""Asking for digits: what menu, collect, toggle and record have in common.

A question is said, the clock for the first digit starts when it has been heard to its end, the first digit silences it.
Silence and wrong digits are counted apart; each is answered by its own prompt and the question again, until the
caller has used up her tries.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, TypeVar

import msgspec
from msgspec.structs import replace

from core.commands import Command
from core.decisions import Noted
from core.leg_commands import StopPlayback
from core.media import Part
from ivr.node import Leave, NodeModel, RetryHandler, Turn, Visit, fail

if TYPE_CHECKING:
    from ivr.prompts import Prompt

DEAF_S = 0.8
"""After a wrong key, so long are the rest of a burst of keys no further tries."""
INPUT = "input"
"""The purpose of the one timer: first digit, or next digit."""


class Asking(msgspec.Struct, frozen=True, omit_defaults=True):
    """`playback_id`: the question while it is being said, then empty. `typed`: the digits given so far."""

    playback_id: str = ""
    typed: str = ""
    no_inputs: int = 0
    no_matches: int = 0
    deaf_until_s: float = 0.0


A = TypeVar("A", bound=Asking)


def say(
    visit: Visit,
    memory: A,
    prompts: Sequence[Prompt | None],
    first_digit_s: float,
    extra: Mapping[str, object] | None = None,
    more: tuple[Part, ...] = (),
) -> Turn:
    """Says the prompts, and `more`, as one question and listens; what was typed is forgotten. A question without a word
    listens at once. A prompt without barge-in also forgets what was typed ahead."""
    said = [prompt for prompt in prompts if prompt is not None]
    parts = tuple(
        part for prompt in said for part in (visit.parts_with(prompt, extra) if extra else visit.parts(prompt))
    )
    parts += more
    flush = not all(prompt.barge_in for prompt in said)
    if not parts:
        return Turn(replace(memory, playback_id="", typed=""), (visit.timer(INPUT, first_digit_s),), flush=flush)
    play = visit.play(parts)
    commands: tuple[Command, ...] = (visit.cancel(INPUT), play) if memory.typed else (play,)
    return Turn(replace(memory, playback_id=play.playback_id, typed=""), commands, flush=flush)


def is_deaf(memory: Asking, prompt: Prompt | None, visit: Visit) -> bool:
    """Whether a digit now means nothing: the prompt must be heard out, or it is the rest of a burst."""
    if memory.playback_id and prompt is not None and not prompt.barge_in:
        return True
    return visit.now_s < memory.deaf_until_s


def hush(memory: Asking, visit: Visit) -> tuple[Command, ...]:
    """Stops the question if it is still being said."""
    return (StopPlayback(visit.leg_id, memory.playback_id),) if memory.playback_id else ()


def heard(memory: A, visit: Visit, first_digit_s: float) -> Turn:
    """The question has been heard, or could not be said: from now on silence counts."""
    return Turn(replace(memory, playback_id=""), (visit.timer(INPUT, first_digit_s),))


def try_again(
    node: NodeModel,
    handler: RetryHandler | None,
    which: Literal["no_input", "no_match"],
    memory: A,
    visit: Visit,
    ask: Callable[[A, Prompt | None], Turn],
    why: str = "",
) -> Turn:
    """Another try, or the way out when there is none left. `ask` says the handler's prompt and the question again."""
    used = memory.no_inputs if which == "no_input" else memory.no_matches
    if used < (2 if handler is None else handler.tries):
        if which == "no_input":
            memory = replace(memory, no_inputs=used + 1)
        else:
            memory = replace(memory, no_matches=used + 1, deaf_until_s=visit.now_s + DEAF_S)
        turn = ask(memory, handler.prompt if handler else None)
    elif handler is not None and handler.then is not None:
        turn = Turn(leave=Leave(which, handler.then))
    else:
        turn = fail(node, f"{which}: no tries left, and {which} has no `then`")
    decisions = (Noted(which, why), *turn.decisions) if why else turn.decisions
    # Digits after a wrong one were meant for questions the caller is not being asked.
    return replace(turn, decisions=decisions, flush=turn.flush or which == "no_match")
