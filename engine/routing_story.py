"""Why this agent, why this wait: a contact's way through queues and offers, read from the journal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from acd.words import why_not
from core.decisions import OfferDecided, StayChanged, StayEnded
from core.events import QueueLeft, RoutingDecided
from core.offer_facts import (
    OfferAccepted,
    OfferFailed,
    OfferMade,
    OfferWithdrawn,
)
from core.queue_facts import QueueJoined
from store.entry import Recorded
from store.journal_reader import JournalReader


def tell(reader: JournalReader, interaction_id: str) -> dict[str, Any]:
    """`{interaction_id, known, stays, offers, paragraph}`; blocking. `known`: the journal has heard of it; an offer's
    `cause_seq`: the number of the event that led to it."""
    records = reader.show(interaction_id)
    stays: dict[str, dict[str, Any]] = {}
    offers: dict[str, dict[str, Any]] = {}
    began_s = records[0].at_s if records else 0.0
    decided: dict[str, tuple[OfferDecided, int]] = {}
    for record in records:
        at_s = round(record.at_s - began_s, 3)
        cause = record.event.cause_seq if isinstance(record.event, RoutingDecided) else record.seq
        decided |= {each.offer_id: (each, cause) for each in record.decisions if isinstance(each, OfferDecided)}
        _hear(record, at_s, stays, offers, decided)
        for decision in record.decisions:
            if isinstance(decision, StayEnded):
                _end(stays, decision, at_s)
            elif isinstance(decision, StayChanged) and decision.stay_id in stays:
                stays[decision.stay_id]["changes"].append(_change(decision, at_s))
    told = {
        "interaction_id": interaction_id,
        "known": bool(records),
        "stays": list(stays.values()),
        "offers": list(offers.values()),
    }
    return {**told, "paragraph": paragraph(told)}


def _hear(
    record: Recorded,
    at_s: float,
    stays: dict[str, dict[str, Any]],
    offers: dict[str, dict[str, Any]],
    decided: Mapping[str, tuple[OfferDecided, int]],
) -> None:
    match record.event:
        case QueueJoined() as joined:
            stays[joined.stay_id] = {
                "stay_id": joined.stay_id,
                "queue": joined.queue,
                "agent_id": joined.agent_id,
                "purpose": joined.purpose,
                "joined_s": at_s,
                "waited_before_s": joined.waited_s,
                "changes": [],
                "how": "",
                "waited_s": 0.0,
            }
        case OfferMade() as made:
            offers[made.offer_id] = _offer(made, at_s, decided.get(made.offer_id))
        case OfferAccepted() as accepted if accepted.offer_id in offers:
            offers[accepted.offer_id].update(outcome="accepted", ended_s=at_s)
        case OfferFailed() as failed if failed.offer_id in offers:
            offers[failed.offer_id].update(outcome=failed.how, why=failed.why, ended_s=at_s)
        case OfferWithdrawn() as withdrawn if withdrawn.offer_id in offers:
            offers[withdrawn.offer_id].update(outcome="withdrawn", why=withdrawn.why, ended_s=at_s)
        case QueueLeft() as left if left.stay_id in stays and not stays[left.stay_id]["how"]:
            stays[left.stay_id].update(how=left.outcome, ended_s=at_s)
        case _:
            pass


def _offer(made: OfferMade, at_s: float, found: tuple[OfferDecided, int] | None) -> dict[str, Any]:
    offer: dict[str, Any] = {
        "offer_id": made.offer_id,
        "stay_id": made.stay_id,
        "at_s": at_s,
        "agent_id": made.agent_id,
        "queue": made.queue,
        "waited_s": made.waited_s,
        "held_line": bool(made.line_leg_id),
        "outcome": "ringing",
        "why": "",
    }
    if found is not None:
        decided, cause_seq = found
        offer |= {
            "cause_seq": cause_seq,
            "strategy": decided.strategy,
            "requirement": decided.requirement,
            "step": decided.step,
            "rank": dict(decided.rank),
            "ahead_of": decided.ahead_of,
            "considered": [
                {"agent_id": each.agent_id, "excluded": each.excluded, "score": list(each.score)}
                for each in decided.considered
            ],
            "excluded": dict(decided.excluded),
        }
    return offer


def _change(decision: StayChanged, at_s: float) -> dict[str, Any]:
    told: dict[str, Any] = {"at_s": at_s, "by": decision.by}
    if decision.queue:
        return told | {"queue": decision.queue}
    return told | {"priority": decision.priority, "before": decision.before}


def _end(stays: dict[str, dict[str, Any]], decision: StayEnded, at_s: float) -> None:
    if (stay := stays.get(decision.stay_id)) is not None:
        stay.update(how=decision.how, ended_s=at_s, waited_s=round(decision.waited_s, 3), in_target=decision.in_target)
        if decision.agent_id:
            stay["answered_by"] = decision.agent_id


def paragraph(told: Mapping[str, Any]) -> str:
    """The story in sentences."""
    return " ".join(_sentences(told["stays"], told["offers"]))


def _sentences(stays: Sequence[Mapping[str, Any]], offers: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for stay in stays:
        where = f"queue {stay['queue']}" if stay["queue"] else f"agent {stay['agent_id']}"
        before = f", having waited {stay['waited_before_s']:.0f} s before" if stay["waited_before_s"] else ""
        yield f"At +{stay['joined_s']:.1f} s it began to wait for {where}{before}."
        happened = [(change["at_s"], _of_change(change)) for change in stay["changes"]]
        happened += [(o["at_s"], " ".join(_of_offer(o))) for o in offers if o["stay_id"] == stay["stay_id"]]
        yield from (sentence for _, sentence in sorted(happened, key=lambda each: each[0]))
        if stay["how"]:
            by = f" by {stay['answered_by']}" if stay.get("answered_by") else ""
            target = ", in target" if stay.get("in_target") else ", past the target"
            target = target if stay["how"] == "answered" else ""
            yield f"The stay ended as {stay['how'].replace('_', ' ')}{by} after {stay['waited_s']:.1f} s{target}."
        else:
            yield "It still waits." if not any(o["outcome"] == "ringing" for o in offers) else "It is being offered."


def _of_change(change: Mapping[str, Any]) -> str:
    if "queue" in change:
        what = f"moved it to queue {change['queue']}"
    else:
        what = f"gave it priority {change['priority']} instead of {change['before']}"
    return f"At +{change['at_s']:.1f} s {change['by'].removeprefix('@')} {what}."


def _of_offer(offer: Mapping[str, Any]) -> Iterator[str]:
    strategy = f" by {str(offer['strategy']).replace('_', ' ')}" if offer.get("strategy") else ""
    step = f", relaxation step {offer['step']}" if offer.get("step") else ""
    needs = f", asking for {offer['requirement']}" if offer.get("requirement") else ""
    others = [each["agent_id"] for each in offer.get("considered", ()) if not each["excluded"]][1:]
    beside = f"; {', '.join(others)} could have had it too" if others else ""
    kept = ", ".join(f"{number} {why_not(reason)}" for reason, number in offer.get("excluded", {}).items())
    yield (
        f"At +{offer['at_s']:.1f} s, after {offer['waited_s']:.1f} s, it was offered to {offer['agent_id']}"
        f"{strategy}{step}{needs}{beside}{f'; not to {kept}' if kept else ''}."
    )
    if offer["outcome"] not in ("accepted", "ringing"):
        why = f" ({offer['why']})" if offer["why"] else ""
        yield f"{offer['agent_id']}: {_OUTCOMES.get(offer['outcome'], offer['outcome'])}{why}."


_OUTCOMES = {
    "rona": "it rang out",
    "rejected": "refused it",
    "unreachable": "the phone could not be rung",
    "withdrawn": "the offer was taken back",
    "no_customer": "the customer was gone",
}
