"""One SIP call of the phone.

calling --> early --> connecting --> confirmed --> disconnected
incoming --^                                           ^
    +--------------- from every state -----------------+
"""

from __future__ import annotations

import contextlib
from collections import deque
from typing import Any

import pjsua2 as pj

from telephony.softphone.protocol import Dtmf
from telephony.softphone.stack.account import Account
from telephony.softphone.stack.audio import CallAudio
from telephony.softphone.stack.host import Host, Refused
from telephony.softphone.stack.pj_call import PjCall

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
_DECLINE = 603


class Call:
    """Outlives pjsua's call: once that has ended, everything but `release` is refused."""

    def __init__(self, host: Host, account: Account, name: str, number: int = pj.PJSUA_INVALID_ID) -> None:
        """`number`: pjsua's, of a call that came in."""
        self.account = account.name
        self.name = name
        self.incoming = number != pj.PJSUA_INVALID_ID
        self.state = "incoming" if self.incoming else "calling"
        self.media_state, self.codec = "none", ""
        self.audio = CallAudio(host, name)
        self._host = host
        self._pj: PjCall | None = PjCall(self, account, number)
        self._hung_up_by_us = False
        self._digits: deque[tuple[str, Dtmf, bool]] = deque()

    @property
    def ended(self) -> bool:
        return self.state == "disconnected"

    @property
    def rings(self) -> bool:
        """It came in and is not answered."""
        return self.incoming and self.state in ("incoming", "early")

    @property
    def number(self) -> int:
        """pjsua's."""
        return self._pj.getId() if self._pj is not None else int(pj.PJSUA_INVALID_ID)

    def release(self) -> PjCall | None:
        """Gives pjsua's part of an ended call away, to be dropped at the right moment."""
        released, self._pj = self._pj, None
        return released

    # -- what we do ------------------------------------------------------------------------------
    def dial(self, uri: str, headers: dict[str, str]) -> None:
        self._live().makeCall(uri, _parameters(headers=headers))

    def answer(self, code: int, headers: dict[str, str]) -> None:
        self._live().answer(_parameters(code, headers))

    def hang_up(self, code: int = _DECLINE) -> None:
        """`code` refuses an incoming call that is not answered; any other call simply ends."""
        self._hung_up_by_us = True
        with contextlib.suppress(pj.Error, Refused):
            self._live().hangup(_parameters(code if self.rings else 0))

    def press(self, dtmf: Dtmf) -> None:
        """Digits go out one after another, also when an earlier row of them is still going out.

        Raises:
            Refused: the call is not answered.
        """
        self._answered("digits can be sent")
        idle = not self._digits
        last = len(dtmf.digits) - 1
        self._digits.extend((digit, dtmf, place == last) for place, digit in enumerate(dtmf.digits))
        if idle:
            self._press_next()

    def hold_it(self, on: bool) -> None:
        live = self._answered("it can be held")
        if on == (self.media_state == "local_hold"):
            raise Refused(f"call {self.name} is {'already' if on else 'not'} on hold")
        prm = _parameters()
        if on:
            live.setHold(prm)
        else:
            prm.opt.flag = pj.PJSUA_CALL_UNHOLD
            live.reinvite(prm)

    def transfer_to(self, uri: str) -> None:
        self._answered("it can be transferred").xfer(uri, _parameters())

    def transfer_to_call(self, other: Call) -> None:
        target = other._answered("somebody can be transferred to it")
        self._answered("it can be transferred").xferReplaces(target, _parameters())

    def stats(self) -> dict[str, Any]:
        """RTP as this phone saw it. Raises Refused while there is no audio stream."""
        live = self._live()
        info = live.getInfo()
        streams = [media.index for media in info.media if media.type == pj.PJMEDIA_TYPE_AUDIO]
        if self.media_state in ("none", "error") or not streams:
            raise Refused(f"call {self.name} has no audio stream", "ask while its media_state is active")
        stat, stream = live.getStreamStat(streams[0]), live.getStreamInfo(streams[0])
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
    def on_state(self) -> None:
        info = self._live().getInfo()
        self.state = _STATES.get(info.state, self.state)
        told: dict[str, Any] = {"code": info.lastStatusCode, "reason": info.lastReason}
        if self.ended:
            told["by"] = "us" if self._hung_up_by_us else "them"
            self._digits.clear()
            self.audio.close()
        self._host.emit("call_state", account=self.account, call=self.name, state=self.state, **told)
        if self.ended:
            self._host.forget(self)

    def on_media(self) -> None:
        live = self._live()
        info = live.getInfo()  # kept in a variable: its media list dies with it
        for media in info.media:
            if media.type != pj.PJMEDIA_TYPE_AUDIO:
                continue
            state, codec = _MEDIA_STATES.get(media.status, "none"), ""
            if state in _HEARS:
                self.audio.attach(live.getAudioMedia(media.index))
                stream = live.getStreamInfo(media.index)
                codec = f"{stream.codecName}/{stream.codecClockRate}"
            else:
                self.audio.detach()
            if (state, codec) != (self.media_state, self.codec):  # pjsua repeats itself
                self.media_state, self.codec = state, codec
                self._host.emit("media_state", call=self.name, state=state, codec=codec)

    def on_digit(self, digit: str, info: bool) -> None:
        self._host.emit("dtmf_received", call=self.name, digit=digit, method="info" if info else "rfc4733")

    def on_transfer_status(self, code: int, reason: str, final: bool) -> None:
        self._host.emit("transfer_status", call=self.name, code=code, reason=reason, final=final)
        if final and 200 <= code < 300:
            self._host.after(0.0, self.hang_up)  # as phones do: its part in this call is over

    def on_transfer_request(self, to: str) -> int:
        """Nobody but its own driver makes this phone dial."""
        what, hint = f"refused to be sent to {to}", "transfers are done by Asterisk"
        self._host.emit("error", what=what, hint=hint, call=self.name)
        return _DECLINE

    def on_request_answered(self, method: str, code: int, reason: str) -> None:
        inside_call = method in ("INFO", "UPDATE") or (method == "INVITE" and self.state == "confirmed")
        if inside_call and code >= 300 and code not in (401, 407):
            self._host.emit("request_failed", call=self.name, method=method, code=code, reason=reason)

    # --------------------------------------------------------------------------------------------
    def _live(self) -> PjCall:
        if self._pj is None:
            raise Refused(f"call {self.name} has ended", "dial again")
        return self._pj

    def _answered(self, what_for: str) -> PjCall:
        if self.state != "confirmed":
            raise Refused(f"call {self.name} is {self.state}", f"wait until it is confirmed before {what_for}")
        return self._live()

    def _press_next(self) -> None:
        if not self._digits or self._pj is None:
            return
        digit, dtmf, last = self._digits[0]
        prm = pj.CallSendDtmfParam()
        prm.method, prm.duration, prm.digits = _METHODS[dtmf.method], dtmf.duration_ms, digit
        try:
            self._pj.sendDtmf(prm)
        except pj.Error as error:
            self._digits.clear()
            what = f"call {self.name}: digit {digit} was not sent: {error.reason}"
            self._host.emit("error", what=what, hint="is the call held, or without audio?", call=self.name)
            return
        self._host.emit("dtmf_sent", call=self.name, digit=digit, method=dtmf.method, last=last)
        self._host.after((dtmf.duration_ms + dtmf.gap_ms) / 1000, self._pressed)

    def _pressed(self) -> None:
        if self._digits:
            self._digits.popleft()
            self._press_next()


def _parameters(code: int = 0, headers: dict[str, str] | None = None) -> Any:
    prm = pj.CallOpParam(True)
    prm.statusCode = code
    if headers:
        prm.txOption.headers = pj.SipHeaderVector([_header(name, value) for name, value in headers.items()])
    return prm


def _header(name: str, value: str) -> Any:
    header = pj.SipHeader()
    header.hName, header.hValue = name, value
    return header


def _direction(stream: Any) -> dict[str, Any]:
    return {
        "packets": stream.pkt,
        "bytes": stream.bytes,
        "lost": stream.loss,
        "discarded": stream.discard,
        "reordered": stream.reorder,
        "jitter_ms": round(stream.jitterUsec.mean / 1000, 3),
    }
