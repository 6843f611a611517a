"""What accounts and calls ask of the process that holds them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from telephony.softphone.stack.account import Account
    from telephony.softphone.stack.call import Call


class Refused(Exception):
    """A command that cannot be carried out: `what` is wrong, `hint` what to do."""

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(f"{what}: {hint}" if hint else what)
        self.what, self.hint = what, hint


class Host(Protocol):
    def emit(self, event: str, *, at_s: float | None = None, **fields: Any) -> None: ...

    def after(self, seconds: float, do: Callable[[], None]) -> None:
        """Runs it later on the main thread; safe to call from any thread."""
        ...

    def incoming(self, account: Account, call_id: int, message: str) -> None: ...

    def forget(self, call: Call) -> None: ...
