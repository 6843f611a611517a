"""One call of a `Softphone`."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from telephony.softphone.errors import CallEnded, CommandRejected
from telephony.softphone.events import Event

if TYPE_CHECKING:
    from telephony.softphone.client import Softphone

CallState = Literal["calling", "incoming", "early", "connecting", "confirmed", "disconnected"]
DtmfMethod = Literal["rfc4733", "info"]


@dataclass(frozen=True, slots=True)
class Recording:
    """`t_s`: the monotonic moment of its first sample. Complete once `saved()` returns."""

    call: PhoneCall
    path: Path
    t_s: float
    mark: int

    async def saved(self, *, timeout_s: float = 30.0) -> Path:
        """Waits until recording has ended (stopped, or the call is over) and the file is whole."""
        await self.call._next("recorded", timeout_s=timeout_s, since=self.mark, path=str(self.path))
        return self.path


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a transfer ended: the SIP status, and its words."""

    code: int
    reason: str

    @property
    def accepted(self) -> bool:
        return 200 <= self.code < 300


class PhoneCall:
    """`name`: as events call it. `headers`: those of the INVITE that came in (empty going out)."""

    def __init__(self, phone: Softphone, name: str, account: str, since: int, incoming: Event | None = None) -> None:
        self.name = name
        self.account = account
        self.incoming = incoming
        self.headers: Mapping[str, str] = incoming["headers"] if incoming else {}
        self._phone = phone
        self._since = since

    def __repr__(self) -> str:
        return f"<PhoneCall {self.name} {self.state}>"

    # -- what is known ---------------------------------------------------------------------------
    @property
    def events(self) -> list[Event]:
        """Everything told about this call so far."""
        return [event for event in self._phone.events[self._since :] if event.get("call") == self.name]

    @property
    def state(self) -> str:
        states = [event["state"] for event in self.events if event.name == "call_state"]
        return states[-1] if states else ("incoming" if self.incoming else "calling")

    @property
    def digits_received(self) -> str:
        return "".join(event["digit"] for event in self.events if event.name == "dtmf_received")

    async def until(self, state: CallState, *, timeout_s: float = 30.0) -> Event:
        """The event with which the call came into that state, also when it has left it since.

        Raises:
            CallEnded: it ended without.
            TimeoutError: it did not get there in time.
        """
        return await self._next("call_state", what=state, timeout_s=timeout_s, since=self._since, state=state)

    async def until_media(
        self,
        state: Literal["active", "local_hold", "remote_hold"],
        *,
        timeout_s: float = 30.0,
        since: int | None = None,
    ) -> Event:
        """`since`: a mark of the phone, to wait for the next time rather than the first."""
        since = self._since if since is None else since
        return await self._next("media_state", what=f"media {state}", timeout_s=timeout_s, since=since, state=state)

    # -- what can be done ------------------------------------------------------------------------
    async def answer(self, code: int = 200, *, after_ms: int = 0, headers: Mapping[str, str] | None = None) -> None:
        """180 rings, 183 opens early media, 200 picks up, 400 and above refuses."""
        await self._do("answer", code=code, after_ms=after_ms, headers=dict(headers or {}))

    async def hangup(self, *, code: int = 603, timeout_s: float = 30.0) -> Event | None:
        """Ends it, or refuses it with `code` while it rings. Nothing happens when it has already ended."""
        if self.state != "disconnected":
            await self._unless_ended(self._do("hangup", code=code))
        return await self.until("disconnected", timeout_s=timeout_s)

    async def dtmf(
        self, digits: str, *, method: DtmfMethod = "rfc4733", duration_ms: int = 100, gap_ms: int = 80
    ) -> list[Event]:
        """Waits until the last digit has begun to go out. Returns one `dtmf_sent` per digit, with its moment `t_s`."""
        since = self._phone.mark()
        await self._do("dtmf", digits=digits, method=method, duration_ms=duration_ms, gap_ms=gap_ms)
        await self._next(
            "dtmf_sent", timeout_s=20.0 + len(digits) * (duration_ms + gap_ms) / 1000, since=since, last=True
        )
        return [event for event in self._phone.events[since:] if event.matches("dtmf_sent", {"call": self.name})]

    async def play(self, path: str | Path, *, loop: bool = False) -> int:
        """Says a 16-bit mono wav file, now or with the first audio. Returns a mark for `played`."""
        since = self._phone.mark()
        await self._do("play", path=str(path), loop=loop)
        return since

    async def played(self, *, since: int | None = None, timeout_s: float = 30.0) -> Event:
        """Waits for the end of what is said; `finished` tells whether all of it was."""
        return await self._next("played", timeout_s=timeout_s, since=self._since if since is None else since)

    async def stop_playing(self) -> None:
        await self._do("stop_playing")

    async def record(self, path: str | Path) -> Recording:
        """Records what is heard, from this moment on, until `stop_recording` or the call's end."""
        since = self._phone.mark()
        await self._do("record", path=str(path))
        started = await self._next("recording", timeout_s=20.0, since=since, path=str(path))
        return Recording(self, Path(path), started.t_s, since)

    async def stop_recording(self) -> None:
        await self._do("stop_recording")

    async def hold(self, *, timeout_s: float = 30.0) -> None:
        since = self._phone.mark()
        await self._do("hold")
        await self.until_media("local_hold", timeout_s=timeout_s, since=since)

    async def unhold(self, *, timeout_s: float = 30.0) -> None:
        since = self._phone.mark()
        await self._do("unhold")
        await self.until_media("active", timeout_s=timeout_s, since=since)

    async def transfer(self, to: str | PhoneCall, *, timeout_s: float = 30.0) -> Outcome:
        """To a number or URI (blind), or to the other party of another call of this phone (attended).

        Returns what Asterisk answered: 603 when `allow_transfer` is off.
        """
        since = self._phone.mark()
        await self._do("transfer", **({"to_call": to.name} if isinstance(to, PhoneCall) else {"to": to}))
        told = await self._next("transfer_status", timeout_s=timeout_s, since=since, final=True)
        return Outcome(told["code"], told["reason"])

    async def mute(self, on: bool = True) -> None:
        await self._do("mute", on=on)

    async def stats(self) -> dict[str, Any]:
        """RTP so far: codec, remote, sent, heard (packets, bytes, lost, jitter_ms), round_trip_ms, jitter_buffer."""
        since = self._phone.mark()
        await self._do("stats")
        return (await self._next("stats", timeout_s=20.0, since=since)).fields

    # --------------------------------------------------------------------------------------------
    async def _do(self, command: str, **fields: Any) -> Event:
        return await self._phone.send(command, call=self.name, **fields)

    async def _next(self, name: str, *, timeout_s: float, since: int, what: str = "", **fields: Any) -> Event:
        wanted = {"call": self.name, **fields}
        # The end of the call ends every wait, except for what comes with the end or after it.
        outlives = name == "recorded" or fields.get("state") == "disconnected"

        def is_it(event: Event) -> bool:
            over = event.matches("call_state", {"call": self.name, "state": "disconnected"})
            return event.matches(name, wanted) or (over and not outlives)

        what = f"{what or name} of call {self.name}"
        event = await self._phone.history.first(is_it, what=what, timeout_s=timeout_s, since=since)
        if not event.matches(name, wanted):
            tail = self._phone.history.tail()
            raise CallEnded(self.name, what, event["code"], event["reason"], event["by"], tail)
        return event

    async def _unless_ended(self, doing: Awaitable[Event]) -> None:
        try:
            await doing
        except CommandRejected:
            if self.state != "disconnected":
                raise
