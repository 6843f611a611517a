"""How a carrier stands, in words: for `centralita status`, and with what to do for `doctor`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from engine.trunk_watch import NOT_WATCHED, UNKNOWN, UNREACHABLE, TrunkSeen


def in_short(name: str, trunk: TrunkSeen) -> str:
    words = f"[red]{trunk.status}[/]" if trunk.ill else trunk.status
    if trunk.registration not in (None, "registered", trunk.status):
        words += f" and [red]{trunk.registration}[/]"
    return f"{name} {words}" + (f" ({_took(trunk)})" if trunk.round_trip_s else "")


def found(name: str, trunk: TrunkSeen, asterisk_log: Path) -> tuple[Literal["ok", "wrong"], str, str]:
    """The verdict, what is so, and what to do about it."""
    if trunk.status == UNREACHABLE:
        unregistered = trunk.registration not in (None, "registered")
        return (
            "wrong",
            f"{name}: the carrier does not answer: nothing goes out{' or comes in' * unregistered} over it",
            "look at host, port and transport of its file in config/trunks/, at the name server and the firewall, "
            "and ask the carrier; one that answers no SIP OPTIONS wants `watch_s: 0` there",
        )
    if trunk.ill:
        return (
            "wrong",
            f"{name} is not registered at its carrier ({trunk.status}): nothing goes out or comes in over it",
            f"look at its file in config/trunks/ (host, user, password) and at {asterisk_log}, "
            "which has the carrier's answer",
        )
    if trunk.status == NOT_WATCHED:
        return "ok", f"{name}: nobody asks whether it is there (watch_s: 0)", ""
    if trunk.status == UNKNOWN:
        return "ok", f"{name}: nobody knows yet how it stands", ""
    says = f"{name} is registered at its carrier" if trunk.registration else f"{name} answers"
    return "ok", says + (f", {_took(trunk)} away" if trunk.round_trip_s else ""), ""


def _took(trunk: TrunkSeen) -> str:
    return f"{trunk.round_trip_s * 1000:.{0 if trunk.round_trip_s >= 0.001 else 1}f} ms"
