"""panoramisk's connection, with its two bad habits taken away.

It sends again after a reconnection what was not answered before, and goes on connecting after it was closed.
Here an action is sent once or not at all, and closed is closed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from panoramisk import Manager  # type: ignore[import-untyped]


class _EveryAction:
    """Whatever is in question is to be forgotten when the connection breaks."""

    def __contains__(self, action: object) -> bool:
        return True


class Link(Manager):  # type: ignore[misc]
    """`on_event` gets each event's headers, names in lower case; `on_up` and `on_down` say when we are logged in."""

    def __init__(
        self,
        config: Mapping[str, Any],
        on_event: Callable[[Mapping[str, str]], None],
        on_up: Callable[[], None],
        on_down: Callable[[], None],
    ) -> None:
        super().__init__(
            loop=asyncio.get_running_loop(),
            forgetable_actions=_EveryAction(),
            on_login=lambda manager: on_up(),
            on_disconnect=lambda manager, problem: on_down(),
            **config,
        )
        self._over = False
        self._connecting: asyncio.Task[Any] | None = None
        self.register_event("*", lambda manager, event: on_event(lower(event)))

    def connect(self, *arguments: Any, **more: Any) -> asyncio.Task[Any] | None:
        """Also called by timers that panoramisk set before it was closed."""
        if self._over:
            return None
        self._connecting = super().connect(*arguments, **more)
        return self._connecting

    def connection_made(self, connecting: asyncio.Task[Any]) -> None:
        if self._over or connecting.cancelled():
            return
        super().connection_made(connecting)

    def login(self, answered: asyncio.Future[Any]) -> bool:
        """A login whose connection broke is no login."""
        if answered.cancelled() or self._over:
            return False
        return bool(super().login(answered))

    def connection_lost(self, problem: Exception | None) -> None:
        self.authenticated = False
        if not self._over:
            super().connection_lost(problem)

    def close(self) -> None:
        self._over = True
        if self._connecting is not None:
            self._connecting.cancel()
        super().close()


def lower(message: Mapping[str, Any]) -> dict[str, str]:
    """Headers by lower-case name; of one that is repeated, the first value."""
    return {
        str(name).lower(): str(value[0]) if isinstance(value, list) and value else str(value)
        for name, value in message.items()
    }
