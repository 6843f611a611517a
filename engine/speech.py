"""The engine's side of speech: what is spoken as written is ready before anybody calls, the rest is made on demand.

Three places, looked up in this order: what the repository ships with its flows (read-only), what this
installation rendered at load (`prompts/kept`), what was said to one caller (`prompts/passing`, swept). What may not
stay on disk (`prompts/secret`) is deleted when it has been heard, and by the next start after a crash.
"""

from __future__ import annotations

import contextlib
import logging
import secrets
import shutil
from collections.abc import AsyncIterator, Iterable, Sequence
from pathlib import Path

from core.errors import CommandRefused
from core.media import Speech
from engine.home import Home
from speech.assembly import open_renderer
from speech.audio import EXTENSION
from speech.errors import SpeechUnavailable
from speech.prepare import Line, Prepared, Progress
from speech.renderer import SpeechRenderer

log = logging.getLogger("centralita.speech")

_REMEMBERED = 20_000


class _Preparing:
    """How far one preparation is; None while it looks what there is to do."""

    at: Progress | None = None

    def got_on(self, progress: Progress) -> None:
        self.at = progress


class PromptRenderer:
    """`Renderer` for the media resolver: paths of files, found without touching the disk twice."""

    def __init__(self, renderer: SpeechRenderer, secret: Path) -> None:
        self._renderer = renderer
        self._secret = secret
        self._static: dict[tuple[str, str], Path] = {}
        self._looked = False
        self._preparing: list[_Preparing] = []

    def ready(self, text: str, language: str) -> Path | None:
        key = (text, language)
        path = self._static.get(key)
        return path if path is not None else self._renderer.ready(text, language)

    async def render(self, text: str, language: str) -> Path:
        """Raises CommandRefused when no voice can say it."""
        try:
            return await self._renderer.render(text, language)
        except (SpeechUnavailable, ValueError) as failure:
            raise CommandRefused(str(failure)) from failure

    async def render_once(self, text: str, language: str) -> Path:
        """For sensitive values: `forget` the path when it has been heard. Raises CommandRefused."""
        try:
            return await self._renderer.render_once(text, language, self._secret / secrets.token_hex(16))
        except (SpeechUnavailable, ValueError) as failure:
            raise CommandRefused(str(failure)) from failure

    def forget(self, paths: Iterable[Path]) -> None:
        for path in paths:
            if path.parent == self._secret:
                with contextlib.suppress(OSError):
                    path.with_suffix(EXTENSION).unlink(missing_ok=True)

    def progress(self) -> dict[str, float] | None:
        """How far the newest `prepare` is; `total` 0 while it looks what there is to do, and before. None: all is
        done."""
        if self._looked and not self._preparing:
            return None
        at = self._preparing[-1].at if self._preparing else None
        if at is None:
            return {"done": 0, "total": 0, "remaining_s": 0.0}
        return {"done": at.done, "total": at.total, "remaining_s": round(at.remaining_s, 1)}

    async def prepare(self, texts: Iterable[Speech]) -> Prepared:
        """Renders what is not there yet; what is there is remembered with its path."""
        lines = [Line(speech.text, speech.language) for speech in texts]
        preparing = _Preparing()
        self._preparing.append(preparing)
        try:
            prepared = await self._renderer.prepare(lines, preparing.got_on)
        finally:
            self._preparing.remove(preparing)
            self._looked = True
        if len(self._static) > _REMEMBERED:
            self._static.clear()
        for line in lines:
            if (path := self._renderer.ready(line.text, line.language)) is not None:
                self._static[line.text, line.language] = path
        if prepared.rendered or prepared.failed:
            log.info("prompts: %d rendered, %d failed", prepared.rendered, len(prepared.failed))
        return prepared


@contextlib.asynccontextmanager
async def opened_renderer(home: Home, voices: Sequence[str], languages: Sequence[str]) -> AsyncIterator[PromptRenderer]:
    """`voices`: names, the preferred one first. They are warm when this is entered and end with the context."""
    secret = home.prompts / "secret"
    shutil.rmtree(secret, ignore_errors=True)
    secret.mkdir(parents=True)
    renderer = open_renderer(shipped=home.shipped_prompts, cache=home.prompts, voices=voices)
    try:
        await renderer.warm_up(languages)
        yield PromptRenderer(renderer, secret)
    finally:
        await renderer.close()
