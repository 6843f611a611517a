"""Why a leg that was never answered ended: from Q.850 causes and SIP statuses to our words."""

from __future__ import annotations

from core.leg import EndReason

_R = EndReason

_BY_SIP_STATUS: dict[int, EndReason] = {
    403: _R.REJECTED,
    404: _R.INVALID_NUMBER,
    410: _R.INVALID_NUMBER,
    484: _R.INVALID_NUMBER,
    485: _R.INVALID_NUMBER,
    486: _R.BUSY,
    488: _R.FAILED,
    503: _R.CONGESTION,
    600: _R.BUSY,
    603: _R.REJECTED,
    604: _R.INVALID_NUMBER,
    607: _R.REJECTED,
    608: _R.REJECTED,
}

_BY_Q850: dict[int, EndReason] = {
    1: _R.INVALID_NUMBER,
    2: _R.UNREACHABLE,
    3: _R.UNREACHABLE,
    16: _R.NO_ANSWER,
    17: _R.BUSY,
    18: _R.NO_ANSWER,
    19: _R.NO_ANSWER,
    20: _R.UNREACHABLE,
    21: _R.REJECTED,
    22: _R.INVALID_NUMBER,
    27: _R.UNREACHABLE,
    28: _R.INVALID_NUMBER,
    34: _R.CONGESTION,
    38: _R.UNREACHABLE,
    41: _R.CONGESTION,
    42: _R.CONGESTION,
    44: _R.CONGESTION,
}

_TO_Q850: dict[EndReason, int] = {
    _R.BUSY: 17,
    _R.NO_ANSWER: 19,
    _R.REJECTED: 21,
    _R.UNREACHABLE: 20,
    _R.INVALID_NUMBER: 1,
    _R.CONGESTION: 42,
    _R.FAILED: 38,
    _R.ANSWERED_ELSEWHERE: 26,  # Asterisk tells the phone (RFC 3326) that it has missed nothing
}

NORMAL_CLEARING = 16
VANISHED = 44
"""Asterisk's own for a leg that sent no audio any more: its phone, or the network to it, is gone (`FAILED`)."""


def unanswered_reason(cause: int, sip_status: int, rang: bool) -> EndReason:
    """Silence from a phone that never rang means that it cannot be reached, not that nobody picked up."""
    reason = _BY_SIP_STATUS.get(sip_status) or _BY_Q850.get(cause, _R.FAILED)
    if reason is _R.NO_ANSWER and not rang:
        return _R.UNREACHABLE
    return reason


def cause_for(reason: EndReason) -> int:
    """The Q.850 cause that says `reason` to the other side."""
    return _TO_Q850.get(reason, NORMAL_CLEARING)
