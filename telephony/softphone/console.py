"""`centralita phone`: a SIP phone in the terminal.

The command line composes this `app`; `accounts_from` tells it where accounts of this installation can be looked up,
so that nobody copies secrets.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, NoReturn

import typer
from rich.console import Console

from telephony.softphone import script as scripts
from telephony.softphone.client import Softphone
from telephony.softphone.errors import PhoneDied, RegistrationFailed
from telephony.softphone.events import Event
from telephony.softphone.narrate import sentence
from telephony.softphone.protocol import usage
from telephony.softphone.terminal import KEYS, Habits, Terminal

EXIT_FAILED, EXIT_USAGE, EXIT_NOT_REGISTERED, EXIT_CANNOT_START = 1, 2, 3, 5
EXIT_TERMINATED = 128 + signal.SIGTERM
_REGISTERED_WITHIN_S = 10.0
"""A person waits no longer to be told that nobody answers there."""


class Transport(StrEnum):
    UDP = "udp"
    TCP = "tcp"
    TLS = "tls"


@dataclass(frozen=True, slots=True)
class KnownAccount:
    """An account of this installation, ready to register. `srtp`: its audio is encrypted, or it has no call."""

    account: str
    secret: str
    host: str = "127.0.0.1"
    port: int = 5060
    tls_port: int = 5061
    transport: Literal["udp", "tcp", "tls"] = "udp"
    srtp: bool = False

    @property
    def registers_at(self) -> int:
        return self.tls_port if self.transport == "tls" else self.port


Lookup = Callable[[str | None], KnownAccount | None]

_HELP = f"""A SIP phone in this terminal: no sound card, no other program.

**Try the reception**: `centralita phone 100` dials 100, lets you hear it when this machine can play sound
(paplay, aplay, pw-cat or ffplay) and sends the digits you type. Without, `--record heard.wav` keeps what was said.
It is the phone with `trial: yes` in config/devices, else one that is no agent's. With `--account 1001` it is Ana's, and
hers gets no calls meanwhile.

**Be called**: `centralita phone --account 1001 --answer-after 500` registers and answers by itself.

**Keys**

```
{KEYS}
```

**Scripts**: `--script FILE` plays JSON lines, one step each, and exits 0 when all of them went well:

```
{{"do": "call", "uri": "100"}}
{{"wait_for": "call_state", "state": "confirmed", "timeout_s": 5}}
{{"do": "record", "path": "heard.wav"}}
{{"do": "dtmf", "digits": "1"}}
{{"wait_for": "call_state", "state": "disconnected", "timeout_s": 60}}
```

`{{"do": "play", "path": "hello.wav", "loop": true}}` says something into the call, `{{"sleep_s": 2}}` waits. Paths are
seen from where the script runs. After `wait_for` come the fields the event must have, and `timeout_s` (10 unless told).
`call` and `account` may name one of several. The steps and their fields (`=`: what they are when left out):

```
{usage()}
```
"""

app = typer.Typer(
    help=_HELP,
    rich_markup_mode="markdown",
    subcommand_metavar="",
    context_settings={"allow_interspersed_args": True},
    epilog="Exit codes: 0 done, 1 the call or a step of the script failed, 2 wrong usage, 3 not registered, "
    "5 the phone could not start.",
    pretty_exceptions_enable=False,
)
_lookup: Lookup = lambda _name: None  # noqa: E731 - replaced by accounts_from


def accounts_from(lookup: Lookup) -> None:
    """From now on `--account NAME` (or none: which one is up to it) is looked up there when no secret is given."""
    global _lookup
    _lookup = lookup


@app.callback(invoke_without_command=True)
def phone(
    number: Annotated[
        str | None, typer.Argument(help="Dial this at once: 100, or sip:100@192.168.1.10", show_default=False)
    ] = None,
    account: Annotated[
        str | None,
        typer.Option("--account", "-a", help="Which phone to be; else the one to try things with", show_default=False),
    ] = None,
    secret: Annotated[
        str | None,
        typer.Option(
            envvar="CENTRALITA_PHONE_SECRET",
            help="Its secret; only needed for an account of another system",
            show_default=False,
        ),
    ] = None,
    host: Annotated[str | None, typer.Option(help="Where Asterisk is", show_default="this machine")] = None,
    port: Annotated[int | None, typer.Option(help="Its SIP port", show_default="the configured one")] = None,
    transport: Annotated[
        Transport | None, typer.Option(help="How to reach it", show_default="the account's, else udp")
    ] = None,
    srtp: Annotated[
        bool | None,
        typer.Option("--srtp/--no-srtp", help="Encrypted audio, or no call", show_default="the account's, else no"),
    ] = None,
    answer_after: Annotated[
        int | None, typer.Option(metavar="MS", min=0, help="Answer calls by itself", show_default=False)
    ] = None,
    record: Annotated[
        Path | None, typer.Option(metavar="FILE.wav", help="Keep what is heard", show_default=False)
    ] = None,
    play: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.wav",
            help="Say this into every call, again and again; a script says what to play itself",
            show_default=False,
        ),
    ] = None,
    hear: Annotated[bool, typer.Option("--hear/--no-hear", help="Let me hear it, when this machine can")] = True,
    script: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Play this script instead of reading keys; - is standard input")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print events as JSON lines")] = False,
    log: Annotated[Path | None, typer.Option(metavar="FILE", help="Write every SIP message there")] = None,
) -> None:
    if script is not None:
        _refuse_beside_script(number, record, play)
    known = _known(account, secret, host, port, transport, srtp, needed=script is None)
    habits = Habits(number, record, play, hear and script is None and not as_json and sys.stdout.isatty())
    try:
        steps = scripts.parse(_text_of(script), str(script)) if script else None
    except OSError as error:
        _fail(f"{script} cannot be read: {error.strerror}", EXIT_USAGE)
    except scripts.ScriptFailed as error:
        _fail(str(error), EXIT_USAGE)
    try:
        ok = asyncio.run(_run(known, habits, steps, str(script), answer_after, as_json, log))
    except RegistrationFailed as error:
        _fail(str(error), EXIT_NOT_REGISTERED)
    except PhoneDied as error:
        _fail(str(error), EXIT_CANNOT_START)
    except scripts.ScriptFailed as error:
        _fail(str(error), EXIT_FAILED)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    except asyncio.CancelledError:
        raise typer.Exit(EXIT_TERMINATED) from None
    raise typer.Exit(0 if ok else EXIT_FAILED)


async def _run(
    known: KnownAccount | None,
    habits: Habits,
    steps: list[scripts.Step] | None,
    script_name: str,
    answer_after_ms: int | None,
    as_json: bool,
    log: Path | None,
) -> bool:
    out = Console(highlight=False)

    def say(text: str) -> None:
        if not as_json:
            out.print(text, markup=False, soft_wrap=True)

    def ask(text: str) -> None:
        if not as_json:
            typer.echo(f"\r{text}\033[K", nl=False)

    def tell(event: Event) -> None:
        if as_json:
            typer.echo(json.dumps({"event": event.name, "t_s": event.t_s, **event.fields}, ensure_ascii=False))
        elif event.name == "recorded" and steps is None and habits.record is None:
            return  # only made to be heard, and gone with the phone
        elif text := sentence(event):
            say(text)

    # Told to end, it hangs up, unregisters and clears away what it recorded, as with `q`.
    this = asyncio.current_task()
    assert this is not None
    for number in (signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, this.cancel)
    async with Softphone.start(rate_hz=habits.rate_hz, log_level=5 if log else 3, log_path=log) as softphone:
        softphone.on_event(tell)
        if known is not None:
            await softphone.register(
                known.account,
                known.secret,
                host=known.host,
                port=known.registers_at,
                transport=known.transport,
                srtp=known.srtp,
                timeout_s=_REGISTERED_WITHIN_S,
            )
            if answer_after_ms is not None:
                await softphone.auto_answer(answer_after_ms)
        if steps is None:
            return await Terminal(softphone, habits, say, ask).run()
        await scripts.run(softphone, steps, script_name)
        return True


def _known(
    account: str | None,
    secret: str | None,
    host: str | None,
    port: int | None,
    transport: Transport | None,
    srtp: bool | None,
    *,
    needed: bool,
) -> KnownAccount | None:
    own = _lookup(account) if secret is None or (account and host is None) else None
    found = own if own is None or secret is None else replace(own, secret=secret)
    if found is None and (account is None or secret is None):
        if not needed and account is None:
            return None  # a script may register by itself
        _fail(
            f"no phone account {account!r} is configured here" if account else "no phone account is configured here",
            EXIT_USAGE,
            "name one with --account, and give its secret with --secret or CENTRALITA_PHONE_SECRET",
        )
    base = found or KnownAccount(account or "", secret or "")
    return KnownAccount(
        base.account,
        base.secret,
        host or base.host,
        base.port if port is None else port,
        base.tls_port if port is None else port,
        transport.value if transport else base.transport,
        base.srtp if srtp is None else srtp,
    )


def _refuse_beside_script(number: str | None, record: Path | None, play: Path | None) -> None:
    """A script says itself whom to call, what to play and what to keep."""
    instead = {
        "a number": {"do": "call", "uri": number} if number else None,
        "--record": {"do": "record", "path": str(record)} if record else None,
        "--play": {"do": "play", "path": str(play), "loop": True} if play else None,
    }
    given = {name: step for name, step in instead.items() if step}
    if given:
        steps = ", ".join(json.dumps(step, ensure_ascii=False) for step in given.values())
        do = "does" if len(given) == 1 else "do"
        _fail(f"{' and '.join(given)} {do} nothing beside --script", EXIT_USAGE, f"write it into the script: {steps}")


def _text_of(script: Path) -> str:
    return sys.stdin.read() if str(script) == "-" else script.read_text(encoding="utf-8")


def _fail(what: str, code: int, hint: str = "") -> NoReturn:
    Console(stderr=True, highlight=False).print(
        f"{what}: {hint}" if hint else what, style="red", markup=False, soft_wrap=True
    )
    raise typer.Exit(code)
