"""What can go wrong between a program and its phone.

    PhoneError
    +-- CommandRejected       the phone cannot do that now
    +-- RegistrationFailed    Asterisk said no, or nothing
    +-- CallEnded             the call ended while something else was awaited
    +-- PhoneDied             the phone's process is gone

Waiting in vain raises the built-in TimeoutError, whose message carries the last events.
"""

from __future__ import annotations

from core.errors import CentralitaError


class PhoneError(CentralitaError):
    """Something the phone could not do."""


class CommandRejected(PhoneError):
    """`what` is wrong, `hint` says what to do."""

    def __init__(self, what: str, hint: str) -> None:
        super().__init__(f"{what}: {hint}" if hint else what)
        self.what, self.hint = what, hint


class RegistrationFailed(PhoneError):
    """`code`: the SIP status, `reason`: its words, `hint`: what to check."""

    def __init__(self, account: str, code: int, reason: str, hint: str) -> None:
        super().__init__(f"account {account} was not registered: {code} {reason}: {hint}")
        self.code, self.reason, self.hint = code, reason, hint


class CallEnded(PhoneError):
    """`code` and `reason` of the end (486 Busy Here), `by`: us or them."""

    def __init__(self, call: str, awaited: str, code: int, reason: str, by: str, history: str) -> None:
        super().__init__(f"call {call} ended ({code} {reason}, by {by}) while waiting for {awaited}\n{history}")
        self.code, self.reason, self.by = code, reason, by


class PhoneDied(PhoneError):
    """The phone's process ended on its own; the message carries the end of its log."""
