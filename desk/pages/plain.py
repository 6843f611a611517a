"""Raw words of flows, endings and lists as people read them, in the page's language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from desk.live.board import Board
from desk.pages.setup import SetupCache, titled
from desk.pages.times import in_words
from desk.words import words

_NOT_GIVEN = "not_given"


@dataclass(frozen=True, slots=True)
class Plain:
    """What one tenant's pages say of ids. What no table knows is written without its underscores."""

    board: Board
    setup: SetupCache
    tenant: str
    language: str
    time_zone: str

    def node(self, node: str) -> str:
        """A flow's node, `reception.to_sales`: by its word, the title of the queue it is called after, or its name."""
        name = node.rpartition(".")[2]
        return self._word("node_", name) or self._queue(name.removeprefix("to_")) or _spaced(name)

    def variable(self, name: str) -> str:
        return self._word("variable_", name) or _spaced(name)

    def value(self, value: Any) -> str:
        """Of a variable: dates are the site's."""
        return in_words(str(value), self.time_zone, self.language)

    def ending(self, outcome: str | None) -> str:
        """How a contact ended; `None`: it has not."""
        return self._word("ending_", outcome or "open") or _spaced(outcome or "")

    def disposition(self, path: str, queue: str = "") -> str:
        """By its titles, those of this queue first."""
        if path == _NOT_GIVEN:
            return self._word("ending_", _NOT_GIVEN)
        queues = [queue, *(str(each["queue"]) for each in self.board.queues(self.tenant))]
        found = (self.setup.disposition_titles(self.tenant, each, self.language).get(path) for each in queues)
        return next((title for title in found if title), _spaced(path))

    def agent(self, agent_id: str) -> str:
        known: Mapping[str, Any] = self.board.agent(self.tenant, agent_id) or {}
        return str(known.get("name") or agent_id)

    def queue(self, queue: str) -> str:
        return self._queue(queue) or queue

    def target(self, target: str) -> str:
        """Whom somebody was given to: a colleague's name, a queue's title, or what was typed."""
        kind, _, name = target.partition(":")
        match kind if name else "":
            case "agent":
                return self.agent(name)
            case "queue":
                return self.queue(name)
            case "flow":
                return titled(self.setup.flows(self.tenant).get(name), self.language) or name
            case _:
                return name or target

    def pause(self, reason: str) -> str:
        """Why somebody is not ready, by its title."""
        return self.setup.reason_title(self.tenant, reason, self.language)

    def _queue(self, queue: str) -> str:
        return str((self.board.queue(self.tenant, queue) or {}).get("title") or "")

    def _word(self, kind: str, name: str) -> str:
        return words(self.language).get(kind + name, "")


def _spaced(name: str) -> str:
    return name.replace("_", " ")
