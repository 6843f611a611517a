"""A voice in a worker process, seen from asyncio.

The model's memory, its seconds of computing and its crashes stay in the worker, which is started by the first
request, started again when it dies, and stopped when nobody has asked for a while.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import logging
import sys
from collections import deque
from pathlib import Path
from typing import Any, Final

from speech.errors import VoiceUnavailable
from speech.ports import Voice
from speech.speaker import Pace, seconds_of

_log = logging.getLogger(__name__)
_DEATHS_TOLERATED: Final = 3
_DEATHS_WITHIN_S: Final = 60.0
_REST_S: Final = 30.0
_ENDING_S: Final = 2.0


class WorkerDied(VoiceUnavailable):
    """The worker ended in the middle of a request."""


class WorkerSpeaker:
    """Keeps `Speaker` by a worker process.

    At most `most_pending` requests wait (more are refused with `VoiceUnavailable`); a request without any answer
    for `stall_s` ends the worker; after `idle_s` without requests it is stopped and its memory is free. With `idle_s`
    None it stays, and comes back by itself when it dies, so that nobody ever waits for its start.
    `niceness` keeps a heavy voice from taking the cores from live calls.
    """

    def __init__(
        self,
        voice: Voice,
        *,
        niceness: int = 0,
        most_pending: int = 64,
        stall_s: float = 120.0,
        idle_s: float | None = 300.0,
    ) -> None:
        self.voice = voice
        self._niceness, self._most_pending, self._stall_s, self._idle_s = niceness, most_pending, stall_s, idle_s
        self._pending: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._ids = itertools.count(1)
        self._starting = asyncio.Lock()
        self._process: asyncio.subprocess.Process | None = None
        self._readers: set[asyncio.Task[None]] = set()
        self._idle: asyncio.TimerHandle | None = None
        self._deaths: deque[float] = deque(maxlen=_DEATHS_TOLERATED)
        self._pace = Pace()
        self._last_answer_s = 0.0
        self._revival: asyncio.Task[None] | None = None
        self._language = ""
        self._closed = False

    @property
    def stays(self) -> bool:
        return self._idle_s is None

    @property
    def pid(self) -> int | None:
        """The worker's process id, while there is one."""
        return self._process.pid if self._process else None

    async def speak(self, text: str, language: str, file: Path) -> float:
        return await self._ask_twice({"text": text, "language": language, "file": str(file)})

    async def warm_up(self, language: str) -> None:
        self._language = language
        await self._ask_twice({"text": "uno", "language": language})

    def estimate_s(self, text: str) -> float:
        return self._pace.estimate_s(text)

    async def close(self) -> None:
        """Ends the worker; whoever waits gets `VoiceUnavailable`."""
        self._closed = True
        await self._stop()
        if self._revival is not None:
            await asyncio.gather(self._revival, return_exceptions=True)

    async def _ask_twice(self, request: dict[str, Any]) -> float:
        """A worker that dies under a request is started once more for it."""
        try:
            reply = await self._ask(request)
        except WorkerDied:
            reply = await self._ask(request)
        return seconds_of(reply, request, self._pace)

    async def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        if len(self._pending) >= self._most_pending:
            raise VoiceUnavailable(f"the voice {self.voice.name} has {len(self._pending)} texts waiting: too many")
        loop = asyncio.get_running_loop()
        number = next(self._ids)
        reply: asyncio.Future[dict[str, Any]] = loop.create_future()
        self._pending[number] = reply
        self._pace.queued_characters += len(request["text"])
        self._keep_awake()
        try:
            process = await self._started()
            assert process.stdin is not None
            try:
                process.stdin.write(json.dumps({"id": number, **request}).encode() + b"\n")
                await process.stdin.drain()
            except (ConnectionError, RuntimeError):
                raise WorkerDied(f"the worker of the voice {self.voice.name} died") from None
            return await self._reply(reply)
        finally:
            self._pending.pop(number, None)
            self._pace.queued_characters -= len(request["text"])

    async def _reply(self, reply: asyncio.Future[dict[str, Any]]) -> dict[str, Any]:
        loop = asyncio.get_running_loop()
        if len(self._pending) == 1:
            self._last_answer_s = loop.time()
        while True:
            patience_s = self._last_answer_s + self._stall_s - loop.time()
            with contextlib.suppress(TimeoutError):
                return await asyncio.wait_for(asyncio.shield(reply), max(patience_s, 0.01))
            if loop.time() >= self._last_answer_s + self._stall_s:
                await self._stop(at_once=True)
                raise VoiceUnavailable(
                    f"the voice {self.voice.name} gave no answer for {self._stall_s:g} s: its worker is started anew"
                )

    async def _started(self) -> asyncio.subprocess.Process:
        async with self._starting:
            if self._closed:
                raise VoiceUnavailable(f"the voice {self.voice.name} is closed")
            if self._process is None:
                self._check_deaths()
                self._process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-m",
                    "speech.worker",
                    self.voice.name,
                    str(self._niceness),
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                )
                self._last_answer_s = asyncio.get_running_loop().time()
                reader = asyncio.create_task(self._read(self._process), name=f"voice {self.voice.name}")
                self._readers.add(reader)
                reader.add_done_callback(self._readers.discard)
            return self._process

    def _check_deaths(self) -> None:
        """Three deaths in a minute: rest half a minute."""
        if len(self._deaths) < _DEATHS_TOLERATED:
            return
        now_s = asyncio.get_running_loop().time()
        if self._deaths[-1] - self._deaths[0] < _DEATHS_WITHIN_S and now_s < self._deaths[-1] + _REST_S:
            raise VoiceUnavailable(f"the voice {self.voice.name} keeps dying: it is tried again in {_REST_S:g} s")

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        with contextlib.suppress(ConnectionError, ValueError):
            async for line in process.stdout:
                reply = json.loads(line)
                self._last_answer_s = asyncio.get_running_loop().time()
                waiting = self._pending.get(reply.get("id"))
                if waiting is not None and not waiting.done():
                    waiting.set_result(reply)
                self._keep_awake()
        self._on_end(process)
        await self._end(process, _ENDING_S)

    def _on_end(self, process: asyncio.subprocess.Process) -> None:
        if self._process is not process:
            return
        self._process = None
        self._deaths.append(asyncio.get_running_loop().time())
        _log.warning("the worker of the voice %s died; it is started again", self.voice.name)
        self._fail_pending(WorkerDied(f"the worker of the voice {self.voice.name} died"))
        if self.stays and self._language and not self._closed:
            self._revival = asyncio.create_task(self._revive(), name=f"revive voice {self.voice.name}")

    async def _revive(self) -> None:
        with contextlib.suppress(VoiceUnavailable, ValueError):
            await self.warm_up(self._language)

    def _fail_pending(self, problem: VoiceUnavailable) -> None:
        for waiting in self._pending.values():
            if not waiting.done():
                waiting.set_exception(problem)
                # Nobody may be waiting any more: that is no error.
                waiting.exception()

    def _keep_awake(self) -> None:
        if self._idle:
            self._idle.cancel()
        if self._idle_s is not None:
            self._idle = asyncio.get_running_loop().call_later(self._idle_s, self._fall_asleep)

    def _fall_asleep(self) -> None:
        if self._pending:
            self._keep_awake()
        elif self._process and self._process.stdin:
            process, self._process = self._process, None
            assert process.stdin is not None
            process.stdin.close()

    async def _stop(self, *, at_once: bool = False) -> None:
        if self._idle:
            self._idle.cancel()
        process, self._process = self._process, None
        self._fail_pending(VoiceUnavailable(f"the voice {self.voice.name} was stopped"))
        if process is not None:
            await self._end(process, 0.01 if at_once else _ENDING_S)
        if self._readers:
            await asyncio.wait(self._readers, timeout=_ENDING_S)

    @staticmethod
    async def _end(process: asyncio.subprocess.Process, within_s: float) -> None:
        """Until the process is gone and its pipes are closed; what does not end by itself `within_s` is killed."""
        assert process.stdin is not None
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), within_s)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        with contextlib.suppress(ConnectionError):
            await process.stdin.wait_closed()
