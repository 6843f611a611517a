"""Why a contact waits and who was asked to take it, told in the page's language from what the engine found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from desk.pages.looks import clock
from desk.pages.plain import Plain
from desk.words import speaker

Told = Mapping[str, Any]
_MOST_AGENTS = 20


@dataclass(frozen=True, slots=True)
class Candidate:
    """`why`: she cannot have it; empty when she could. `chosen`: she has it offered, or would have."""

    name: str
    why: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Outlook:
    """At one moment. `more`: agents who are not listed."""

    sentences: tuple[str, ...]
    candidates: tuple[Candidate, ...]
    more: int


@dataclass(frozen=True, slots=True)
class Moment:
    """`at_s`: seconds since the contact began."""

    at_s: float
    what: str


def outlook(found: Told | None, plain: Plain) -> Outlook | None:
    """`found`: an `acd.explain.Explanation`."""
    if not found:
        return None
    # Of a full house the first are shown: those who are there before those who are not.
    agents = sorted(found.get("agents", ()), key=lambda each: each["excluded"].endswith("logged_out"))
    shown = [(str(each["agent_id"]), _reason(each["excluded"], plain)) for each in agents[:_MOST_AGENTS]]
    candidates = tuple(Candidate(plain.agent(who), why, who == found["agent_id"]) for who, why in shown)
    return Outlook(tuple(_now(found, plain)), candidates, len(agents) - len(candidates))


def story(told: Told, plain: Plain) -> list[Moment]:
    """What has happened, in order."""
    return sorted(_moments(told, plain), key=lambda moment: moment.at_s)


def _now(found: Told, plain: Plain) -> Iterator[str]:
    say = speaker(plain.language)
    yield say(
        "Has waited {time}; place {place} of {waiting} in {queue}.",
        time=clock(found["waited_s"]),
        place=found["position"],
        waiting=found["waiting"],
        queue=plain.queue(found["queue"]),
    )
    if found["requirement"]:
        step = f" ({say('step {n}', n=found['step'])})" if found["step"] else ""
        yield say("Asks for {what}{step}.", what=found["requirement"], step=step)
    parts = [f"{say(f'score_{name}')} {value:.1f}" for name, value in found["parts"].items() if value]
    if parts:
        yield say("Score {score} = {parts}.", score=f"{found['score']:.1f}", parts=" + ".join(parts))
    if found["agent_id"]:
        yield say("It goes to {agent}.", agent=plain.agent(found["agent_id"]))
    elif any(not each["excluded"] for each in found["agents"]):
        yield say("Whoever could take it is taken by somebody ahead.")
    else:
        yield say("Nobody can take it.")
    if (from_s := found.get("called_from_s", 0.0)) > found["at_s"]:
        yield say("The customer is called in {time} at the earliest.", time=clock(from_s - found["at_s"]))
    if found["next_s"]:
        yield say("It asks for less in {time}.", time=clock(found["next_s"] - found["at_s"]))


def _reason(code: str, plain: Plain) -> str:
    """`acd.explain.why_not` in words; it names something after a colon."""
    if not code:
        return ""
    say = speaker(plain.language)
    kind, _, named = code.partition(":")
    if kind in ("not_ready", "pending") and named:
        named = say(named) if named == "logged_out" else plain.pause(named)
    elif kind == "preferred":
        named = plain.agent(named)
    said = say(f"why_not_{kind}")
    return f"{said}: {named}" if named else said


def _moments(told: Told, plain: Plain) -> Iterator[Moment]:
    say = speaker(plain.language)
    for stay in told.get("stays", ()):
        who = plain.queue(stay["queue"]) if stay["queue"] else plain.agent(stay["agent_id"])
        yield Moment(stay["joined_s"], say("Begins to wait for {who}.", who=who))
        for change in stay["changes"]:
            by = plain.agent(change["by"].removeprefix("@"))
            if "queue" in change:
                what = say("{who} moves it to {queue}.", who=by, queue=plain.queue(change["queue"]))
            else:
                what = say("{who} gives it priority {priority}.", who=by, priority=f"{change['priority']:g}")
            yield Moment(change["at_s"], what)
        if stay["how"]:
            by = f" ({plain.agent(stay['answered_by'])})" if stay.get("answered_by") else ""
            yield Moment(stay["ended_s"], f"{say('stay_' + stay['how'])}{by}.")
    for offer in told.get("offers", ()):
        agent = plain.agent(offer["agent_id"])
        yield Moment(offer["at_s"], say("Offered to {agent}.", agent=agent))
        others = [each for each in offer.get("considered", ()) if not each["excluded"]][1:]
        if others:
            names = ", ".join(plain.agent(each["agent_id"]) for each in others)
            yield Moment(offer["at_s"], say("These could have had it too: {names}.", names=names))
        if offer["outcome"] not in ("accepted", "ringing"):
            yield Moment(offer.get("ended_s", offer["at_s"]), f"{agent}: {say('offer_' + offer['outcome'])}.")
