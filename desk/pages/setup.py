"""What people choose from, kept for a moment: reasons, dispositions, scripts, forms of the release in force."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from core.clock import Clock
from desk.engine_client import EngineAway, EngineClient, NotKnown

KEPT_S = 5.0


class SetupCache:
    """While the engine is away the last answer is shown."""

    def __init__(self, engine: EngineClient, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._until_s = 0.0
        self._reasons: Sequence[Mapping[str, Any]] = []
        self._queues: dict[tuple[str, str], Mapping[str, Any]] = {}
        self._campaigns: dict[tuple[str, str], Mapping[str, Any]] = {}
        self._flows: dict[tuple[str, str], Mapping[str, Any]] = {}

    async def fresh(self) -> None:
        """Asks again when what is here is old."""
        if self._clock.now_s() < self._until_s:
            return
        with contextlib.suppress(EngineAway, NotKnown, KeyError, TypeError):
            found = await self._engine.setup()
            self._reasons = list(found.get("reasons", ()))
            self._queues = {(each["tenant"], each["queue"]): each for each in found.get("queues", ())}
            self._campaigns = {(each["tenant"], each["campaign"]): each for each in found.get("campaigns", ())}
            self._flows = {(each["tenant"], each["flow"]): each for each in found.get("flows", ())}
            self._until_s = self._clock.now_s() + KEPT_S

    def reasons(self, tenant: str, language: str, forced: bool = False) -> list[dict[str, Any]]:
        """Those that an agent may choose; `forced`: that a supervisor may give her."""
        return [
            {**each, "title": titled(each.get("title"), language) or each["reason"]}
            for each in self._reasons
            if each.get("tenant") == tenant and (each.get("chosen", True) or (forced and not each.get("system", True)))
        ]

    def reason_title(self, tenant: str, reason: str, language: str) -> str:
        for each in self._reasons:
            if (each.get("tenant"), each.get("reason")) == (tenant, reason):
                return titled(each.get("title"), language) or reason
        return reason

    def queue(self, tenant: str, queue: str) -> Mapping[str, Any]:
        return self._queues.get((tenant, queue), {})

    def flows(self, tenant: str) -> dict[str, Any]:
        """Those that a customer can be sent to: the titles of each."""
        return {flow: each.get("title") for (owner, flow), each in sorted(self._flows.items()) if owner == tenant}

    def campaign(self, tenant: str, campaign: str) -> Mapping[str, Any]:
        return self._campaigns.get((tenant, campaign), {})

    def campaigns(self, tenant: str, queues: Collection[str]) -> list[Mapping[str, Any]]:
        """Those that one of these queues answers."""
        return [
            each
            for (owner, _), each in sorted(self._campaigns.items())
            if owner == tenant and each.get("queue") and each["queue"] in queues
        ]

    def choices(self, tenant: str, queue: str, language: str) -> list[dict[str, Any]]:
        """The dispositions as a tree: `{path, title, leaf, below: [...]}`."""
        roots: list[dict[str, Any]] = []
        by_path: dict[str, dict[str, Any]] = {}
        for each in self.queue(tenant, queue).get("dispositions", ()):
            path = str(each["path"])
            shown = {
                "path": path,
                "title": titled(each.get("title"), language) or path.rpartition("/")[2],
                "leaf": bool(each.get("leaf", True)),
                "below": [],
            }
            by_path[path] = shown
            parent = by_path.get(path.rpartition("/")[0])
            (parent["below"] if parent else roots).append(shown)
        return roots

    def disposition_titles(self, tenant: str, queue: str, language: str) -> dict[str, str]:
        """Path -> titles from the branch down, `Sold › New customer`; the longest paths first."""
        own = {
            str(each["path"]): titled(each.get("title"), language) or str(each["path"]).rpartition("/")[2]
            for each in self.queue(tenant, queue).get("dispositions", ())
        }
        above = {path: ["/".join(path.split("/")[: n + 1]) for n in range(path.count("/") + 1)] for path in own}
        return {
            path: " › ".join(own.get(each, each.rpartition("/")[2]) for each in above[path])
            for path in sorted(own, key=len, reverse=True)
        }


def titled(titles: Any, language: str) -> str:
    """A text, or the one of a language; any other when it has none of that."""
    if isinstance(titles, Mapping):
        return str(titles.get(language) or titles.get("") or next(iter(titles.values()), ""))
    return str(titles or "")
