"""A port of loopback that nobody else gets, also while nobody listens on it."""

from __future__ import annotations

import socket


class HeldPort:
    """Who connects is refused until somebody listens: `asyncio.start_server(..., sock=held.socket())`, as often as
    wanted."""

    def __init__(self) -> None:
        self._held = self._bound(0)
        self.port: int = self._held.getsockname()[1]

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.port}"

    def socket(self) -> socket.socket:
        """Bound, to listen on."""
        return self._bound(self.port)

    def close(self) -> None:
        self._held.close()

    @staticmethod
    def _bound(port: int) -> socket.socket:
        made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        # Several sockets may have it, and only one that listens is connected to.
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        made.bind(("127.0.0.1", port))
        return made
