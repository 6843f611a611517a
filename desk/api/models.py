"""What goes over the API. Field names are the engine's; seconds end in `_s` and are UTC where they name a moment."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Text = Annotated[str, Field(max_length=200)]
Name = Annotated[str, Field(min_length=1, max_length=80)]
Password = Annotated[str, StringConstraints(strip_whitespace=False, min_length=1, max_length=200)]
Moment = Annotated[float, Field(ge=0, le=1e11)]


class Asked(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class Told(BaseModel):
    model_config = ConfigDict(extra="ignore")


class ProblemBody(BaseModel):
    """RFC 9457. `type` ends in a stable word; `detail` says what is wrong and what to do."""

    model_config = ConfigDict(extra="allow")
    type: str
    title: str
    status: int
    detail: str


class Done(Told):
    ok: Literal[True] = True


class Listed(Told):
    """`engine_up` false: the engine is away and this is how things stood when it last spoke, at `now_s`."""

    engine_up: bool
    now_s: float


class Setup(BaseModel):
    """What people choose from: reasons not to be ready, queues with their dispositions, flows to send somebody to."""

    model_config = ConfigDict(extra="allow")
    reasons: list[dict[str, Any]] = []
    queues: list[dict[str, Any]] = []
    flows: list[dict[str, Any]] = []


class Health(Told):
    """`engine`: the desk hears it; `database`: it answers; `seq`: the last event heard."""

    engine: bool
    database: bool
    seq: int
