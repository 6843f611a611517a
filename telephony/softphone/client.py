"""The softphone process seen from asyncio: for tests, the demo, the bench and `centralita phone`.

    async with Softphone.start() as phone:
        await phone.register("1000", secret, port=5060)
        call = await phone.call("100")
        await call.until("confirmed")
        recording = await call.record(folder / "heard.wav")
        await call.dtmf("1")
        await call.hangup()
        sound = load(await recording.saved())

What happened stays in `phone.events`; waiting looks there first, so nothing is missed between two lines. Leaving the
block ends the process, whatever the body did. One process holds 8 accounts and 4 calls at a time: for more, start
more phones. Errors: errors.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import signal
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Literal, Self

from telephony.softphone.calls import PhoneCall
from telephony.softphone.ending import end
from telephony.softphone.errors import CommandRejected, PhoneDied, RegistrationFailed
from telephony.softphone.events import Event, History

_START_WITHIN_S = 60.0
_DONE_WITHIN_S = 20.0
_LEAVE_WITHIN_S = 10.0
_TERMINATE_WITHIN_S = 5.0
_LINE_LIMIT = 4 * 1024 * 1024
_LOG_SHOWN = 2000

Transport = Literal["udp", "tcp", "tls"]


class Softphone:
    def __init__(self, arguments: Sequence[str], log_path: Path | None = None) -> None:
        self.history = History()
        self._arguments = arguments
        self._log_path = log_path
        self._ids = itertools.count(1)
        self._call_names = itertools.count(1)
        self._taken: set[str] = set()
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._log: IO[bytes] | None = None
        self._leaving = False

    @classmethod
    def start(
        cls,
        *,
        rate_hz: Literal[8000, 16000] = 16000,
        rtp_ports: tuple[int, int] = (30000, 2000),
        codecs: Sequence[str] = ("PCMA", "PCMU", "G722"),
        log_level: int = 3,
        ca_file: str = "",
        log_path: Path | None = None,
    ) -> Self:
        """A phone to be entered with `async with`.

        Args:
            rate_hz: of its recordings.
            rtp_ports: the first port for audio, and how many; phones on one machine may share them.
            codecs: best first.
            log_level: 0 to 5; 5 shows every SIP message in `phone.log()`.
            ca_file: who must have signed a TLS server's certificate; not checked when empty.
            log_path: where pjsua's own words go as they come; else `phone.log()` alone has them.
        """
        first, count = rtp_ports
        return cls(
            [
                f"--rate-hz={rate_hz}",
                f"--rtp-port={first}",
                f"--rtp-ports={count}",
                f"--codecs={','.join(codecs)}",
                f"--log-level={log_level}",
                f"--ca-file={ca_file}",
            ],
            log_path,
        )

    async def __aenter__(self) -> Self:
        """
        Raises:
            PhoneDied: pjsua2 is missing or does not start.
            OSError: the log file cannot be written.
        """
        self._log = open(self._log_path, "w+b") if self._log_path else tempfile.TemporaryFile()  # noqa: SIM115, ASYNC230
        try:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "telephony.softphone",
                *self._arguments,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=self._log,
                limit=_LINE_LIMIT,
                start_new_session=True,  # Ctrl-C in a terminal is ours to handle, not the phone's
            )
            self._reader = asyncio.create_task(self._read(self._process), name="softphone reader")
            await self.history.first(
                lambda event: event.name == "ready", what="sign of life", timeout_s=_START_WITHIN_S
            )
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def events(self) -> list[Event]:
        """Everything told so far, oldest first."""
        return self.history.events

    @property
    def pid(self) -> int:
        assert self._process is not None, "enter the phone first: async with Softphone.start() as phone"
        return self._process.pid

    def log(self, last_bytes: int = 1_000_000) -> str:
        """pjsua's own words."""
        if self._log is None:
            return ""
        size = self._log.seek(0, 2)
        self._log.seek(max(0, size - last_bytes))
        return self._log.read().decode("utf-8", "replace")

    # -- accounts --------------------------------------------------------------------------------
    async def register(
        self,
        account: str,
        secret: str = "",
        *,
        host: str = "127.0.0.1",
        port: int = 5060,
        transport: Transport = "udp",
        timeout_s: float = 30.0,
        **more: Any,
    ) -> Event:
        """Returns `registered`. `more`: display, auth_user, expires_s, retry_s, srtp (protocol.Register).

        Raises:
            RegistrationFailed: Asterisk refused it, or did not answer in time.
        """
        since = self.mark()
        await self.send("register", account=account, secret=secret, host=host, port=port, transport=transport, **more)

        def decided(event: Event) -> bool:
            return event.name in ("registered", "registration_failed") and event["account"] == account

        try:
            told = await self.history.first(decided, what="answer to REGISTER", timeout_s=timeout_s, since=since)
        except TimeoutError as error:
            hint = f"does Asterisk listen at {host}:{port} ({transport})?"
            raise RegistrationFailed(account, 408, f"no answer within {timeout_s:g} s", hint) from error
        if told.name == "registration_failed":
            raise RegistrationFailed(account, told["code"], told["reason"], told["hint"])
        return told

    async def listen(self, account: str, *, port: int = 0, host: str = "127.0.0.1", **more: Any) -> str:
        """An account without registration, called directly. Returns `address:port` where it listens (UDP)."""
        done = await self.send("register", account=account, registrar=False, host=host, local_port=port, **more)
        return str(done["listening"])

    async def unregister(self, account: str | None = None, *, timeout_s: float = 30.0) -> Event:
        since = self.mark()
        await self.send("unregister", account=account)
        fields = {} if account is None else {"account": account}
        return await self.wait_for("unregistered", timeout_s=timeout_s, since=since, **fields)

    async def auto_answer(self, after_ms: int = 0, *, account: str | None = None) -> None:
        """Incoming calls ring, and are answered after a while."""
        await self.send("auto_answer", account=account, after_ms=after_ms)

    async def auto_reject(self, code: int = 486, *, after_ms: int = 0, account: str | None = None) -> None:
        await self.send("auto_answer", account=account, code=code, after_ms=after_ms)

    async def auto_answer_off(self, *, account: str | None = None) -> None:
        await self.send("auto_answer", account=account, after_ms="off")

    # -- calls -----------------------------------------------------------------------------------
    async def call(
        self, uri: str, *, account: str | None = None, headers: Mapping[str, str] | None = None
    ) -> PhoneCall:
        """Dials a number (100) or URI (sip:100@127.0.0.1:5060) and returns at once: `await call.until("confirmed")`."""
        since = self.mark()
        name = f"out{next(self._call_names)}"
        done = await self.send("call", uri=uri, account=account, call=name, headers=dict(headers or {}))
        return PhoneCall(self, name, done["account"], since)

    async def incoming(self, *, account: str | None = None, timeout_s: float = 30.0) -> PhoneCall:
        """The next call that has come in and was not given out yet, oldest first."""

        def is_new(event: Event) -> bool:
            return event.name == "incoming" and event["call"] not in self._taken and account in (None, event["account"])

        event = await self.history.first(is_new, what="incoming call", timeout_s=timeout_s)
        self._taken.add(event["call"])
        return PhoneCall(self, event["call"], event["account"], self.events.index(event), event)

    # -- the process -----------------------------------------------------------------------------
    async def send(self, command: str, **fields: Any) -> Event:
        """Sends any command of protocol.py and waits until it is taken; fields that are None are left out.

        Raises:
            CommandRejected: the phone refused it.
            PhoneDied: the process is gone.
        """
        command_id = next(self._ids)
        since = self.mark()
        words = {
            "do": command,
            "id": command_id,
            **{name: value for name, value in fields.items() if value is not None},
        }
        await self.send_line(json.dumps(words))
        told = await self.history.first(
            lambda event: event.name in ("done", "error") and event.get("id") == command_id,
            what=f"answer to {command}",
            timeout_s=_DONE_WITHIN_S,
            since=since,
        )
        if told.name == "error":
            raise CommandRejected(told["what"], told["hint"])
        return told

    async def send_line(self, line: str) -> None:
        """Sends a line as it is and waits for nothing. Raises PhoneDied when the process is gone."""
        assert self._process is not None, "enter the phone first: async with Softphone.start() as phone"
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line.encode() + b"\n")
            await self._process.stdin.drain()
        except (BrokenPipeError, ConnectionResetError) as error:
            raise self._died() from error

    def mark(self) -> int:
        """This moment, for `since`."""
        return self.history.mark()

    async def wait_for(self, event: str, *, timeout_s: float = 30.0, since: int = 0, **fields: Any) -> Event:
        """The first such event since that mark whose fields are these. Raises TimeoutError with the last events."""
        shown = " ".join([event, *(f"{name}={value}" for name, value in fields.items())])
        return await self.history.first(
            lambda told: told.matches(event, fields), what=shown, timeout_s=timeout_s, since=since
        )

    def on_event(self, listener: Callable[[Event], None]) -> Callable[[], None]:
        """Calls it with every event from now on. Returns the way to stop."""
        return self.history.listen(listener)

    async def close(self) -> None:
        """Hangs up, unregisters and ends the process; by force when it does not leave. May be called again."""
        self._leaving = True
        process = self._process
        try:
            if process is not None and process.returncode is None:
                await self._leave(process)
        finally:
            if process is not None and process.returncode is None:
                end(process)
                await process.wait()
            if self._reader is not None:
                await self._reader
                self._reader = None
            if self._log is not None:
                self._log.close()
                self._log = None

    async def _leave(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), _LEAVE_WITHIN_S)
        except TimeoutError:
            end(process, signal.SIGTERM)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), _TERMINATE_WITHIN_S)

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        try:
            while line := await process.stdout.readline():
                fields = json.loads(line)
                self.history.add(Event(fields.pop("event"), fields.pop("t_s"), fields))
        finally:
            await process.wait()
            self.history.close(self._died())

    def _died(self) -> PhoneDied:
        status = self._process.returncode if self._process is not None else None
        told = [f"{event['what']}: {event['hint']}" for event in self.events if event.name == "error"][-1:]
        if self._leaving:
            return PhoneDied("the phone has been closed")
        log = self.log(_LOG_SHOWN)
        return PhoneDied("\n".join([f"the phone's process ended (exit status {status})", *told, "its log ends:", log]))
