"""`FakeCallControl`: both ports in memory, with callers that tests can play."""

from __future__ import annotations

from core.clock import Clock
from core.ports import EventSink


class FakeCallControl:
    """`durations`: seconds per media item; `default_s` for the others. Time passes with the clock: with a
    `VirtualClock` call `advance(seconds)`; with a real one `await run()` beside the test.
    """

    def __init__(self, sink: EventSink, clock: Clock, node: str = "fake", default_s: float = 1.0) -> None:
        raise NotImplementedError
