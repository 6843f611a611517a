"""What the journal's names mean to somebody who reads a story."""

from __future__ import annotations

import re
from collections.abc import Mapping

from acd.words import why_not
from core.decisions import REQUEST_REFUSED, Noted
from core.leg import EndReason

_COMMANDS: Mapping[str, str] = {
    "OriginateLeg": "dialing",
    "JoinQueue": "joining the queue",
    "SendHttp": "the HTTP request",
    "Transfer": "the transfer",
    "Play": "playing what is to be heard",
    "ListenToLeg": "listening who answered",
}
_ENDS: Mapping[EndReason, str] = {
    EndReason.BUSY: "busy",
    EndReason.NO_ANSWER: "nobody answered",
    EndReason.REJECTED: "the call was declined",
    EndReason.UNREACHABLE: "cannot be reached",
    EndReason.INVALID_NUMBER: "there is no such number",
    EndReason.CONGESTION: "the call was not taken",
    EndReason.FAILED: "the call failed",
}
_STATUSES: Mapping[int, str] = {
    401: "Unauthorized",
    402: "Payment Required",
    403: "Forbidden",
    404: "Not Found",
    407: "Proxy Authentication Required",
    408: "Request Timeout",
    410: "Gone",
    480: "Temporarily Unavailable",
    484: "Address Incomplete",
    486: "Busy Here",
    487: "Request Terminated",
    488: "Not Acceptable Here",
    500: "Server Internal Error",
    501: "Not Implemented",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Server Time-out",
    600: "Busy Everywhere",
    603: "Decline",
    604: "Does Not Exist Anywhere",
    607: "Unwanted",
    608: "Rejected",
}
_CLASS = re.compile(r"^[A-Z][A-Za-z]+: (?=\S)")


def plain(code: str) -> str:
    """`left_by_key` as one writes it."""
    return code.replace("_", " ")


def happened(type_name: str) -> str:
    """`DigitPressed` as one writes it."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type_name).lower()


def not_done(command: str) -> str:
    return f"{_COMMANDS.get(command, happened(command))} could not be done"


def cause(why: str) -> str:
    """A reason without the name that the code has for its kind."""
    return _CLASS.sub("", why)


def noted(note: Noted, event: object) -> tuple[str, str]:
    """What was noted, and why. That a request was refused is said, lest it read as a step that was taken."""
    if note.what in ("refused", REQUEST_REFUSED):
        action = "" if note.what == REQUEST_REFUSED else str(getattr(event, "action", ""))
        return "refused, and nothing changed", f"{plain(action)}: {note.why}" if action else note.why
    if note.what == "in_person":
        return "nobody else was to be rung", why_not(note.why)
    if note.what in ("not_ready", "ready", "over_limit"):
        who, _, why = note.why.partition(": ")
        return f"{plain(note.what)}: {who.rpartition('/')[2]}", plain(why)
    return plain(note.what), note.why


def unanswered(trunk: str, reason: EndReason) -> str:
    """What came of a call over a carrier that nobody answered; empty when that says nothing of the carrier."""
    said = _ENDS.get(reason)
    return f"{trunk}: {said}" if said else ""


def status(sip_status: int) -> str:
    """With what the carrier answered; empty when it did not."""
    return f"SIP {sip_status} {_STATUSES.get(sip_status, '')}".rstrip() if sip_status else ""
