"""How agents, queues, stays and conversations look to people: plain values for the control socket. No caller's number
or name is in them."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any

import msgspec

from acd.explain import Explanation
from acd.setup import Setup
from acd.views import looks
from engine.acd_feed import Key
from engine.interaction import Interaction
from engine.routing import Routing
from ivr.model import Release

Plain = dict[str, Any]
PLACES_TOLD = 100
"""How many of a queue are told that they have moved up."""
LATER_S = 10.0
"""How far "what would have happened" looks ahead."""


class Views:
    """`interactions`: those that are open."""

    def __init__(self, routing: Routing, interactions: Mapping[str, Interaction]) -> None:
        self._router = routing.router
        self._interactions = interactions

    def board(self, now_s: float) -> Plain:
        """Everything there is: agents, queues, stays, talks."""
        board = self._router.board(now_s)
        talks = [view for i in self._interactions.values() if (view := talk_view(i)) is not None]
        return {"agents": board.agents, "queues": board.queues, "stays": board.stays, "talks": talks}

    def tally(self, now_s: float) -> Plain:
        """Queues and what agents look like, for machines: nobody who waits is looked at."""
        router = self._router
        queues = [router.view_queue(key, now_s) for key in router.setup.queues]
        agents = [
            {"tenant": key[0], "looks": looks(agent)} for key in router.setup.agents if (agent := router.agent(key))
        ]
        return {"queues": queues, "agents": agents}

    def view(self, key: Key, now_s: float) -> Plain | None:
        """One thing by kind and id (`tenant/name` for agents and queues); None when it is gone."""
        kind, id_ = key
        if kind == "stay":
            return self._router.view_stay(id_, now_s)
        if kind == "talk":
            interaction = self._interactions.get(id_)
            return talk_view(interaction) if interaction is not None else None
        tenant, _, name = id_.partition("/")
        view = self._router.view_agent if kind == "agent" else self._router.view_queue
        return view((tenant, name), now_s)

    def queues_of(self, tenant: str) -> list[Key]:
        return [("queue", f"{owner}/{name}") for owner, name in self._router.setup.queues if owner == tenant]

    def places_in(self, queue: str, now_s: float) -> dict[Key, int]:
        """The places of those who are first in a queue (`tenant/name`)."""
        tenant, _, name = queue.partition("/")
        places = self._router.places((tenant, name), now_s).items()
        return {("stay", stay_id): place for stay_id, place in islice(places, PLACES_TOLD)}

    def explain_now(self, interaction_id: str, now_s: float) -> Plain | None:
        """Why one who waits still waits, and what ten more seconds would change; None when nobody waits."""
        for stay in self._router.stays():
            if stay.interaction_id == interaction_id:
                now = self._router.explain(stay.stay_id, now_s)
                later = self._router.counterfactual(stay.stay_id, now_s, LATER_S)
                return {"now": _explained(now), "later": _explained(later), "later_s": LATER_S}
        return None


def _explained(found: Explanation | None) -> Plain | None:
    if found is None:
        return None
    plain: Plain = msgspec.to_builtins(found)
    return {**plain, "paragraph": found.paragraph()}


def talk_looks_new(before: Interaction | None, after: Interaction) -> bool:
    """Whether `talk_view` may say something else than before."""
    return _behind_talk_view(before) != _behind_talk_view(after)


def _behind_talk_view(interaction: Interaction | None) -> tuple[object, ...]:
    """Identities do: what has not changed is the same object."""
    if interaction is None or interaction.talk is None:
        return ()
    recording = interaction.recording
    return (id(interaction.talk), recording and recording.is_paused, interaction.parked is None)


def talk_view(interaction: Interaction) -> Plain | None:
    """A conversation: who is in it and who is kept waiting beside it."""
    talk = interaction.talk
    if talk is None:
        return None
    recording = interaction.recording
    return {
        "tenant": interaction.tenant,
        "interaction_id": interaction.interaction_id,
        "queue": talk.served.queue,
        "began_s": talk.began_s,
        "customer_in": talk.customer_in,
        "conference": talk.is_conference,
        "consulting": talk.is_consulting,
        "parties": [
            {
                "agent_id": party.agent_id,
                "up": party.up,
                "inside": party.inside,
                "muted": party.muted,
                "line": bool(party.line_interaction_id),
            }
            for party in talk.parties
        ],
        "supervisor": None
        if talk.supervisor is None
        else {"supervisor_id": talk.supervisor.supervisor_id, "mode": talk.supervisor.mode, "up": talk.supervisor.up},
        "led_through_a_flow": interaction.parked is not None,
        "recording": recording is not None,
        "recording_paused": recording is not None and recording.is_paused,
    }


def flows_view(release: Release) -> list[Plain]:
    """Where a customer can be sent to: a flow that works an agent's phone is not for her."""
    return [
        {"tenant": tenant, "flow": flow.id, "title": dict(flow.title)}
        for (tenant, _), flow in sorted(release.flows.items())
        if flow.offered and not any(node.type == "agent" for node in flow.nodes.values())
    ]


def setup_view(setup: Setup) -> Plain:
    """What people choose from: reasons, queues with their dispositions, agents."""
    return {
        "release_id": setup.release_id,
        "reasons": [
            {
                "tenant": tenant,
                "reason": reason.reason,
                "title": dict(reason.title),
                "digits": reason.digits,
                "paid": reason.paid,
                "limit_s": reason.limit_s,
                "chosen": reason.chosen,
                "system": reason.system,
            }
            for (tenant, _), reason in sorted(setup.reasons.items())
        ],
        "queues": [
            {
                "tenant": queue.tenant,
                "queue": queue.queue,
                "title": queue.title,
                "wrap_up_s": queue.wrap_up_s,
                "wrap_up_extend_s": queue.wrap_up_extend_s,
                "disposition_required": queue.disposition_required,
                "script": dict(queue.script),
                "service_level": {"target": queue.service_level.target, "within_s": queue.service_level.within_s},
                "dispositions": [
                    {"path": each.path, "title": dict(each.title), "digits": each.digits, "leaf": each.leaf}
                    for each in queue.dispositions
                ],
            }
            for _, queue in sorted(setup.queues.items())
        ],
        "agents": [
            {"tenant": agent.tenant, "agent_id": agent.agent_id, "name": agent.name, "device": agent.device}
            for _, agent in sorted(setup.agents.items())
        ],
    }
