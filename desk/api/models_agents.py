"""What goes over the API about who is an agent: as in `config/agents.yaml`, whose words these are."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from desk.api.models import Asked, Told

AgentId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]
Id = Annotated[str, Field(min_length=1, max_length=80)]
Level = Annotated[int, Field(ge=0, le=10)]
Units = Annotated[int, Field(ge=1, le=1000)]


class AgentFields(Asked):
    """What is not given, or null, is not said: its default holds. `device`: a phone of `config/devices/`, by its name
    there; `phone`: `own` makes one for her instead; `code` and `pin`: digits, to log in at any phone; `queues`: `all`,
    or which; `units`: what one contact of a channel takes of her `capacity`; `rest_s`: seconds between two contacts;
    `supervises`: she may follow conversations of others by phone, for admins to say."""

    name: Annotated[str, Field(max_length=200)] | None = None
    code: Annotated[str, StringConstraints(pattern=r"^[0-9]{1,16}$")] | None = None
    pin: Annotated[str, StringConstraints(pattern=r"^[0-9]{4,16}$")] | None = None
    device: Id | None = None
    phone: Literal["own"] | None = None
    skills: Annotated[dict[Id, Level], Field(max_length=200)] | None = None
    queues: Annotated[list[Id], Field(max_length=200)] | Literal["all"] | None = None
    languages: Annotated[list[Id], Field(max_length=20)] | None = None
    capacity: Units | None = None
    units: Annotated[dict[Id, Units], Field(max_length=20)] | None = None
    auto_answer: bool | None = None
    rest_s: Annotated[float, Field(ge=0, le=3600)] | None = None
    supervises: bool | None = None


class AgentAdded(AgentFields):
    """`agent_id`: a-z, 0-9, _ and -; hers for good."""

    agent_id: AgentId


class AgentDefinition(Told):
    """`declared`: the file and line that say so (`config/agents.yaml:12`), empty for who was added over the API.
    `has_pin`: PINs are never told. `phone`: `own` when her `device` was made for her."""

    tenant: str
    agent_id: str
    declared: str = ""
    name: str = ""
    code: str | None = None
    has_pin: bool = False
    device: str | None = None
    phone: Literal["own"] | None = None
    skills: dict[str, int] = {}
    queues: list[str] | Literal["all"] = "all"
    languages: list[str] = []
    capacity: int = 100
    units: dict[str, int] = {}
    auto_answer: bool = False
    rest_s: float | None = None
    supervises: bool = False


class SipAccount(Told):
    """For a softphone. `tls_port` null: this site has none."""

    username: str
    password: str
    server: str
    port: int
    tls_port: int | None = None


class FieldFault(Told):
    """`field` empty: it is about all of it."""

    field: str = ""
    what: str
    hint: str = ""


class AgentWritten(Told):
    """`warnings`: it was done, and is perhaps not what was meant. `sip`: of a phone made for her now; told once:
    who repeats the request with the same `Idempotency-Key` does not get it."""

    agent: AgentDefinition
    warnings: list[FieldFault] = []
    sip: SipAccount | None = None
