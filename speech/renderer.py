"""Text in, the path of a sound out: what the engine calls for every spoken prompt.

A prompt takes the first of these ways that leads somewhere:

1. *ready*: it was rendered before, in the preferred voice: shipped with the flows, at load, or for another caller.
2. *joined*: phrases that are ready say it together ("Su saldo es" + "ciento" + "veinte" + "euros").
3. *live*: the preferred voice is fast enough to say it within the budget.
4. *fallback*: another voice says it now. A text that comes back is rendered in the good voice meanwhile.

So a caller waits at most the budget and the fallback's few milliseconds, whatever the model is doing.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter, OrderedDict
from collections.abc import Coroutine, Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from speech.audio import EXTENSION, write_whole
from speech.cache import PromptCache, path_without_extension, plain, prompt_key
from speech.errors import SpeechUnavailable, VoiceUnavailable
from speech.inventory import phrases_for
from speech.languages import choices
from speech.phrasebook import PhraseBook, Piece, joined_sound
from speech.prepare import Line, OnProgress, Prepared, phrase_lines, prepare
from speech.speaker import Speaker

_log = logging.getLogger(__name__)
_LONGEST_TEXT: Final = 1000
_JOINED: Final = "/joined"
_SWEEP_EVERY: Final = 200
_PASSING_S: Final = 3600.0
_PASSING_BYTES: Final = 64 * 2**20
_REMEMBERED: Final = 512
_REST_S: Final = 60.0
"""How long a voice that could not speak is not asked again for the sake of next time."""


class SpeechRenderer:
    """Renders prompts with `speakers`, the preferred one first.

    `shipped` and `kept` hold static prompts (`speech.prepare` fills `kept`), `passing` what is said to one caller.
    `budget_s` is how long a caller may wait for the preferred voice.
    """

    def __init__(
        self,
        speakers: Sequence[Speaker],
        *,
        kept: PromptCache,
        passing: PromptCache,
        shipped: PromptCache | None = None,
        budget_s: float = 0.25,
    ) -> None:
        self.speakers = tuple(speakers)
        self.kept, self.passing, self.shipped = kept, passing, shipped
        self.outcomes: Counter[str] = Counter()
        """How often each way was taken: ready, joined, live, fallback, failed."""
        self._budget_s = budget_s
        self._books: dict[str, PhraseBook] = {}
        self._in_flight: dict[tuple[str, str], asyncio.Task[Path]] = {}
        self._background: dict[str, asyncio.Task[None]] = {}
        self._asked: OrderedDict[str, None] = OrderedDict()
        self._resting_until_s = 0.0
        self._written = 0

    def ready(self, text: str, language: str) -> Path | None:
        """The prompt's path without extension, if the preferred voice has said it before. Costs some microseconds."""
        for speaker, tag in self._preferred(language):
            if file := self._find(speaker, tag, text):
                return path_without_extension(file)
        return None

    async def render(self, text: str, language: str) -> Path:
        """The absolute path, without extension, of a sound that says `text`.

        Texts beyond 1,000 characters are cut. Requests for the same text share one rendering.
        Raises `ValueError` when there is nothing to say or the tag is none, `SpeechUnavailable` when no voice can
        say it: play a recorded sound then.
        """
        text = plain(text)[:_LONGEST_TEXT]
        if not any(character.isalnum() for character in text):
            raise ValueError("there are no words to say: the prompt's text is empty")
        if path := self.ready(text, language):
            self.outcomes["ready"] += 1
            return path
        shared = self._in_flight.get((text, language))
        if shared is None:
            shared = asyncio.create_task(self._rendered(text, language), name="render a prompt")
            self._in_flight[text, language] = shared
            shared.add_done_callback(lambda _: self._in_flight.pop((text, language), None))
            shared.add_done_callback(_forget)
        # One caller hanging up must not silence the others who wait for the same words.
        return path_without_extension(await asyncio.shield(shared))

    async def render_once(self, text: str, language: str, path: Path) -> Path:
        """As `render`, for words that may not stay on disk: found in no cache afterwards, remembered nowhere.

        They are written to `path` with the extension added, which the caller deletes, unless a static prompt says
        them. Raises as `render`, and `OSError` when the file cannot be written.
        """
        text = plain(text)[:_LONGEST_TEXT]
        if not any(character.isalnum() for character in text):
            raise ValueError("there are no words to say: the prompt's text is empty")
        if found := self.ready(text, language):
            return found
        file = path.with_suffix(EXTENSION)
        pieces = self._book(language).split(text) or ()
        for speaker, tag in self._preferred(language) if pieces else ():
            if sounds := self._sounds_of(pieces, speaker, tag):
                await asyncio.to_thread(_write_once, file, sounds)
                return path
        able = self._able(language)
        quick = [each for each in able if each[0].estimate_s(text) <= self._budget_s]
        for speaker, spoken in (*quick, *(each for each in reversed(able) if each not in quick)):
            try:
                await speaker.speak(text, spoken[0], file)
            except (VoiceUnavailable, ValueError) as problem:
                _log.warning("the voice %s could not say a prompt: %s", speaker.voice.name, problem)
                continue
            return path
        raise SpeechUnavailable(f"no voice could say a text in {language!r}")

    def learn_phrase(self, text: str, language: str) -> None:
        """Lets `text`, once rendered, be a part of longer texts: the fixed words of a template."""
        self._book(language).add(text)

    async def prepare(
        self, lines: Iterable[Line], on_progress: OnProgress | None = None, *, crews: Sequence[Sequence[Speaker]] = ()
    ) -> Prepared:
        """Renders static prompts that are not ready yet, and the phrases that values in their languages need.

        Every line may be a whole prompt or the fixed words of a template. What is finished stays finished: after an
        interruption the rest is done. `crews` are more speakers that work at the same time.
        """
        lines = list(lines)
        for line in lines:
            self.learn_phrase(line.text, line.language)
        lanes = [self.speakers, *crews]
        among = [self.shipped] if self.shipped else []
        return await prepare([*lines, *phrase_lines(lines)], lanes, self.kept, among, on_progress)

    async def warm_up(self, languages: Sequence[str]) -> None:
        """Starts the voices that stay, each with the first of these languages it speaks: once, before calls come.

        Without it the first dynamic text waits 0.3 s for a process to start. A heavy voice is started by its work.
        """
        for speaker in self.speakers:
            if not speaker.stays:
                continue
            spoken = [tag for language in languages for tag in choices(language, speaker.voice.languages)]
            if spoken:
                try:
                    await speaker.warm_up(spoken[0])
                except (VoiceUnavailable, ValueError) as problem:
                    _log.warning("the voice %s stays silent: %s", speaker.voice.name, problem)

    async def close(self) -> None:
        """Ends the workers and what they were rendering."""
        tasks = [*self._background.values(), *self._in_flight.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*(speaker.close() for speaker in self.speakers))

    async def _rendered(self, text: str, language: str) -> Path:
        if file := await self._joined(text, language):
            self.outcomes["joined"] += 1
            return file
        started_s = time.monotonic()
        able = self._able(language)
        if able and (file := await self._live(*able[0], text, always=len(able) == 1)):
            self.outcomes["live"] += 1
            return file
        for speaker, spoken in able[1:]:
            try:
                file = self._find(speaker, spoken[0], text) or await self._speak(speaker, text, spoken[0])
            except (VoiceUnavailable, ValueError, OSError) as problem:
                _log.warning("the voice %s could not say a prompt: %s", speaker.voice.name, problem)
                continue
            self.outcomes["fallback"] += 1
            self._say_better_next_time(*able[0], text)
            return file
        self.outcomes["failed"] += 1
        _log.error("no voice could say a prompt in %s after %.1f s", language, time.monotonic() - started_s)
        raise SpeechUnavailable(
            f"no voice could say a text in {language!r}: run `python -m speech voices` to see what is missing"
        )

    async def _joined(self, text: str, language: str) -> Path | None:
        """The text from phrases that are ready in one language of the preferred voice."""
        pieces = self._book(language).split(text)
        if pieces is None:
            return None
        for speaker, spoken in self._preferred(language):
            key = prompt_key(speaker.voice.id_for(spoken) + _JOINED, spoken, text)
            if file := self.passing.find(key):
                return file
            if sounds := self._sounds_of(pieces, speaker, spoken):
                try:
                    return await asyncio.to_thread(_write_joined, self.passing, key, sounds)
                except OSError as problem:
                    _log.warning("phrases could not be joined: %s", problem)
                finally:
                    self._count_written()
        return None

    def _sounds_of(self, pieces: Sequence[Piece], speaker: Speaker, spoken: str) -> list[tuple[Path, float]]:
        """The phrases with the pauses after them; empty when one of them is not ready."""
        files = [self._find(speaker, spoken, piece.phrase) for piece in pieces]
        sounds = [(file, piece.pause_s) for file, piece in zip(files, pieces, strict=True) if file is not None]
        return sounds if len(sounds) == len(pieces) else []

    def _preferred(self, language: str) -> list[tuple[Speaker, str]]:
        """The preferred voice with each of its tags for the language, the nearest first."""
        return [(speaker, tag) for speaker, tags in self._able(language)[:1] for tag in tags]

    async def _live(self, speaker: Speaker, spoken: tuple[str, ...], text: str, *, always: bool) -> Path | None:
        """The preferred voice, if it will be fast enough, or in any case when it is the only one."""
        if not always and speaker.estimate_s(text) > self._budget_s:
            return None
        speaking = asyncio.ensure_future(self._speak(speaker, text, spoken[0]))
        done, _ = await asyncio.wait({speaking}, timeout=None if always else self._budget_s)
        if not done:
            speaking.add_done_callback(_forget)
            return None
        try:
            return speaking.result()
        except (VoiceUnavailable, ValueError, OSError) as problem:
            _log.warning("the voice %s could not say a prompt: %s", speaker.voice.name, problem)
        return None

    def _say_better_next_time(self, speaker: Speaker, spoken: tuple[str, ...], text: str) -> None:
        """A text that was asked for twice is rendered by the preferred voice, one such text at a time."""
        key = f"{spoken[0]} {text}"
        if key not in self._asked:
            self._asked[key] = None
            if len(self._asked) > _REMEMBERED:
                self._asked.popitem(last=False)
            return
        if not self._background and time.monotonic() > self._resting_until_s:
            work = self._quietly(self._speak(speaker, text, spoken[0]))
            task = asyncio.create_task(work, name="render a prompt again")
            self._background[key] = task
            task.add_done_callback(lambda _: self._background.pop(key, None))

    async def _quietly(self, work: Coroutine[Any, Any, Path]) -> None:
        try:
            await work
        except VoiceUnavailable as problem:
            self._resting_until_s = time.monotonic() + _REST_S
            _log.warning("prompts stay in the fallback voice for %g s: %s", _REST_S, problem)
        except (ValueError, OSError) as problem:
            _log.warning("a prompt stays in the fallback voice: %s", problem)

    async def _speak(self, speaker: Speaker, text: str, spoken: str) -> Path:
        file = self.passing.file(prompt_key(speaker.voice.id_for(spoken), spoken, text))
        await speaker.speak(text, spoken, file)
        self._count_written()
        return file

    def _able(self, language: str) -> list[tuple[Speaker, tuple[str, ...]]]:
        """Who speaks the language, in preference order, with their nearest tags. Raises `ValueError` for no tag."""
        able = ((speaker, choices(language, speaker.voice.languages)) for speaker in self.speakers)
        return [(speaker, spoken) for speaker, spoken in able if spoken]

    def _find(self, speaker: Speaker, spoken: str, text: str) -> Path | None:
        key = prompt_key(speaker.voice.id_for(spoken), spoken, text)
        for cache in (self.shipped, self.kept, self.passing):
            if cache is not None and (file := cache.find(key)):
                return file
        return None

    def _book(self, language: str) -> PhraseBook:
        base = language.replace("_", "-").partition("-")[0].lower()
        if base not in self._books:
            tags = dict.fromkeys([base, *(tag for tag in self._spoken() if tag.partition("-")[0] == base)])
            self._books[base] = PhraseBook(phrase for tag in tags for phrase in phrases_for(tag))
        return self._books[base]

    def _spoken(self) -> list[str]:
        return [tag for speaker in self.speakers for tag in speaker.voice.languages]

    def _count_written(self) -> None:
        self._written += 1
        if self._written % _SWEEP_EVERY == 0:
            sweeping = asyncio.ensure_future(asyncio.to_thread(_sweep, self.passing))
            sweeping.add_done_callback(_forget)


@lru_cache(maxsize=1024)
def _sound(file: Path) -> bytes:
    """A phrase's sound: a few kB, asked for again by every caller."""
    return file.read_bytes()


def _write_joined(cache: PromptCache, key: str, sounds: list[tuple[Path, float]]) -> Path:
    return cache.write(key, joined_sound((_sound(file), pause_s) for file, pause_s in sounds))


def _write_once(file: Path, sounds: list[tuple[Path, float]]) -> None:
    write_whole(file, joined_sound((_sound(file), pause_s) for file, pause_s in sounds))


def _sweep(cache: PromptCache) -> None:
    # The system clock, since it is compared with the files' times.
    cache.sweep(older_than_s=_PASSING_S, most_bytes=_PASSING_BYTES, now_s=time.time())


def _forget(done: asyncio.Future[Any]) -> None:
    """Takes the outcome of work nobody waits for, so that asyncio does not complain about it."""
    if not done.cancelled():
        done.exception()
