"""The prompts that the repository carries, so that the first call speaks at once.

`flows/sounds/rendered/` is a read-only prompt cache (8 kB a second of speech) with an `index.json` that says which
file says what. `ship` makes the directory hold exactly the static prompts of the shipped flows and the phrases for
values in their languages: it renders what is missing and removes what nobody uses.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from speech.audio import write_whole
from speech.cache import PromptCache
from speech.prepare import Line, OnProgress, Prepared, key_of, phrase_lines, prepare, spoken_by
from speech.speaker import Speaker

INDEX = "index.json"


@dataclass(frozen=True, slots=True)
class Shipped:
    """What `ship` did; `size` is the bytes of sound that are there now."""

    prepared: Prepared
    removed: int
    files: int
    size: int


async def ship(
    lines: Iterable[Line], directory: Path, lanes: Sequence[Sequence[Speaker]], on_progress: OnProgress | None = None
) -> Shipped:
    """Makes `directory` hold these lines and their languages' phrases in the first voice of the lanes, nothing else.

    Unused files are removed only when every line could be said.
    """
    lines = list(lines)
    wanted = [*lines, *phrase_lines(lines)]
    cache = PromptCache(directory)
    # One voice only: a prompt in the fallback voice would never be replaced by the good one.
    prepared = await prepare(wanted, [lane[:1] for lane in lanes], cache, (), on_progress)
    speaker = lanes[0][0]
    index = {}
    for line in wanted:
        spoken = spoken_by(speaker, line)
        if spoken:
            file = cache.file(key_of(speaker, spoken, line))
            index[str(file.relative_to(cache.directory))] = {
                "text": line.text,
                "language": spoken,
                "voice": speaker.voice.id_for(spoken),
            }
    removed = 0 if prepared.failed else _remove_all_but(cache, set(index))
    write_whole(
        directory / INDEX, (json.dumps(dict(sorted(index.items())), ensure_ascii=False, indent=1) + "\n").encode()
    )
    files = cache.files()
    return Shipped(prepared, removed, len(files), sum(file.stat().st_size for file in files))


def _remove_all_but(cache: PromptCache, used: set[str]) -> int:
    unused = [file for file in cache.files() if str(file.relative_to(cache.directory)) not in used]
    for file in unused:
        file.unlink()
        if not any(file.parent.iterdir()):
            file.parent.rmdir()
    return len(unused)
