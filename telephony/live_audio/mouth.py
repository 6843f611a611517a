"""What is common to everything that speaks to a leg: frames of 20 ms, and how long they still take."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from core.live_audio import BLOCK_S

LONGEST_QUEUE_S = 15.0
"""Asterisk takes 18 s before it asks to wait."""
_REST_AFTER_S = 0.03


class Frames:
    """Cuts what is said into frames of `frame_bytes`; the last one waits for its rest, and not for long. Also keeps
    account of what has not been heard yet. Times are the loop's."""

    def __init__(self, frame_bytes: int, time: Callable[[], float]) -> None:
        self._frame_bytes = frame_bytes
        self._time = time
        self._rest = b""
        self._heard_at_s = 0.0
        self._said_at_s = 0.0

    def cut(self, pcm: bytes) -> Iterator[bytes]:
        self._said_at_s = self._time()
        data = self._rest + pcm
        whole = len(data) - len(data) % self._frame_bytes
        self._rest = data[whole:]
        for at in range(0, whole, self._frame_bytes):
            if self.queued_s > LONGEST_QUEUE_S - BLOCK_S / 2:
                return
            self._account()
            yield data[at : at + self._frame_bytes]

    def rest(self) -> bytes:
        """A last frame that has waited long enough, filled up with silence; empty when there is none."""
        if not self._rest or self._time() - self._said_at_s < _REST_AFTER_S:
            return b""
        frame, self._rest = self._rest.ljust(self._frame_bytes, b"\0"), b""
        self._account()
        return frame

    def flush(self) -> None:
        self._rest = b""
        self._heard_at_s = 0.0

    @property
    def queued_s(self) -> float:
        return max(0.0, self._heard_at_s - self._time())

    def _account(self) -> None:
        self._heard_at_s = max(self._heard_at_s, self._time()) + BLOCK_S
