"""What all methods share: when nothing may be dialed at all, the most lines there may be, and how they are saved."""

from __future__ import annotations

from typing import Any

import msgspec

from dialer.pacing.method import CannotRestore, Due, Outcome, PacingSettings
from dialer.pacing.pool import Pool
from dialer.pacing.rest import Rest

NO_AGENT = "no agent is there"


def one_each(pool: Pool) -> int:
    """One line for each ready agent, those in flight taken off: nobody who answers can be without an agent."""
    return max(0, pool.ready - pool.in_flight)


def room(pool: Pool, settings: PacingSettings) -> int:
    """How many more lines the ceiling of lines per agent leaves."""
    return max(0, int(settings.most_lines_per_agent * pool.agents) - pool.in_flight)


class Method:
    """A method says how many lines it wants; this keeps it within what always holds.

    No agent, no dial; rest that is owed is given; a cap of zero, or one that is used up, leaves one line for each
    ready agent. What a subclass keeps, it names in `_keep` and takes back in `_take`.
    """

    name = ""
    version = 1

    def __init__(self, settings: PacingSettings) -> None:
        self.settings = settings
        self._rest = Rest(settings.occupancy_ceiling)

    def dials_due(self, pool: Pool, now_s: float) -> Due:
        rest = self._rest.owed(pool, now_s)
        if not pool.agents:
            return Due(0, NO_AGENT)
        if rest:
            return Due(0, self._rest.say())
        if pool.nobody_may_be_abandoned:
            count, why = one_each(pool), "one line for each ready agent"
            if pool.most > 0:
                why += f": {pool.abandoned} of {pool.live} answers abandoned, none to spare"
            return Due(count, why)
        due = self._wanted(pool, now_s)
        count = min(due.count, room(pool, self.settings))
        if count < due.count:
            return Due(count, f"{due.why}; at most {self.settings.most_lines_per_agent:g} lines for an agent")
        return due

    def record(self, outcome: Outcome, now_s: float) -> None:
        """Nothing to learn."""

    def save(self) -> bytes:
        return msgspec.msgpack.encode([self.name, self.version, self._rest.save(), self._keep()])

    def restore(self, body: bytes) -> None:
        try:
            name, version, rest, kept = msgspec.msgpack.decode(body)
        except (msgspec.DecodeError, ValueError, TypeError) as error:
            raise CannotRestore("what was saved cannot be read: the pacer starts afresh") from error
        if (name, version) != (self.name, self.version):
            raise CannotRestore(f"saved by {name} version {version}, this is {self.name} version {self.version}")
        fresh = type(self)(self.settings)
        try:
            fresh._rest.restore(rest)
            fresh._take(kept)
        except (TypeError, ValueError, IndexError) as error:
            raise CannotRestore(f"what {name} saved is not whole: the pacer starts afresh") from error
        self.__dict__.update(fresh.__dict__)

    def _wanted(self, pool: Pool, now_s: float) -> Due:
        raise NotImplementedError

    def _keep(self) -> Any:
        return None

    def _take(self, kept: Any) -> None:
        """Nothing was kept."""
