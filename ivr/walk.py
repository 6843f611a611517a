"""A walk through a flow in a terminal: what the caller hears, and what she may do.

    walk = Walk(release, "reception")
    print(walk.begin())
    while not walk.is_over:
        print(walk.do(input("> ")))          # 1, 22#, "silence", "silence 10", "hang up", "restart", "vars", "help"

Pure: it prints nothing and reads nothing. Time is virtual; whatever the flow waits for (agents, other systems) comes at
once, as a scenario's `given` says.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ivr.model import Release
from ivr.run import Start
from ivr.scenario.caller import Caller
from ivr.scenario.compare import show
from ivr.scenario.given import GivenModel
from ivr.scenario.runner import promises_of, world_of
from ivr.scenario.transcript import Heard

HELP = """keys        press them: 1, or 12345678#
silence [s] say nothing for so long (10 seconds; so does an empty line)
hang up     end the call
restart     the engine dies and comes back
vars        the variables now
path        the call so far
help        this"""


class Walk:
    """One call. `given`: the circumstances, as in a scenario.

    Raises (when built):
        ValueError: there is no such flow.
    """

    def __init__(self, release: Release, flow_id: str, tenant: str = "main", given: GivenModel | None = None) -> None:
        flow = release.flow(tenant, flow_id)
        if flow is None:
            known = ", ".join(sorted(name for owner, name in release.flows if owner == tenant))
            raise ValueError(f"there is no flow '{flow_id}': write one of {known}")
        self._given = given or GivenModel()
        self._begin = Start(
            interaction_id="i-walk",
            leg_id="leg-walk",
            tenant=tenant,
            flow_id=flow_id,
            language=self._given.language or flow.languages[0],
            caller=self._given.caller,
            called=self._given.called,
            variables=self._given.variables,
            time_zone=self._given.timezone,
            seed=self._given.seed,
        )
        self._world = world_of(self._given, release, tenant)
        self._shown = 0
        self.caller: Caller

    def begin(self) -> str:
        """The call comes in; what happens until the flow waits for the caller."""
        self.caller = Caller(self._world, self._begin, self._given.now_s(), promises_of(self._given))
        return self._after()

    def do(self, line: str) -> str:
        """One line typed, and what it leads to. What cannot be understood is answered with the help."""
        typed = line.strip().lower()
        if typed in ("help", "?"):
            return HELP
        if typed == "vars":
            return "\n".join(f"{name} = {value}" for name, value in sorted(self.variables.items()))
        if typed == "path":
            return show(self.caller.transcript, self._given.now_s())
        if self.is_over:
            return "the call is over"
        if not self._act(typed):
            return f"'{line.strip()[:40]}' is nothing a caller does:\n{HELP}"
        return self._after()

    @property
    def is_over(self) -> bool:
        return self.caller.ended is not None

    @property
    def variables(self) -> Mapping[str, object]:
        return self.caller.run.variables

    @property
    def where(self) -> str:
        """The node the caller is at, `flow/node`."""
        return f"{self.caller.run.flow_id}/{self.caller.run.node_id}"

    @property
    def listed(self) -> tuple[str, ...]:
        """The keys that stand for the choices of a list, where the caller is."""
        return tuple(getattr(self.caller.run.memory, "options", ()))

    def _act(self, typed: str) -> bool:
        if typed in ("hang up", "hangup"):
            self.caller.hang_up()
        elif typed == "restart":
            self.caller.survive_restart()
        elif re.fullmatch(r"[0-9*#]{1,40}", typed):
            self.caller.press(typed)
        elif silence := re.fullmatch(r"(?:silence)?\s*(\d{1,5}(?:\.\d+)?)?", typed):
            self.caller.be_silent(float(silence[1] or 10))
        else:
            return False
        return True

    def _after(self) -> str:
        """Everything new, once the flow waits for the caller."""
        self.caller.listen()
        new = self.caller.transcript[self._shown :]
        self._shown = len(self.caller.transcript)
        text = show(new, self._given.now_s())
        if self.caller.ended is not None:
            why = f": {self.caller.ended.why}" if self.caller.ended.why else ""
            text += f"\nthe call is over ({self.caller.ended.outcome}{why})"
        return text

    def heard(self) -> list[str]:
        """Everything said so far."""
        return [line.text() for line in self.caller.transcript if isinstance(line, Heard)]
