"""Static prompts are rendered before anybody calls: in preference order of voices, in several lanes, resumably."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from speech.cache import PromptCache, plain, prompt_key
from speech.errors import VoiceUnavailable
from speech.inventory import phrases_for
from speech.languages import choices
from speech.speaker import Speaker


@dataclass(frozen=True, slots=True)
class Line:
    """Words to be spoken in `language`."""

    text: str
    language: str


@dataclass(frozen=True, slots=True)
class Progress:
    """`done` of `total` new prompts are rendered, the last one `line`; the rest takes about `remaining_s`.

    It begins with none: `line` is the first then, and nobody knows how long it takes.
    """

    done: int
    total: int
    line: Line
    remaining_s: float


OnProgress = Callable[[Progress], None]


@dataclass(slots=True)
class Prepared:
    """What came of it: prompts that were `ready` before, `rendered` now, `failed` with the reason."""

    ready: int = 0
    rendered: int = 0
    failed: list[tuple[Line, str]] = field(default_factory=list)


def phrase_lines(lines: Iterable[Line]) -> list[Line]:
    """The phrases for values in the languages of these lines."""
    languages = dict.fromkeys(line.language for line in lines)
    return [Line(phrase, language) for language in languages for phrase in phrases_for(language)]


def spoken_by(speaker: Speaker, line: Line) -> str | None:
    """The language in which this speaker would say the line; None when it cannot."""
    try:
        return next(iter(choices(line.language, speaker.voice.languages)), None)
    except ValueError:
        return None


def key_of(speaker: Speaker, spoken: str, line: Line) -> str:
    return prompt_key(speaker.voice.id_for(spoken), spoken, line.text)


async def prepare(
    lines: Iterable[Line],
    lanes: Sequence[Sequence[Speaker]],
    into: PromptCache,
    among: Sequence[PromptCache] = (),
    on_progress: OnProgress | None = None,
) -> Prepared:
    """Renders into `into` every line that the first voice of a lane has not said yet, there or in `among`.

    Each lane is speakers in preference order and renders one line at a time; all lanes have the same voices. A line
    that the first voice cannot say is said by the next. Nothing is raised for a line: see `Prepared.failed`.
    """
    outcome = Prepared()
    wanted: dict[str, Line] = {}
    for line in lines:
        key = next((key for key in (_key_if_any(speaker, line) for speaker in lanes[0]) if key), None)
        if key is None:
            outcome.failed.append((line, f"no voice speaks {line.language!r} or the text is empty"))
        elif any(cache.find(key) for cache in (into, *among)):
            outcome.ready += 1
        else:
            wanted.setdefault(key, line)
    waiting, total, started_s = deque(wanted.values()), len(wanted), time.monotonic()

    if on_progress and waiting:
        on_progress(Progress(0, total, waiting[0], 0.0))

    async def work(lane: Sequence[Speaker]) -> None:
        while waiting:
            line = waiting.popleft()
            problem = await _say(line, lane, into)
            if problem:
                outcome.failed.append((line, problem))
            else:
                outcome.rendered += 1
            if on_progress:
                done = outcome.rendered + len(outcome.failed)
                left_s = (time.monotonic() - started_s) / done * max(total - done, 0)
                on_progress(Progress(done, total, line, left_s))

    await asyncio.gather(*(work(lane) for lane in lanes))
    return outcome


def _key_if_any(speaker: Speaker, line: Line) -> str | None:
    if not any(character.isalnum() for character in plain(line.text)):
        return None
    spoken = spoken_by(speaker, line)
    return key_of(speaker, spoken, line) if spoken else None


async def _say(line: Line, lane: Sequence[Speaker], into: PromptCache) -> str:
    """Says the line with the first speaker that can; why none could, or ""."""
    problems = []
    for speaker in lane:
        spoken = spoken_by(speaker, line)
        if spoken is None:
            continue
        file = into.file(key_of(speaker, spoken, line))
        if file.is_file():
            return ""
        try:
            await speaker.speak(plain(line.text), spoken, file)
            return ""
        except (VoiceUnavailable, ValueError, OSError) as problem:
            problems.append(f"{speaker.voice.name}: {problem}")
    return "; ".join(problems)
