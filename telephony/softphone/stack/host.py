"""What accounts and calls ask of the process that holds them."""

from __future__ import annotations

import functools
import sys
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol

if TYPE_CHECKING:
    from telephony.softphone.stack.account import Account
    from telephony.softphone.stack.call import Call


P = ParamSpec("P")


def no_exception_leaves(callback: Callable[P, None]) -> Callable[P, None]:
    """For what pjsua calls: an exception that reached its C++ would end the process and every call in it."""

    @functools.wraps(callback)
    def safe(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            callback(*args, **kwargs)
        except Exception:
            traceback.print_exc(file=sys.stderr)

    return safe


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
