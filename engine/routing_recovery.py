"""After a restart the router's rows and the interactions' snapshots meet. They are committed together, so they fit;
what does not (a row or a snapshot that cannot be read) is mended here: nobody waits whom nobody serves, no phone rings
for nobody.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from acd.router import Router
from core.agent_facts import AgentKept, PhoneUsed
from core.assignment import AssignmentState
from core.events import Event, QueueLeft, TimerFired
from core.leg import LegState
from core.line_facts import LineChanged
from core.offer_facts import OfferFailed, OfferWithdrawn
from core.queue_facts import StayMode, StayTurned
from core.talk_facts import TalkEnded
from engine.callbacks import LOOK
from engine.interaction import Interaction

log = logging.getLogger("centralita.recovery")

_TALKING = (AssignmentState.ACTIVE, AssignmentState.HELD, AssignmentState.CONSULTING)


def mend(router: Router, interactions: Collection[Interaction], now_s: float) -> Iterator[Event]:
    """What must be told to which side, so that both believe the same."""
    for interaction in interactions:
        there = interaction.customer.state is not LegState.ENDED or interaction.is_away
        if there and not interaction.outcome:
            yield from _lost_stays(router, interaction, now_s)
        yield from _unknown_offers(router, interaction)
    known = {interaction.interaction_id: interaction for interaction in interactions}
    yield from _unknown_work(router, known)
    yield from _kept(router, known)
    yield from _on_phone(router, known)
    yield from _lines(router, known)


def _lost_stays(router: Router, interaction: Interaction, now_s: float) -> Iterator[Event]:
    """Who waits and is not known to wait joins again, with the time already waited."""
    waiting = interaction.waiting
    if waiting is not None and router.stay(waiting.stay_id) is None:
        log.warning("interaction %s joins %s again", interaction.interaction_id, waiting.queue or "an agent's wait")
        mode: StayMode = "held" if waiting.held or interaction.is_away else "live"
        waited_s = waiting.joined.waited_s + max(0.0, now_s - waiting.since_s)
        yield replace(waiting.joined, waited_s=waited_s, mode=mode)
        if interaction.is_away and interaction.callback is not None:
            first = interaction.callback.first
            yield StayTurned(interaction.interaction_id, waiting.stay_id, "virtual", first)
    if interaction.is_away:
        yield TimerFired(interaction.interaction_id, LOOK)  # the promise's end, which no leg reminds us of
    other = interaction.talk.other if interaction.talk is not None else None
    if other is not None and other.stay_id and not other.leg_id and router.stay(other.stay_id) is None:
        yield QueueLeft(interaction.interaction_id, other.stay_id, "no_agents")


def _unknown_offers(router: Router, interaction: Interaction) -> Iterator[Event]:
    """A phone rings by an offer that the router does not know."""
    for offer in interaction.offers:
        stay = router.stay(offer.stay_id)
        if stay is None or offer.offer_id not in stay.offers:
            yield OfferWithdrawn(interaction.interaction_id, offer.offer_id, "the router does not know it any more")


def _unknown_work(router: Router, interactions: Mapping[str, Interaction]) -> Iterator[Event]:
    """An agent is held for an interaction that does not know her."""
    for key in router.setup.agents:
        for work in tuple(router.assignments(key).values()):
            interaction = interactions.get(work.interaction_id)
            if interaction is None:
                continue
            if work.state is AssignmentState.OFFERED:
                lead = interaction.talk.lead if interaction.talk is not None else None
                called = interaction.is_away and lead is not None and lead.offer_id == work.offer_id
                known = called or any(offer.offer_id == work.offer_id for offer in interaction.offers)
                if not known:
                    yield OfferFailed(work.interaction_id, work.offer_id, "rejected", "its interaction forgot it")
            elif work.state in _TALKING:
                talk = interaction.talk
                if talk is None or key[1] not in talk.agents:
                    yield TalkEnded(work.interaction_id, key[1], "lost")


def _kept(router: Router, interactions: Mapping[str, Interaction]) -> Iterator[Event]:
    """An agent is kept for an interaction that is over."""
    for tenant, agent_id in router.setup.agents:
        agent = router.agent((tenant, agent_id))
        for interaction_id in agent.kept_for if agent is not None else ():
            if interaction_id not in interactions:
                yield AgentKept(interaction_id, tenant, agent_id, kept=False)


def _on_phone(router: Router, interactions: Mapping[str, Interaction]) -> Iterator[Event]:
    """The router knows again at which phones somebody calls or is called, which is in its rows for their agents alone;
    and that first, or who still talks would be free for a moment."""
    over = [
        PhoneUsed(interaction_id, agent.device, used=False)
        for key in router.setup.agents
        if (agent := router.agent(key)) is not None
        for interaction_id in agent.on_phone
        if interaction_id not in interactions
    ]
    for interaction in interactions.values():
        hers = interaction.customer.device or interaction.entry  # legs of older releases do not name it
        used = {*interaction.devices, hers} if interaction.customer.state is not LegState.ENDED else interaction.devices
        for device in sorted(router.setup.devices.intersection(used)):
            yield PhoneUsed(interaction.interaction_id, device, used=True, rung=device != hers)
    yield from over


def _lines(router: Router, interactions: Mapping[str, Interaction]) -> Iterator[Event]:
    """A held line that is up on one side alone."""
    for tenant, agent_id in router.setup.agents:
        agent = router.agent((tenant, agent_id))
        if agent is not None and agent.line_leg_id:
            holder = interactions.get(agent.line_interaction_id)
            if holder is None or holder.line is None or holder.line.agent_id != agent_id:
                yield LineChanged(agent.line_interaction_id, tenant, agent_id, agent.line_leg_id, up=False)
    for interaction in interactions.values():
        line, leg = interaction.line, interaction.customer
        if line is None or not line.agent_id or leg.state is LegState.ENDED:
            continue
        agent = router.agent((interaction.tenant, line.agent_id))
        if agent is not None and agent.line_leg_id != leg.leg_id:
            up = LineChanged(interaction.interaction_id, interaction.tenant, line.agent_id, leg.leg_id, up=True)
            yield replace(up, node=leg.node)
