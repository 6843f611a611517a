"""`http`: ask another system.

    balance:
      type: http
      url: "https://crm.example/customers/{{ document }}"
      query: {phone: "{{ caller }}"}
      timeout_s: 4
      retries: 1                                # of a GET only
      into: {balance: account.balance, name: owner.name}      # variable: path into the JSON reply
      hold: {prompt: {es: "Un momento, por favor."}}          # or {music: default}, or both
      on: {"404": unknown, 5xx: later}
      next: say_balance

2xx goes on to `next`; a status in `on` to its node; anything else, a reply that does not fit and no reply in time to
the error exit. Hosts must be allowed in config/http.yaml.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import ClassVar, Literal
from urllib.parse import quote, urlencode, urlsplit

import msgspec
from msgspec.structs import replace
from pydantic import Field, field_validator, model_validator

from core.commands import Command, SendHttp
from core.decisions import Noted
from core.events import (
    CommandOutcomeUnknown,
    CommandRejected,
    DigitPressed,
    Event,
    HttpReplied,
    PlaybackFinished,
    TimerFired,
)
from core.leg_commands import StartMusic
from definitions.faults import Faults, fault
from definitions.models import Count, Definition, Flag, Name, Seconds, Text, Variable
from ivr.node import Exit, Leave, NodeModel, Reference, Turn, Visit, fail
from ivr.prompts import Prompt
from ivr.templates import Template
from ivr.values import Value

VERSION = 1
_STATUS = re.compile(r"[1-5]([0-9]{2}|xx)")
MARGIN_S = 5.0
"""Beyond the request's own timeouts: then nobody will reply any more."""


class Hold(Definition):
    """What the caller hears meanwhile: a prompt once, then music."""

    prompt: Prompt | None = None
    music: Name | None = None

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: object) -> object:
        return {"music": "default"} if value == "music" else value


class Model(NodeModel):
    waits: ClassVar[bool] = True

    type: Literal["http"] = "http"
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    url: Template
    """Values in it are escaped."""
    query: Mapping[Text, Template] = {}
    headers: Mapping[Text, Template] = {}
    json_body: Mapping[Text, Value] | None = Field(default=None, alias="json")
    """Sent as a JSON object."""
    form: Mapping[Text, Template] | None = None
    timeout_s: Seconds = 5.0
    retries: Count = 0
    into: Mapping[Variable, Text] = {}
    sensitive: Flag = False
    """What comes back is secret: kept in memory alone."""
    hold: Hold | None = None
    on: Mapping[Text, Name] = {}
    next: Name

    @field_validator("on", mode="after")
    @classmethod
    def _statuses(cls, on: Mapping[str, str]) -> Mapping[str, str]:
        faults = Faults()
        for status in on:
            if not _STATUS.fullmatch(status):
                faults.add((status,), f"'{status}' is no HTTP status", "write 404 or 5xx")
        faults.raise_any("on")
        return on

    @field_validator("timeout_s", mode="after")
    @classmethod
    def _short(cls, timeout_s: float) -> float:
        if not 0.1 <= timeout_s <= 60:
            raise fault(f"{timeout_s:g} seconds is no time to keep a caller waiting", "write 0.1 to 60")
        return timeout_s

    @model_validator(mode="after")
    def _fits(self) -> Model:
        if self.retries and self.method != "GET":
            raise fault(f"a {self.method} is never repeated", "leave `retries` out")
        if self.json_body is not None and self.form is not None:
            raise fault("both `json` and `form` are given", "keep one of them")
        return self

    def exits(self) -> tuple[Exit, ...]:
        statuses = (Exit(status, target, ("on", status)) for status, target in self.on.items())
        return (Exit("next", self.next, ("next",)), *statuses, *super().exits())

    def references(self) -> tuple[Reference, ...]:
        # The host must not come from a variable, or a caller could choose where we send.
        start = re.match(r"https?://[^/{}?#]+", self.url.source)
        host = urlsplit(start[0]).hostname if start else None
        return (Reference("host", host or self.url.source[:80], ("url",)),)

    def sets(self) -> frozenset[str]:
        return frozenset(self.into)


class Memory(msgspec.Struct, frozen=True, omit_defaults=True):
    """`playing`: the hold prompt is being said. `reply`: what came while it was."""

    request_id: str
    playing: bool = False
    reply: HttpReplied | None = None


def enter(node: Model, visit: Visit) -> Turn:
    return _send(node, visit)


def resume(node: Model, memory: Memory, visit: Visit) -> Turn:
    """A GET is sent again. Anything else may have been carried out: its reply, or the word that nobody knows, comes."""
    if memory.reply is not None:
        return _replied(node, memory.reply)
    if node.method == "GET":
        return _send(node, visit)
    return Turn(replace(memory, playing=False), (_patience(node, visit),))


def on_event(node: Model, memory: Memory, event: Event, visit: Visit) -> Turn:
    match event:
        case HttpReplied() if event.request_id == memory.request_id:
            if memory.playing and not node.sensitive:
                return Turn(replace(memory, reply=event), (visit.cancel("reply"),))
            return _replied(node, event)
        case PlaybackFinished() if memory.reply is not None:
            return _replied(node, memory.reply)
        case PlaybackFinished():
            return Turn(replace(memory, playing=False), _start_music(node, visit))
        case TimerFired():
            return fail(node, "no reply in time")
        case CommandRejected() | CommandOutcomeUnknown() if event.subject_id == memory.request_id:
            return fail(node, getattr(event, "why", "nobody knows whether it was carried out"))
        case DigitPressed():
            return Turn(memory, untaken=event.digit)
        case _:
            return Turn(memory)


def _send(node: Model, visit: Visit) -> Turn:
    # What the caller hears comes first, so that it does not wait for anything.
    parts = visit.parts(node.hold.prompt) if node.hold and node.hold.prompt else ()
    hold: tuple[Command, ...] = (visit.play(parts),) if parts else _start_music(node, visit)
    request = SendHttp(
        interaction_id=visit.interaction_id,
        request_id=visit.new_id(),
        method=node.method,
        url=_url(node, visit),
        headers=_headers(node, visit),
        body=_body(node, visit),
        timeout_s=node.timeout_s,
        retries=node.retries,
        mapping=node.into,
    )
    return Turn(Memory(request.request_id, playing=bool(parts)), (*hold, request, _patience(node, visit)))


def _patience(node: Model, visit: Visit) -> Command:
    return visit.timer("reply", node.timeout_s * (1 + node.retries) + MARGIN_S)


def _replied(node: Model, reply: HttpReplied) -> Turn:
    if reply.error or not reply.status:
        return fail(node, reply.error or "no reply")
    status = str(reply.status)
    branch = next((key for key in (status, f"{status[0]}xx") if key in node.on), None)
    noted = (Noted("http", f"status {status}"),)
    if branch is not None:
        return Turn(leave=_leave(node, branch, node.on[branch], reply), decisions=noted)
    if status[0] == "2":
        return Turn(leave=_leave(node, "next", node.next, reply), decisions=noted)
    return fail(node, f"status {status}")


def _leave(node: Model, branch: str, target: str, reply: HttpReplied) -> Leave:
    values = {name: reply.values[name] for name in node.into if name in reply.values}
    return Leave(branch, target, values, sensitive=frozenset(values) if node.sensitive else frozenset())


def _start_music(node: Model, visit: Visit) -> tuple[Command, ...]:
    return (StartMusic(visit.leg_id, node.hold.music),) if node.hold and node.hold.music else ()


def _url(node: Model, visit: Visit) -> str:
    escaped = {
        name: quote(value, safe="") if isinstance(value, str) else value
        for name, value in visit.variables.items()
        if name in node.url.names
    }
    url = node.url.render(escaped, visit.language)
    if not node.query:
        return url
    query = urlencode({name: value.render(visit.variables, visit.language) for name, value in node.query.items()})
    return f"{url}{'&' if '?' in url else '?'}{query}"


def _headers(node: Model, visit: Visit) -> dict[str, str]:
    headers = {
        name: re.sub(r"[\x00-\x1f\x7f]", " ", value.render(visit.variables, visit.language))
        for name, value in node.headers.items()
    }
    if node.json_body is not None:
        headers.setdefault("Content-Type", "application/json")
    elif node.form is not None:
        headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
    return headers


def _body(node: Model, visit: Visit) -> str:
    if node.json_body is not None:
        values = {name: value.evaluate(visit.variables, visit.language) for name, value in node.json_body.items()}
        return json.dumps(values, ensure_ascii=False, default=str)
    if node.form is not None:
        return urlencode({name: value.render(visit.variables, visit.language) for name, value in node.form.items()})
    return ""
