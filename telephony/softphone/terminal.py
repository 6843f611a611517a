"""The phone at a person's fingertips: keys in, sentences out."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from telephony.softphone.calls import PhoneCall
from telephony.softphone.client import Softphone
from telephony.softphone.errors import CommandRejected, PhoneError
from telephony.softphone.events import Event
from telephony.softphone.loudspeaker import Loudspeaker, player

KEYS = (
    "0-9 * #  send digits   c NUMBER  call      a  answer      h  hang up\n"
    "o  hold / go on        m  mute / speak     t NUMBER  transfer\n"
    "s  numbers of the line                     ?  these keys  q  quit"
)
_QUIT = "\x04q"
_ASKS = {"c": "call", "t": "transfer to"}
_ERASE = "\x7f\x08"


@dataclass(frozen=True, slots=True)
class Habits:
    """`record`: where what is heard goes (a number is added from the second call on). `play`: what is said to them."""

    dial: str | None = None
    record: Path | None = None
    play: Path | None = None
    hear: bool = True
    rate_hz: Literal[8000, 16000] = 16000


class Terminal:
    """Runs until `q`, end of input, or, when it was told whom to dial without a keyboard, the end of that call."""

    def __init__(
        self, phone: Softphone, habits: Habits, say: Callable[[str], None], ask: Callable[[str], None]
    ) -> None:
        """`say` a line; `ask` shows what is being typed, over what it showed before."""
        self._phone, self._habits, self._say, self._ask = phone, habits, say, ask
        self._inbox: asyncio.Queue[Event | str | None] = asyncio.Queue()
        self._call: PhoneCall | None = None
        self._asking: str | None = None
        self._typed = ""
        self._on_hold = self._muted = self._heard = False
        self._recordings = 0
        self._passing = Path()
        self._around_call = contextlib.AsyncExitStack()
        self._dialled_connected = habits.dial is None

    async def run(self) -> bool:
        """Whether the call it was told to make was connected (true when there was none to make)."""
        keyboard = sys.stdin.isatty()
        stop = self._phone.on_event(self._inbox.put_nowait)
        try:
            with _keys(self._inbox), tempfile.TemporaryDirectory(prefix="centralita-phone-") as directory:
                self._passing = Path(directory)
                if keyboard:
                    self._say(KEYS)
                if self._habits.dial:
                    await self._dial(self._habits.dial)
                await self._until_done(keyboard)
        finally:
            stop()
            await self._around_call.aclose()
        return self._dialled_connected

    async def _until_done(self, keyboard: bool) -> None:
        no_more_keys = False
        while True:
            item = await self._inbox.get()
            if isinstance(item, Event):
                await self._on_event(item)
            elif item is None:
                no_more_keys = True
            elif item in _QUIT and self._asking is None:
                return
            else:
                with self._excuses():
                    await self._on_key(item)
            waits_for_call = self._habits.dial and not keyboard and self._call is not None
            if no_more_keys and not waits_for_call:
                return

    # -- what happens ----------------------------------------------------------------------------
    async def _on_event(self, event: Event) -> None:
        if event.name == "incoming":
            offered = await self._phone.incoming()
            if self._call is None:
                self._call = offered
                self._say("a answers, h refuses")
            else:
                with self._excuses():
                    await offered.hangup(code=486)
        if self._call is None or event.get("call") != self._call.name:
            return
        if event.matches("call_state", {"state": "confirmed"}):
            self._dialled_connected = True
        elif event.matches("call_state", {"state": "disconnected"}):
            self._call = None
            self._on_hold = self._muted = self._heard = False
            await self._around_call.aclose()
        elif event.matches("media_state", {"state": "active"}) and not self._heard:
            self._heard = True
            with self._excuses():
                await self._around(self._call)

    # -- what a person does ----------------------------------------------------------------------
    async def _on_key(self, key: str) -> None:
        if self._asking is not None:
            await self._type(key)
        elif key in _ASKS:
            if (key == "c") == (self._call is not None):
                self._say("there is a call already: h hangs up" if self._call else "there is no call to transfer")
                return
            self._asking, self._typed = key, ""
            self._ask(f"{_ASKS[key]} (number, then Enter): ")
        elif key == "?":
            self._say(KEYS)
        elif self._call is None:
            if key in "0123456789*#ahomst":
                self._say("there is no call: c NUMBER calls")
        elif key in "0123456789*#":
            await self._call.dtmf(key)
        elif key == "a":
            await self._call.answer()
        elif key == "h":
            await self._call.hangup()
        elif key == "o":
            await (self._call.unhold() if self._on_hold else self._call.hold())
            self._on_hold = not self._on_hold
            if not self._on_hold:
                self._say("off hold")
        elif key == "m":
            await self._call.mute(not self._muted)
            self._muted = not self._muted
            self._say("muted" if self._muted else "heard again")
        elif key == "s":
            stats = await self._call.stats()
            heard, sent = stats["heard"], stats["sent"]
            self._say(
                f"{stats['codec']} with {stats['remote']}: heard {heard['packets']} packets, {heard['lost']} lost, "
                f"jitter {heard['jitter_ms']} ms; sent {sent['packets']}"
            )

    async def _type(self, key: str) -> None:
        asked = self._asking
        if key in "\r\n\x1b":
            self._asking = None
            self._say("")
            if key == "\x1b" or not self._typed:
                return
            if asked == "c":
                await self._dial(self._typed)
            elif self._call is not None:
                await self._call.transfer(self._typed)
            return
        self._typed = self._typed[:-1] if key in _ERASE else self._typed + key * key.isprintable()
        self._ask(f"{_ASKS[asked or 'c']} (number, then Enter): {self._typed}")

    async def _dial(self, number: str) -> None:
        with self._excuses():
            self._call = await self._phone.call(number)

    async def _around(self, call: PhoneCall) -> None:
        """Records, says and lets hear, as it was asked to."""
        habits = self._habits
        command = player(habits.rate_hz) if habits.hear else None
        if habits.hear and not command:
            self._confess_silence()
        if habits.record or command:
            path = self._next_recording()
            await call.record(path.absolute())
            if command:
                speaker = Loudspeaker(path, habits.rate_hz, command, self._confess_silence)
                await self._around_call.enter_async_context(speaker)
        if habits.play:
            await call.play(habits.play.absolute(), loop=True)

    def _confess_silence(self) -> None:
        hint = "" if self._habits.record else ": --record FILE.wav keeps what is heard"
        self._say(f"this machine cannot play sound{hint}")

    def _next_recording(self) -> Path:
        self._recordings += 1
        path = self._habits.record or self._passing / "heard.wav"
        return path if self._recordings == 1 else path.with_stem(f"{path.stem}-{self._recordings}")

    @contextlib.contextmanager
    def _excuses(self) -> Iterator[None]:
        """What a person tried in vain is told to her and ends nothing; what the phone refuses tells itself, and so does
        the end of a call."""
        call = self._call
        try:
            yield
        except CommandRejected:
            pass
        except (PhoneError, TimeoutError) as error:
            if call is None or call.state != "disconnected":
                self._say(str(error).splitlines()[0])


@contextlib.contextmanager
def _keys(inbox: asyncio.Queue[Event | str | None]) -> Iterator[None]:
    """Every key at once, without Enter; the terminal is as it was afterwards. End of input is None."""
    fd = sys.stdin.fileno()
    loop = asyncio.get_running_loop()

    def arrived() -> None:
        typed = os.read(fd, 256).decode("utf-8", "ignore")
        for key in typed:
            inbox.put_nowait(key)
        if not typed:
            loop.remove_reader(fd)
            inbox.put_nowait(None)

    with _cbreak(fd):
        try:
            loop.add_reader(fd, arrived)
        except PermissionError:  # a plain file or /dev/null cannot be waited for: there are no keys
            inbox.put_nowait(None)
        try:
            yield
        finally:
            loop.remove_reader(fd)


@contextlib.contextmanager
def _cbreak(fd: int) -> Iterator[None]:
    if not os.isatty(fd):
        yield
        return
    import termios
    import tty

    before = termios.tcgetattr(fd)
    try:
        tty.setcbreak(fd)
        yield
    finally:
        termios.tcsetattr(fd, termios.TCSADRAIN, before)
