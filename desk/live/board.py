"""The engine's state as the desk last heard it: a fold over its snapshot and events, without I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
Key = tuple[str, str]
"""(tenant, id)"""

KINDS = ("agent", "queue", "stay", "talk", "campaign")
_ID = {
    "agent": "agent_id",
    "queue": "queue",
    "stay": "stay_id",
    "talk": "interaction_id",
    "campaign": "campaign",
}
TALKING = ("talking", "consulting", "hold")
"""What those look like who talk with somebody."""
_LIVE = ("offered", "active", "held", "consulting", "wrap_up")


@dataclass(slots=True)
class Board:
    """`now_s`: the engine's time when it last spoke."""

    epoch: str = ""
    seq: int = 0
    now_s: float = 0.0
    things: dict[str, dict[Key, Json]] = field(default_factory=lambda: {kind: {} for kind in KINDS})

    def reset(self, snapshot: Json) -> None:
        """Raises KeyError, TypeError, ValueError: this is no snapshot; the board is as before."""
        fresh: dict[str, dict[Key, Json]] = {kind: {} for kind in KINDS}
        for kind in KINDS:
            for value in snapshot.get(f"{kind}s", ()):
                fresh[kind][(str(value["tenant"]), str(value[_ID[kind]]))] = value
        self.epoch, self.seq, self.now_s = (
            str(snapshot["epoch"]),
            int(snapshot["seq"]),
            float(snapshot.get("now_s", 0.0)),
        )
        self.things = fresh

    def apply(self, event: Json) -> None:
        """Raises KeyError, TypeError, ValueError: this is no event."""
        seq, kind, key = int(event["seq"]), str(event["kind"]), (str(event["tenant"]), str(event["id"]))
        self.seq = seq
        if kind not in self.things:
            return
        if event["value"] is None:
            self.things[kind].pop(key, None)
        else:
            self.things[kind][key] = dict(event["value"])

    def owner(self, kind: str, id_: str) -> Key:
        """Whose that is, for news of things that are gone: they may come without a tenant. ("", id): nobody's."""
        known = self.things.get(kind, {})
        tenant, _, name = id_.partition("/")
        if (tenant, name) in known:
            return tenant, name
        return next((key for key in known if key[1] == id_), ("", id_))

    def agents(self, tenant: str | None = None) -> list[Json]:
        return self._sorted("agent", tenant)

    def people(self, tenant: str | None = None) -> list[Json]:
        """Agents as a board shows them, and whoever else talks: a supervisor who took over has the conversation without
        having been offered it, logged in or not. A `guest` is no agent here."""
        found = {(agent["tenant"], agent["agent_id"]): agent for agent in self.agents(tenant)}
        for talk in self._of("talk", tenant):
            for party in talk.get("parties", ()):
                who, interaction_id = str(party.get("agent_id", "")), talk["interaction_id"]
                if who and party.get("up", True) and not self.has(talk["tenant"], who, interaction_id):
                    key = talk["tenant"], who
                    found[key] = _talking(found.get(key) or _guest(*key), talk)
        return list(found.values())

    def queues(self, tenant: str | None = None) -> list[Json]:
        return self._sorted("queue", tenant)

    def stays(self, tenant: str | None = None) -> list[Json]:
        """Who has waited longest first, in whichever queues it was."""
        return sorted(self._of("stay", tenant), key=lambda stay: (_began_s(stay), stay["stay_id"]))

    def stay(self, tenant: str, stay_id: str) -> Json | None:
        return self.things["stay"].get((tenant, stay_id))

    def agent(self, tenant: str, agent_id: str) -> Json | None:
        return self.things["agent"].get((tenant, agent_id))

    def queue(self, tenant: str, queue: str) -> Json | None:
        return self.things["queue"].get((tenant, queue))

    def talk(self, tenant: str, interaction_id: str) -> Json | None:
        return self.things["talk"].get((tenant, interaction_id))

    def campaigns(self, tenant: str | None = None) -> list[Json]:
        return self._sorted("campaign", tenant)

    def campaign(self, tenant: str, campaign: str) -> Json | None:
        return self.things["campaign"].get((tenant, campaign))

    def previews(self, tenant: str, agent_id: str) -> list[Json]:
        """The leads she is shown now, each with its `campaign`."""
        return [
            {**each, "campaign": view["campaign"]}
            for view in self._of("campaign", tenant)
            for each in view.get("previews", ())
            if each.get("agent_id") == agent_id
        ]

    def in_person(self, tenant: str, agent_id: str) -> list[Json]:
        """What is dialed for her now, or came to nothing a moment ago; each with its `campaign`."""
        return [
            {**each, "campaign": view["campaign"]}
            for view in self._of("campaign", tenant)
            for each in view.get("in_person", ())
            if each.get("agent_id") == agent_id
        ]

    def preview(self, attempt_id: str) -> tuple[str, str, Json] | None:
        """(tenant, agent, preview) of a lead that is shown now, or for which her phone rings."""
        for view in self._of("campaign", None):
            for each in (*view.get("previews", ()), *_ringing_her(view)):
                if each.get("attempt_id") == attempt_id:
                    return view["tenant"], str(each.get("agent_id", "")), each
        return None

    def assignments(self, tenant: str, agent_id: str) -> list[Json]:
        """Hers that are not done, the newest last."""
        agent = self.agent(tenant, agent_id)
        found = [each for each in (agent or {}).get("assignments", ()) if each.get("state") in _LIVE]
        return sorted(found, key=lambda each: each.get("since_s", 0.0))

    def has(self, tenant: str, agent_id: str, interaction_id: str) -> bool:
        """Whether this agent has an assignment on it."""
        return any(each["interaction_id"] == interaction_id for each in self.assignments(tenant, agent_id))

    def offer(self, offer_id: str) -> tuple[str, str, Json] | None:
        """(tenant, agent, assignment) of an offer that is made now."""
        for tenant, agent_id, assignment in self._all_assignments():
            if assignment.get("offer_id") == offer_id and assignment.get("state") == "offered":
                return tenant, agent_id, assignment
        return None

    def tenants_of(self, interaction_id: str) -> set[str]:
        """Whose it is, by what is on the board; empty when it is not there."""
        found = {tenant for tenant, _, each in self._all_assignments() if each["interaction_id"] == interaction_id}
        found |= {
            tenant for (tenant, _), stay in self.things["stay"].items() if stay.get("interaction_id") == interaction_id
        }
        return found

    def _all_assignments(self) -> Iterator[tuple[str, str, Json]]:
        for (tenant, agent_id), agent in self.things["agent"].items():
            for assignment in agent.get("assignments", ()):
                yield tenant, agent_id, assignment

    def _of(self, kind: str, tenant: str | None) -> Iterable[Json]:
        return (value for (owner, _), value in self.things[kind].items() if tenant is None or owner == tenant)

    def _sorted(self, kind: str, tenant: str | None) -> list[Json]:
        return sorted(self._of(kind, tenant), key=lambda value: (value["tenant"], value[_ID[kind]]))


def _began_s(stay: Json) -> float:
    return float(stay.get("joined_s", 0.0)) - float(stay.get("waited_before_s", 0.0))


def _guest(tenant: str, who: str) -> Json:
    return {
        "tenant": tenant,
        "agent_id": who,
        "name": who.removeprefix("@"),
        "guest": True,
        "presence": "logged_out",
        "looks": "logged_out",
        "looks_since_s": 0.0,
        "since_s": 0.0,
        "reason": "",
        "pending": "",
        "device": "",
        "reachable": True,
        "breaks_at_s": {},
        "assignments": [],
    }


def _talking(agent: Json, talk: Json) -> Json:
    work = {"interaction_id": talk["interaction_id"], "queue": talk.get("queue", ""), "state": "active"}
    shown = {**agent, "assignments": [*agent.get("assignments", ()), work]}
    if agent.get("looks") not in TALKING:
        shown |= {"looks": "talking", "looks_since_s": talk.get("began_s", 0.0)}
    return shown


def _ringing_her(view: Json) -> list[Json]:
    return [each for each in view.get("in_person", ()) if each.get("phase") == "phone"]
