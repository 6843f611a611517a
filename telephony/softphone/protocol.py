"""The words between a softphone process and whoever drives it: one JSON object a line, each way.

Commands carry `do`, and may carry an `id` that comes back in `done` or `error`:

    {"do": "register", "id": 1, "account": "1000", "secret": "...", "host": "127.0.0.1", "port": 5060}
    {"do": "call", "uri": "100", "call": "c1"}

Events carry `event` and `t_s`, seconds of this machine's monotonic clock (comparable between processes):

    ready(pid, version, rate_hz, max_accounts, max_calls)
    done(id, do, ...)                  the command was taken; what it leads to follows as events of its own
    error(what, hint, id?, do?)        it was not, or something went wrong later
    registered(account, expires_s) · unregistered(account) · registration_failed(account, code, reason, hint)
    incoming(account, call, from, to, headers)
    call_state(account, call, state, code, reason, by?)   calling|incoming|early|connecting|confirmed|disconnected
    media_state(call, state, codec)                       active|local_hold|remote_hold|none|error
    dtmf_sent(call, digit, method, last) · dtmf_received(call, digit, method)
    playing(call, path) · played(call, path, finished)
    recording(call, path) · recorded(call, path, seconds)    `recording.t_s` is the recording's first sample
    transfer_status(call, code, reason, final) · request_failed(call, method, code, reason) · stats(call, ...)
    stopped()                          the last event

A command that names no `call` means the newest one that has not ended; no `account`, the first one.
"""

from __future__ import annotations

import difflib
import textwrap
from typing import Annotated, Any, Literal

import msgspec

MAX_LINE_BYTES = 256 * 1024
EVENTS = (
    "ready", "done", "error", "registered", "unregistered", "registration_failed", "incoming", "call_state",
    "media_state", "dtmf_sent", "dtmf_received", "playing", "played", "recording", "recorded", "transfer_status",
    "request_failed", "stats", "stopped",
)  # fmt: skip

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.+*#-]+$")]
Port = Annotated[int, msgspec.Meta(ge=0, le=65535)]
Digits = Annotated[str, msgspec.Meta(min_length=1, max_length=1000, pattern=r"^[0-9*#A-Da-d]+$")]
Milliseconds = Annotated[int, msgspec.Meta(ge=0, le=3_600_000)]
ToneMilliseconds = Annotated[int, msgspec.Meta(ge=40, le=8000)]
RefusalCode = Annotated[int, msgspec.Meta(ge=400, le=699)]
AnswerCode = Annotated[int, msgspec.Meta(ge=180, le=699)]
Headers = dict[str, str]


class BadLine(Exception):
    """A line that is not a command. `what` is wrong, `hint` what to write instead, `id` the command's if readable."""

    def __init__(self, what: str, hint: str, command_id: str | int | None = None) -> None:
        super().__init__(f"{what}: {hint}")
        self.what, self.hint, self.command_id = what, hint, command_id


class _Command(msgspec.Struct, frozen=True, kw_only=True, tag_field="do", forbid_unknown_fields=True):
    id: str | int | None = None


def _no_redirection(code: int) -> None:
    if 201 <= code < 400:
        raise ValueError(f"code {code}: use 180, 183, 200, or 400 to 699 to refuse")


class Register(_Command, frozen=True, kw_only=True, tag="register"):
    """`registrar: false` makes an account that only calls and is called directly, at `local_port`. `srtp`: audio is
    encrypted, or there is no call."""

    account: Name
    secret: str = ""
    host: str = "127.0.0.1"
    port: Port = 5060
    transport: Literal["udp", "tcp", "tls"] = "udp"
    auth_user: str = ""
    display: str = ""
    expires_s: Annotated[int, msgspec.Meta(ge=10, le=86400)] = 120
    retry_s: Annotated[int, msgspec.Meta(ge=0, le=3600)] = 5
    registrar: bool = True
    local_port: Port = 0
    srtp: bool = False


class Unregister(_Command, frozen=True, kw_only=True, tag="unregister"):
    account: Name | None = None


class Dial(_Command, frozen=True, kw_only=True, tag="call"):
    uri: str
    account: Name | None = None
    call: Name | None = None
    headers: Headers = {}


class _OnCall(_Command, frozen=True, kw_only=True):
    call: Name | None = None


class Answer(_OnCall, frozen=True, kw_only=True, tag="answer"):
    """180 rings, 183 opens early media, 200 picks up, 400 and above refuses."""

    code: AnswerCode = 200
    after_ms: Milliseconds = 0
    headers: Headers = {}

    def __post_init__(self) -> None:
        _no_redirection(self.code)


class AutoAnswer(_Command, frozen=True, kw_only=True, tag="auto_answer"):
    """What becomes of the account's next incoming calls: `code` (200 or a refusal) after a while, or nothing."""

    account: Name | None = None
    after_ms: Milliseconds | Literal["off"] = 0
    code: AnswerCode = 200

    def __post_init__(self) -> None:
        _no_redirection(self.code)


class Hangup(_OnCall, frozen=True, kw_only=True, tag="hangup"):
    """`code`: how an incoming call that still rings is refused."""

    code: RefusalCode = 603
    all: bool = False


class Dtmf(_OnCall, frozen=True, kw_only=True, tag="dtmf"):
    digits: Digits
    method: Literal["rfc4733", "info"] = "rfc4733"
    duration_ms: ToneMilliseconds = 100
    gap_ms: Milliseconds = 80


class Play(_OnCall, frozen=True, kw_only=True, tag="play"):
    path: str
    loop: bool = False


class StopPlaying(_OnCall, frozen=True, kw_only=True, tag="stop_playing"):
    pass


class Record(_OnCall, frozen=True, kw_only=True, tag="record"):
    path: str


class StopRecording(_OnCall, frozen=True, kw_only=True, tag="stop_recording"):
    pass


class Hold(_OnCall, frozen=True, kw_only=True, tag="hold"):
    pass


class Unhold(_OnCall, frozen=True, kw_only=True, tag="unhold"):
    pass


class Transfer(_OnCall, frozen=True, kw_only=True, tag="transfer"):
    """To a number or URI (blind), or to the other party of `to_call` (attended)."""

    to: str | None = None
    to_call: Name | None = None


class Mute(_OnCall, frozen=True, kw_only=True, tag="mute"):
    on: bool = True


class Stats(_OnCall, frozen=True, kw_only=True, tag="stats"):
    pass


class Quit(_Command, frozen=True, kw_only=True, tag="quit"):
    pass


Command = (
    Register
    | Unregister
    | Dial
    | Answer
    | AutoAnswer
    | Hangup
    | Dtmf
    | Play
    | StopPlaying
    | Record
    | StopRecording
    | Hold
    | Unhold
    | Transfer
    | Mute
    | Stats
    | Quit
)

_KINDS: dict[str, type[_Command]] = {str(kind.__struct_config__.tag): kind for kind in Command.__args__}
_DECODER: msgspec.json.Decoder[Command] = msgspec.json.Decoder(Command)


def decode(line: bytes) -> Command:
    """The command on this line.

    Raises:
        BadLine: it is not JSON, not an object, or not a command we know with the fields it needs.
    """
    try:
        return _DECODER.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _explain(line, error) from error


def usage(width: int = 78) -> str:
    """Every command with its fields, one a line, folded: those with `=` may be left out."""
    lines = []
    for name, kind in _KINDS.items():
        fields = [_field(each) for each in msgspec.structs.fields(kind) if each.name != "id"]
        lines += textwrap.wrap(f"{name:<16}{'  '.join(fields)}".rstrip(), width, subsequent_indent=" " * 16)
    return "\n".join(lines)


def _field(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return field.name
    if field.default in (None, "", msgspec.NODEFAULT):
        return f"[{field.name}]"
    return f"{field.name}={msgspec.json.encode(field.default).decode()}"


def _explain(line: bytes, error: Exception) -> BadLine:
    try:
        raw: Any = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as not_json:
        shown = line[:60].decode("utf-8", "replace")
        return BadLine(
            f"this is not JSON: {shown!r} ({not_json})", 'write one object a line: {"do": "call", "uri": "100"}'
        )
    if not isinstance(raw, dict):
        return BadLine(f"a command is an object, not {type(raw).__name__}", 'write {"do": "call", "uri": "100"}')
    command_id = raw.get("id") if isinstance(raw.get("id"), str | int) else None
    name = raw.get("do")
    kind = _KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        near = difflib.get_close_matches(str(name), _KINDS, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"'do' is one of {', '.join(sorted(_KINDS))}"
        return BadLine(f"no such command: {name!r}", hint, command_id)
    fields = ", ".join(field for field in kind.__struct_fields__ if field != "id")
    return BadLine(f"{name}: {error}", f"{name} takes {fields or 'nothing'}", command_id)
