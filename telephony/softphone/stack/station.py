"""The phone itself: its accounts, its calls, and what each command does to them. One thread, except where said."""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import pjsua2 as pj

from telephony.softphone import protocol as p
from telephony.softphone.sip_text import check_header, headers_of, target_uri
from telephony.softphone.stack.account import Account, configuration, local_address_towards
from telephony.softphone.stack.call import Call
from telephony.softphone.stack.endpoint import MAX_ACCOUNTS, Endpoint
from telephony.softphone.stack.host import Refused
from telephony.softphone.stack.pj_call import PjCall
from telephony.softphone.timers import Timers
from telephony.softphone.wire import LinesOut

_BUSY_TURN_S = 0.01
_IDLE_TURN_S = 0.02
_TOO_MANY = 70010  # PJ_ETOOMANY


class Station:
    def __init__(self, endpoint: Endpoint, out: LinesOut) -> None:
        self.quitting = False
        self.emit = out.emit
        self._endpoint = endpoint
        self._timers = Timers()
        self._from_threads: deque[Callable[[], None]] = deque()
        self._accounts: dict[str, Account] = {}
        self._calls: dict[str, Call] = {}
        self._ended: list[tuple[int, PjCall]] = []
        self._calls_made = 0

    # -- the loop's side -------------------------------------------------------------------------
    def turn(self) -> None:
        """Lets SIP happen for a few milliseconds, then does what is due."""
        longest_s = _BUSY_TURN_S if self._calls else _IDLE_TURN_S
        self._endpoint.handle_events(self._timers.wait_s(time.monotonic(), longest_s))
        while self._from_threads:
            self._from_threads.popleft()()
        self._timers.run_due(time.monotonic())
        self._drop_ended()

    def after(self, seconds: float, do: Callable[[], None]) -> None:
        due_s = time.monotonic() + seconds
        self._from_threads.append(lambda: self._timers.at(due_s, do))

    def incoming(self, account: Account, call_id: int, message: str) -> None:
        call = Call(self, account, self._new_name(), call_id)
        self._calls[call.name] = call
        headers = headers_of(message)
        by_name = {name.lower(): value for name, value in headers.items()}
        parties: dict[str, Any] = {
            "from": by_name.get("from", by_name.get("f", "")),
            "to": by_name.get("to", by_name.get("t", "")),
        }
        self.emit(
            "incoming",
            account=account.name,
            call=call.name,
            headers=headers,
            **parties,
        )
        rule = account.auto_answer
        # Answering takes pjsua out of its own callback, so it is done on the next turn.
        if rule is None or rule.code < 300 or rule.after_ms:
            self.after(0.0, lambda: self._answer_if_ringing(call, 180, {}))
        if rule is not None:
            self.after(float(rule.after_ms) / 1000, lambda: self._answer_if_ringing(call, rule.code, {}))

    def forget(self, call: Call) -> None:
        self._calls.pop(call.name, None)
        number, ended = call.number, call.release()
        if ended is not None:
            self._ended.append((number, ended))

    def _drop_ended(self) -> None:
        """Here, and not in a callback of theirs; and not while a new call has the number (see PjCall)."""
        taken = {call.number for call in self._calls.values()}
        self._ended = [(number, ended) for number, ended in self._ended if number in taken]

    def leave(self, within_s: float) -> None:
        """Hangs up and unregisters everything, and waits that long for the other side's word on it."""
        for call in list(self._calls.values()):
            call.hang_up()
        for account in self._accounts.values():
            if account.registered:
                with contextlib.suppress(pj.Error):
                    account.setRegistration(False)
        deadline_s = time.monotonic() + within_s
        while time.monotonic() < deadline_s and (
            self._calls or any(account.registered for account in self._accounts.values())
        ):
            self.turn()
        for call in self._calls.values():
            call.audio.close()
        closing_s = time.monotonic() + 0.1  # recordings are closed by the mixing thread
        while time.monotonic() < closing_s:
            self.turn()

    # -- commands --------------------------------------------------------------------------------
    def do(self, command: p.Command) -> dict[str, Any]:
        """What `done` tells beside the command's id.

        Raises:
            Refused: it cannot be done.
        """
        try:
            return self._do(command)
        except pj.Error as error:
            raise Refused(
                error.reason or error.title, f"pjsua says {error.status}; the phone's log tells more"
            ) from error

    def _do(self, command: p.Command) -> dict[str, Any]:
        match command:
            case p.Register():
                return self._register(command)
            case p.Unregister():
                account = self._account(command.account)
                if not account.registered:
                    raise Refused(f"account {account.name} is not registered now", "register it first")
                account.setRegistration(False)
            case p.Dial():
                return self._dial(command)
            case p.AutoAnswer():
                account = self._account(command.account)
                account.auto_answer = None if command.after_ms == "off" else command
            case p.Hangup(all=True):
                for call in list(self._calls.values()):
                    call.hang_up(command.code)
            case p.Transfer():
                return self._transfer(command)
            case p.Quit():
                self.quitting = True
            case _:
                return self._on_call(self._call(command.call), command)
        return {}

    def _on_call(self, call: Call, command: p.Command) -> dict[str, Any]:
        match command:
            case p.Answer():
                if not call.rings:
                    raise Refused(f"call {call.name} is {call.state}", "only a ringing incoming call can be answered")
                _check_headers(command.headers)
                self.after(
                    command.after_ms / 1000, lambda: self._answer_if_ringing(call, command.code, command.headers)
                )
            case p.Hangup():
                call.hang_up(command.code)
            case p.Dtmf():
                call.press(command)
            case p.Play():
                call.audio.play(command.path, command.loop)
            case p.StopPlaying():
                call.audio.stop_playing()
            case p.Record():
                call.audio.record(command.path)
            case p.StopRecording():
                call.audio.stop_recording()
            case p.Hold() | p.Unhold():
                call.hold_it(isinstance(command, p.Hold))
            case p.Mute():
                call.audio.mute(command.on)
            case p.Stats():
                self.emit("stats", call=call.name, **call.stats())
        return {"call": call.name}

    def _register(self, wanted: p.Register) -> dict[str, Any]:
        if '"' in wanted.display or "\\" in wanted.display or any(ord(letter) < 32 for letter in wanted.display):
            raise Refused(f"the display name {wanted.display!r} holds quotes or control characters", "leave them out")
        former = self._accounts.get(wanted.account)
        if former is None and len(self._accounts) >= MAX_ACCOUNTS:
            raise Refused(f"a phone process holds at most {MAX_ACCOUNTS} accounts", "start another phone")
        if former is not None and any(call.account == former.name for call in self._calls.values()):
            raise Refused(f"account {wanted.account} has a call", "hang up before registering it anew")
        address = local_address_towards(wanted.host, wanted.port)
        transport_id = self._endpoint.transport(wanted.transport, address, wanted.local_port)
        if former is not None:
            # pjsua gives the number of a deleted account to the next one, and an account's destructor deletes by
            # number: the former one must be gone before the new one exists.
            self._accounts.pop(wanted.account).shutdown()
            del former
        account = Account(self, wanted)
        account.create(configuration(wanted, transport_id, address, self._endpoint.rtp_ports))
        self._accounts[wanted.account] = account
        return {"account": wanted.account, "listening": self._endpoint.listening(transport_id)}

    def _dial(self, command: p.Dial) -> dict[str, Any]:
        account = self._account(command.account)
        name = command.call or self._new_name()
        if name in self._calls:
            raise Refused(f"there is already a call {name}", "give every call a name of its own")
        if len(self._calls) >= self._endpoint.max_calls:
            raise Refused(f"a phone process holds at most {self._endpoint.max_calls} calls", "start another phone")
        _check_headers(command.headers)
        uri = _uri(command.uri, account)
        call = Call(self, account, name)
        self._calls[name] = call
        try:
            call.dial(uri, command.headers)
        except pj.Error as error:
            self.forget(call)
            if error.status == _TOO_MANY:
                what = f"a phone process holds at most {self._endpoint.max_calls} calls"
                raise Refused(
                    what, "those still being hung up count too: wait a moment, or start another phone"
                ) from error
            raise
        return {"account": account.name, "call": name}

    def _transfer(self, command: p.Transfer) -> dict[str, Any]:
        call = self._call(command.call)
        if (command.to is None) == (command.to_call is None):
            raise Refused(
                "transfer goes to one place", "give either `to` (a number) or `to_call` (a call of this phone)"
            )
        if command.to is not None:
            call.transfer_to(_uri(command.to, self._account(call.account)))
        else:
            call.transfer_to_call(self._call(command.to_call))
        return {"call": call.name}

    # --------------------------------------------------------------------------------------------
    def _answer_if_ringing(self, call: Call, code: int, headers: dict[str, str]) -> None:
        if not call.rings:
            return
        if code >= 300:
            call.hang_up(code)
            return
        try:
            call.answer(code, headers)
        except pj.Error as error:
            self.emit("error", what=f"call {call.name} could not be answered: {error.reason}", hint="", call=call.name)

    def _new_name(self) -> str:
        self._calls_made += 1
        while f"c{self._calls_made}" in self._calls:
            self._calls_made += 1
        return f"c{self._calls_made}"

    def _account(self, name: str | None) -> Account:
        if name is None and self._accounts:
            return next(iter(self._accounts.values()))
        if name is None or name not in self._accounts:
            known = ", ".join(self._accounts) or "none yet"
            raise Refused(f"no account {name}" if name else "no account", f"register it first (registered: {known})")
        return self._accounts[name]

    def _call(self, name: str | None) -> Call:
        if name is None and self._calls:
            return next(reversed(self._calls.values()))
        if name is None or name not in self._calls:
            known = ", ".join(self._calls) or "none"
            raise Refused(f"no call {name}, or it has ended" if name else "there is no call", f"live calls: {known}")
        return self._calls[name]


def _uri(dialled: str, account: Account) -> str:
    try:
        return target_uri(dialled, account.wanted.host, account.wanted.port, account.wanted.transport)
    except ValueError as error:
        raise Refused(str(error)) from error


def _check_headers(headers: dict[str, str]) -> None:
    try:
        for name, value in headers.items():
            check_header(name, value)
    except ValueError as error:
        raise Refused(str(error), "header values are printable text of one line") from error
