"""What a phone has told so far, and waiting for what it will tell."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

_SHOWN = 12

Wanted = Callable[["Event"], bool]


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the phone: `event["code"]`. `t_s`: monotonic seconds of this machine."""

    name: str
    t_s: float
    fields: dict[str, Any]

    def __getitem__(self, field: str) -> Any:
        return self.fields[field]

    def get(self, field: str, default: Any = None) -> Any:
        return self.fields.get(field, default)

    def matches(self, name: str, fields: dict[str, Any]) -> bool:
        return self.name == name and all(self.fields.get(field) == value for field, value in fields.items())

    def __str__(self) -> str:
        shown = " ".join(f"{field}={_short(value)}" for field, value in self.fields.items() if field != "headers")
        return f"{self.t_s:.3f} {self.name} {shown}".rstrip()


class History:
    """Every event in order. One event wakes everybody who waits for it."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._waiting: list[tuple[Wanted, asyncio.Future[Event]]] = []
        self._listeners: list[Callable[[Event], None]] = []
        self._closed: Exception | None = None

    def add(self, event: Event) -> None:
        self.events.append(event)
        for wanted, future in self._waiting:
            if not future.done() and wanted(event):
                future.set_result(event)
        for listener in list(self._listeners):
            listener(event)

    def listen(self, listener: Callable[[Event], None]) -> Callable[[], None]:
        """Calls it with every event from now on. Returns the way to stop."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def close(self, why: Exception) -> None:
        """Nothing will come any more: whoever waits, or will wait, gets `why`."""
        self._closed = why
        for _, future in self._waiting:
            if not future.done():
                future.set_exception(why)

    def mark(self) -> int:
        """This moment, for `since`."""
        return len(self.events)

    async def first(self, wanted: Wanted, *, what: str, timeout_s: float, since: int = 0) -> Event:
        """The first event since that mark that is wanted, which may already be there.

        Raises:
            TimeoutError: none came in time; says what came instead.
            PhoneDied: the phone's process is gone.
        """
        for event in self.events[since:]:
            if wanted(event):
                return event
        if self._closed is not None:
            raise self._closed
        future: asyncio.Future[Event] = asyncio.get_running_loop().create_future()
        waiter = (wanted, future)
        self._waiting.append(waiter)
        try:
            async with asyncio.timeout(timeout_s):
                return await future
        except TimeoutError:
            raise TimeoutError(f"no {what} within {timeout_s:g} s\n{self.tail()}") from None
        finally:
            self._waiting.remove(waiter)

    def tail(self, count: int = _SHOWN) -> str:
        """The last events, a line each."""
        lines = [f"    {event}" for event in self.events[-count:]]
        return "the phone's last events:\n" + "\n".join(lines) if lines else "the phone has told nothing"


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 80 else text[:77] + "..."
