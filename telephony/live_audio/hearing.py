"""One leg heard by one listener: an even stream of blocks, whatever the network does.

    CONNECTING --connected--> HEARING --final verdict, limit, end, failure--> OVER

The audio has a clock of its own, which starts when the stream does. What arrives takes the next place on it; when
nothing has arrived for `FILL_AFTER_S`, silence does, so a listener notices dead air and its time runs on. What was only
late is heard all the same, and the clock waits for it in the next gap.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Protocol

from core.live_audio import BLOCK_S, AudioBlock, Listener, Mouth, Verdict
from telephony.live_audio.messages import Failed, Found, Message

log = logging.getLogger("centralita.media_worker")

FILL_AFTER_S = 0.12
_BYTES_PER_SAMPLE = 2


class AudioStream(Protocol):
    """How a hearing's audio comes and goes: one per transport."""

    @property
    def mouth(self) -> Mouth: ...

    def close(self) -> None:
        """The media leg ends with it. Legal in every state."""
        ...

    def tick(self, now_s: float) -> None:
        """Now and then."""
        ...


class Hearing:
    """`tell` sends to the engine; `on_over(hearing)` is called once. Times are the loop's; `utc_s`: what to add to make
    them UTC. `limit_s`: for how long."""

    def __init__(
        self,
        number: int,
        leg_id: str,
        listener: Listener,
        *,
        rate_hz: int,
        answered: bool,
        limit_s: float,
        utc_s: float,
        tell: Callable[[Message], None],
        on_over: Callable[[Hearing], None],
    ) -> None:
        self.number = number
        self.leg_id = leg_id
        self.answered = answered
        self.stream: AudioStream | None = None
        self.is_over = False
        self.filled = 0
        """How many blocks of silence stand for what did not come."""
        self._listener = listener
        self._rate_hz = rate_hz
        self._limit_s = limit_s
        self._utc_s = utc_s
        self._tell = tell
        self._on_over = on_over
        self._block_bytes = round(rate_hz * BLOCK_S) * _BYTES_PER_SAMPLE
        self._silence = bytes(self._block_bytes)
        self._rest = b""
        self._began_s: float | None = None
        self._seq = 0
        self._answered_blocks = 0

    def begin(self, now_s: float, stream: AudioStream) -> None:
        """Audio may come from now on."""
        self._began_s = now_s
        self.stream = stream
        begin = getattr(self._listener, "begin", None)
        if begin is not None:
            self._guarded(lambda: begin(stream.mouth))

    def take(self, pcm: bytes, now_s: float) -> None:
        """What arrived, mostly just one block."""
        if self.is_over or self._began_s is None:
            return
        self._catch_up(now_s - len(pcm) / self._block_bytes * BLOCK_S, now_s)
        if not self._rest and len(pcm) == self._block_bytes:
            self._feed(pcm, filled=False)
            return
        data = self._rest + pcm
        whole = len(data) - len(data) % self._block_bytes
        self._rest = data[whole:]
        for at in range(0, whole, self._block_bytes):
            self._feed(data[at : at + self._block_bytes], filled=False)

    def tick(self, now_s: float) -> None:
        """Time passes, whether audio comes or not."""
        if self.is_over or self._began_s is None:
            return
        self._catch_up(now_s, now_s)
        if self.stream is not None:
            self.stream.tick(now_s)
        if now_s - self._began_s >= self._limit_s:
            self.conclude()

    def conclude(self) -> None:
        """The listener says what it thinks by now."""
        if not self.is_over:
            self._guarded(lambda: self._found(self._listener.end(), final=True))

    def fail(self, why: str) -> None:
        if not self.is_over:
            self._tell(Failed(self.number, why))
            self._over()

    def close(self) -> None:
        """Without a word: nobody is there to be told."""
        if not self.is_over:
            self._over()

    # -- details
    def _catch_up(self, until_s: float, now_s: float) -> None:
        """Silence for what should have come before `until_s`, if it is late enough."""
        assert self._began_s is not None
        due_s = self._began_s + (self._seq + 1) * BLOCK_S
        if now_s - due_s <= FILL_AFTER_S:
            return
        while not self.is_over and self._began_s + (self._seq + 1) * BLOCK_S <= until_s:
            self.filled += 1
            self._feed(self._silence, filled=True)

    def _feed(self, pcm: bytes, *, filled: bool) -> None:
        if self.is_over:
            return
        assert self._began_s is not None
        at_s = self._began_s + self._seq * BLOCK_S + self._utc_s
        block = AudioBlock(self.leg_id, at_s, self._seq, pcm, self._rate_hz, self.answered, filled)
        self._seq += 1
        self._answered_blocks += self.answered
        try:
            verdict = self._listener.feed(block)
        except Exception as bug:
            self._broke(bug)
            return
        if verdict is not None:
            self._found(verdict, final=verdict.final)

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as bug:
            self._broke(bug)

    def _broke(self, bug: Exception) -> None:
        log.error("the listener of leg %s failed", self.leg_id, exc_info=bug)
        self.fail(f"the listener failed: {type(bug).__name__}: {bug}")

    def _found(self, verdict: Verdict, *, final: bool) -> None:
        heard_s = self._seq * BLOCK_S
        self._tell(
            Found(
                self.number,
                verdict.label,
                verdict.confidence,
                verdict.evidence,
                final,
                (self._began_s or 0.0) + heard_s + self._utc_s - verdict.past_s,
                heard_s,
                self._answered_blocks * BLOCK_S,
            )
        )
        if final:
            self._over()

    def _over(self) -> None:
        self.is_over = True
        if self.stream is not None:
            self.stream.close()
        self._on_over(self)
