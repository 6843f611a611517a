"""pjsua's own call object, kept at arm's length: it does nothing but pass on what happens.

Its destructor hangs up, and cuts off from its events, whatever call has its number by then; and pjsua gives the number
of an ended call to the next one at once. So nobody but the owner holds a `PjCall`, and the owner drops it only while
no live call has its number (station.py).
"""

from __future__ import annotations

from typing import Any, Protocol

import pjsua2 as pj

from telephony.softphone.stack.host import no_exception_leaves


class Listener(Protocol):
    def on_state(self) -> None: ...

    def on_media(self) -> None: ...

    def on_digit(self, digit: str, info: bool) -> None: ...

    def on_transfer_status(self, code: int, reason: str, final: bool) -> None: ...

    def on_transfer_request(self, to: str) -> int:
        """Returns the status to answer with."""
        ...

    def on_request_answered(self, method: str, code: int, reason: str) -> None: ...


class PjCall(pj.Call):  # type: ignore[misc]
    def __init__(self, listener: Listener, account: pj.Account, number: int) -> None:
        super().__init__(account, number)
        self._listener = listener

    @no_exception_leaves
    def onCallState(self, prm: Any) -> None:  # noqa: N802
        self._listener.on_state()

    @no_exception_leaves
    def onCallMediaState(self, prm: Any) -> None:  # noqa: N802
        self._listener.on_media()

    @no_exception_leaves
    def onDtmfDigit(self, prm: Any) -> None:  # noqa: N802
        self._listener.on_digit(prm.digit, prm.method == pj.PJSUA_DTMF_METHOD_SIP_INFO)

    @no_exception_leaves
    def onCallTransferStatus(self, prm: Any) -> None:  # noqa: N802
        self._listener.on_transfer_status(prm.statusCode, prm.reason, bool(prm.finalNotify))

    @no_exception_leaves
    def onCallTransferRequest(self, prm: Any) -> None:  # noqa: N802
        prm.statusCode = self._listener.on_transfer_request(prm.dstUri)

    @no_exception_leaves
    def onCallTsxState(self, prm: Any) -> None:  # noqa: N802
        transaction = prm.e.body.tsxState.tsx
        if transaction.role == pj.PJSIP_ROLE_UAC and transaction.state == pj.PJSIP_TSX_STATE_COMPLETED:
            self._listener.on_request_answered(transaction.method, transaction.statusCode, transaction.statusText)
