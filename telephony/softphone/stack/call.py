"""One SIP call of the phone.

calling --> early --> connecting --> confirmed --> disconnected
incoming --^                                           ^
    +--------------- from every state -----------------+
"""

from __future__ import annotations

import contextlib
from collections import deque
from typing import TYPE_CHECKING, Any

import pjsua2 as pj

from telephony.softphone.protocol import Dtmf
from telephony.softphone.stack.audio import CallAudio
from telephony.softphone.stack.host import Host, Refused

if TYPE_CHECKING:
    from telephony.softphone.stack.account import Account

_STATES = {
    pj.PJSIP_INV_STATE_CALLING: "calling",
    pj.PJSIP_INV_STATE_INCOMING: "incoming",
    pj.PJSIP_INV_STATE_EARLY: "early",
    pj.PJSIP_INV_STATE_CONNECTING: "connecting",
    pj.PJSIP_INV_STATE_CONFIRMED: "confirmed",
    pj.PJSIP_INV_STATE_DISCONNECTED: "disconnected",
}
_MEDIA_STATES = {
    pj.PJSUA_CALL_MEDIA_NONE: "none",
    pj.PJSUA_CALL_MEDIA_ACTIVE: "active",
    pj.PJSUA_CALL_MEDIA_LOCAL_HOLD: "local_hold",
    pj.PJSUA_CALL_MEDIA_REMOTE_HOLD: "remote_hold",
    pj.PJSUA_CALL_MEDIA_ERROR: "error",
}
_HEARS = ("active", "remote_hold")
_METHODS = {
    "rfc4733": pj.PJSUA_DTMF_METHOD_RFC2833,
    "info": pj.PJSUA_DTMF_METHOD_SIP_INFO,
}


def parameters(code: int = 0, headers: dict[str, str] | None = None) -> Any:
    prm = pj.CallOpParam(True)
    prm.statusCode = code
    if headers:
        prm.txOption.headers = pj.SipHeaderVector([_header(name, value) for name, value in headers.items()])
    return prm


def _header(name: str, value: str) -> Any:
    header = pj.SipHeader()
    header.hName, header.hValue = name, value
    return header


class Call(pj.Call):  # type: ignore[misc]
    def __init__(self, host: Host, account: Account, name: str, pj_id: int = pj.PJSUA_INVALID_ID) -> None:
        super().__init__(account, pj_id)
        # By name: a call that outlives its account must not keep it from being deleted.
        self.account = account.name
        self.name = name
        self.state = "incoming" if pj_id != pj.PJSUA_INVALID_ID else "calling"
        self.media_state, self.codec = "none", ""
        self.audio = CallAudio(host, name)
        self._host = host
        self._hung_up_by_us = False
        self._digits: deque[tuple[str, Dtmf, bool]] = deque()

    @property
    def ended(self) -> bool:
        return self.state == "disconnected"

    # -- what we do ------------------------------------------------------------------------------
    def hang_up(self, code: int) -> None:
        """`code` refuses an incoming call that is not answered; any other call simply ends."""
        self._hung_up_by_us = True
        with contextlib.suppress(pj.Error):
            self.hangup(parameters(code if self.state in ("incoming", "early") else 0))

    def press(self, dtmf: Dtmf) -> None:
        """Digits go out one after another, also when an earlier row of them is still going out.

        Raises:
            Refused: the call is not answered.
        """
        self._must_be_answered("digits can be sent")
        idle = not self._digits
        last = len(dtmf.digits) - 1
        self._digits.extend((digit, dtmf, place == last) for place, digit in enumerate(dtmf.digits))
        if idle:
            self._press_next()

    def hold_it(self, on: bool) -> None:
        self._must_be_answered("it can be held")
        if on == (self.media_state == "local_hold"):
            raise Refused(f"call {self.name} is {'already' if on else 'not'} on hold")
        if on:
            self.setHold(parameters())
        else:
            prm = parameters()
            prm.opt.flag = pj.PJSUA_CALL_UNHOLD
            self.reinvite(prm)

    def transfer_to(self, uri: str) -> None:
        self._must_be_answered("it can be transferred")
        self.xfer(uri, parameters())

    def transfer_to_call(self, other: Call) -> None:
        self._must_be_answered("it can be transferred")
        other._must_be_answered("somebody can be transferred to it")
        self.xferReplaces(other, parameters())

    def stats(self) -> dict[str, Any]:
        """RTP as this phone saw it. Raises Refused while there is no audio stream."""
        index = self._audio_index()
        if index is None:
            raise Refused(f"call {self.name} has no audio stream", "ask while its media_state is active")
        stat, stream = self.getStreamStat(index), self.getStreamInfo(index)
        rtcp, jitter_buffer = stat.rtcp, stat.jbuf
        return {
            "codec": f"{stream.codecName}/{stream.codecClockRate}",
            "remote": stream.remoteRtpAddress,
            "sent": _direction(rtcp.txStat),
            "heard": _direction(rtcp.rxStat),
            "round_trip_ms": round(rtcp.rttUsec.mean / 1000, 3),
            "jitter_buffer": {
                "delay_ms": jitter_buffer.avgDelayMsec,
                "lost": jitter_buffer.lost,
                "discarded": jitter_buffer.discard,
                "empty": jitter_buffer.empty,
            },
        }

    # -- what happens ----------------------------------------------------------------------------
    def onCallState(self, prm: Any) -> None:  # noqa: N802
        info = self.getInfo()
        self.state = _STATES.get(info.state, self.state)
        by: dict[str, Any] = {"by": "us" if self._hung_up_by_us else "them"} if self.ended else {}
        code, reason = info.lastStatusCode, info.lastReason
        if self.ended:
            self._digits.clear()
            self.audio.close()
        self._host.emit(
            "call_state",
            account=self.account,
            call=self.name,
            state=self.state,
            code=code,
            reason=reason,
            **by,
        )
        if self.ended:
            self._host.forget(self)

    def onCallMediaState(self, prm: Any) -> None:  # noqa: N802
        info = self.getInfo()  # kept in a variable: its media list dies with it
        for media in info.media:
            if media.type != pj.PJMEDIA_TYPE_AUDIO:
                continue
            state, codec = _MEDIA_STATES.get(media.status, "none"), ""
            if state in _HEARS:
                self.audio.attach(self.getAudioMedia(media.index))
                stream = self.getStreamInfo(media.index)
                codec = f"{stream.codecName}/{stream.codecClockRate}"
            else:
                self.audio.detach()
            if (state, codec) != (self.media_state, self.codec):  # pjsua repeats itself
                self.media_state, self.codec = state, codec
                self._host.emit("media_state", call=self.name, state=state, codec=codec)

    def onDtmfDigit(self, prm: Any) -> None:  # noqa: N802
        method = "info" if prm.method == pj.PJSUA_DTMF_METHOD_SIP_INFO else "rfc4733"
        self._host.emit("dtmf_received", call=self.name, digit=prm.digit, method=method)

    def onCallTransferStatus(self, prm: Any) -> None:  # noqa: N802
        self._host.emit(
            "transfer_status",
            call=self.name,
            code=prm.statusCode,
            reason=prm.reason,
            final=bool(prm.finalNotify),
        )

    def onCallTransferRequest(self, prm: Any) -> None:  # noqa: N802
        prm.statusCode = 603  # nobody but its own driver makes this phone dial
        self._host.emit("error", what=f"refused to be sent to {prm.dstUri}", hint="transfers are done by Asterisk")

    def onCallTsxState(self, prm: Any) -> None:  # noqa: N802
        transaction = prm.e.body.tsxState.tsx
        if transaction.role != pj.PJSIP_ROLE_UAC or transaction.state != pj.PJSIP_TSX_STATE_COMPLETED:
            return
        method, code, reason = transaction.method, transaction.statusCode, transaction.statusText
        if code < 300 or code in (401, 407) or (method == "INVITE" and self.state != "confirmed"):
            return
        if method in ("INVITE", "INFO", "UPDATE"):
            self._host.emit("request_failed", call=self.name, method=method, code=code, reason=reason)

    # --------------------------------------------------------------------------------------------
    def _must_be_answered(self, what_for: str) -> None:
        if self.state != "confirmed":
            raise Refused(f"call {self.name} is {self.state}", f"wait until it is confirmed before {what_for}")

    def _audio_index(self) -> int | None:
        if self.ended:
            return None
        info = self.getInfo()
        for media in info.media:
            if media.type == pj.PJMEDIA_TYPE_AUDIO and media.status in (
                pj.PJSUA_CALL_MEDIA_ACTIVE,
                pj.PJSUA_CALL_MEDIA_LOCAL_HOLD,
                pj.PJSUA_CALL_MEDIA_REMOTE_HOLD,
            ):
                return int(media.index)
        return None

    def _press_next(self) -> None:
        if not self._digits:
            return
        digit, dtmf, last = self._digits[0]
        prm = pj.CallSendDtmfParam()
        prm.method, prm.duration, prm.digits = _METHODS[dtmf.method], dtmf.duration_ms, digit
        try:
            self.sendDtmf(prm)
        except pj.Error as error:
            self._digits.clear()
            self._host.emit(
                "error",
                what=f"call {self.name}: digit {digit} was not sent: {error.reason}",
                hint="is the call held, or without audio?",
                call=self.name,
            )
            return
        self._host.emit("dtmf_sent", call=self.name, digit=digit, method=dtmf.method, last=last)
        self._host.after((dtmf.duration_ms + dtmf.gap_ms) / 1000, self._pressed)

    def _pressed(self) -> None:
        if self._digits:
            self._digits.popleft()
            self._press_next()


def _direction(stream: Any) -> dict[str, Any]:
    return {
        "packets": stream.pkt,
        "bytes": stream.bytes,
        "lost": stream.loss,
        "discarded": stream.discard,
        "reordered": stream.reorder,
        "jitter_ms": round(stream.jitterUsec.mean / 1000, 3),
    }
