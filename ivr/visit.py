"""What a verb may know while it takes its turn, and the few things every verb does.

A `Visit` lives for one turn. Verbs read it and ask it for commands whose ids are right: timers are named
`{visit_id}.{purpose}`, playbacks and everything else `{interaction_id}.{visit}.{n}`, never used twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from core.commands import CancelTimer, Command, StartTimer
from core.leg_commands import Play
from core.media import Part

if TYPE_CHECKING:
    from ivr.model import Release
    from ivr.prompts import Prompt


@dataclass(frozen=True, slots=True)
class World:
    """What flows lean on beyond themselves. `toggles`: (tenant, name) -> value; a missing one is off. `pins`:
    (tenant, name) -> the generated PIN that a flow names as `secret:name`."""

    release: Release
    toggles: Mapping[tuple[str, str], bool] = field(default_factory=dict)
    pins: Mapping[tuple[str, str], str] = field(default_factory=dict)


class Visit:
    """One node, one turn. `variables`: the flow's own and the call's facts; `secrets`: the names among them that must
    not be noted; `leg_up`: the caller's leg was answered; `serial`: the running number behind every new id; `notified`:
    the recording `notice` has been given; `seed`: the call's own, for chance."""

    __slots__ = (
        "flow_id",
        "flow_languages",
        "interaction_id",
        "language",
        "leg_id",
        "leg_up",
        "node_id",
        "notice",
        "notified",
        "now_s",
        "secrets",
        "seed",
        "serial",
        "tenant",
        "variables",
        "visit_id",
        "world",
    )

    def __init__(
        self,
        interaction_id: str,
        leg_id: str,
        visit_id: str,
        tenant: str,
        flow_id: str,
        flow_languages: tuple[str, ...],
        node_id: str,
        now_s: float,
        language: str,
        variables: Mapping[str, object],
        secrets: Mapping[str, str],
        world: World,
        leg_up: bool,
        serial: int,
        notice: Prompt | None,
        notified: bool,
        seed: int = 0,
    ) -> None:
        self.interaction_id = interaction_id
        self.leg_id = leg_id
        self.visit_id = visit_id
        self.tenant = tenant
        self.flow_id = flow_id
        self.flow_languages = flow_languages
        self.node_id = node_id
        self.now_s = now_s
        self.language = language
        self.variables = variables
        self.secrets = secrets
        self.world = world
        self.leg_up = leg_up
        self.serial = serial
        self.notice = notice
        self.notified = notified
        self.seed = seed

    def new_id(self) -> str:
        """An id nobody has used: of a playback, a recording, a request, a queue stay, a transfer."""
        self.serial += 1
        return f"{self.visit_id}.{self.serial}"

    def parts(self, prompt: Prompt) -> tuple[Part, ...]:
        """What the prompt says in the caller's language.

        Raises:
            TemplateFailed: a value in it cannot be said.
        """
        parts = prompt.parts(self.variables, self.language, self.flow_languages)
        return (*self._notice(), *parts) if prompt.recording_notice else parts

    def parts_with(self, prompt: Prompt, extra: Mapping[str, object]) -> tuple[Part, ...]:
        """As `parts`, with these variables beside the flow's."""
        parts = prompt.parts({**self.variables, **extra}, self.language, self.flow_languages)
        return (*self._notice(), *parts) if prompt.recording_notice else parts

    def _notice(self) -> tuple[Part, ...]:
        """That the call may be recorded: said once a call."""
        if self.notified or self.notice is None:
            return ()
        self.notified = True
        return self.notice.parts(self.variables, self.language, self.flow_languages)

    def play(self, parts: tuple[Part, ...]) -> Play:
        """One playback of all of them; its id is in the command."""
        return Play(self.leg_id, self.new_id(), parts)

    def timer(self, purpose: str, after_s: float) -> StartTimer:
        """Replaces this visit's timer of the same purpose."""
        return StartTimer(self.interaction_id, f"{self.visit_id}.{purpose}", self.now_s + after_s)

    def cancel(self, purpose: str) -> Command:
        return CancelTimer(self.interaction_id, f"{self.visit_id}.{purpose}")

    def is_timer(self, timer_id: str, purpose: str) -> bool:
        """Whether this is the visit's own timer of that purpose."""
        return timer_id == f"{self.visit_id}.{purpose}"

    @property
    def release(self) -> Release:
        return self.world.release
