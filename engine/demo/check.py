"""Whether the demo went as it should: what caller and agent heard, the way she was led, what she answered. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from engine.demo.watch import Beat
from speech.hearing import contains

CALLER_HEARS = (
    "Le damos la bienvenida a Acme.",
    "Para ventas, marque 1.",
    "Para mejorar nuestro servicio,",
    "esta llamada puede ser grabada.",
    "Le pasamos con ventas.",
    "No cuelgue, por favor.",
    "Gracias por su opinión.",
    "Hasta pronto.",
)
"""What is said to her to the end, in pieces: of a longer one two thirds would do. What a key cuts short is not here."""
NODES = ("welcome", "main", "to_sales", "sales", "survey", "intro", "opinion", "thanks", "goodbye", "hang_up")
"""In this order, and others between."""
ONCE = ("main", "sales")
"""An engine that died does not make her go there again."""
ANSWERS = ("csat = 5", "solved = yes", "nps = 9")
LIKE = 0.65
"""How nearly a phrase must be in what a machine understood: most other sentences reach 0.6, true ones 0.77 and more."""


def misses(
    caller_heard: str | None,
    agent_heard: str | None,
    caller_hears: Sequence[str],
    agent_hears: Sequence[str],
    path: Sequence[tuple[str, str]],
    beats: Iterable[Beat],
) -> list[str]:
    """What is not as it should be, in words; empty when all is well.

    `caller_heard`, `agent_heard`: what a machine understood, None where there is no machine to understand it.
    `caller_hears`, `agent_hears`: what each must have heard.
    """
    found = [*_unheard("the caller", caller_heard, caller_hears), *_unheard("the agent", agent_heard, agent_hears)]
    nodes, told = [node for _, node in path], list(beats)
    rest = iter(nodes)
    found += [f"the caller was not led to {node} in her turn" for node in NODES if node not in rest]
    found += [f"the caller was at {node} {nodes.count(node)} times" for node in ONCE if nodes.count(node) > 1]
    said = " | ".join(beat.text for beat in told if beat.kind == "why")
    found += [f"her answer is not written down: {answer}" for answer in ANSWERS if answer not in said]
    if sum(beat.kind == "engine" for beat in told) < 2:
        found.append("no other engine took the call over")
    return found


def _unheard(who: str, heard: str | None, phrases: Sequence[str]) -> list[str]:
    if heard is None:
        return []
    return [f"{who} did not hear: {phrase}" for phrase in phrases if contains(heard, phrase, "es") < LIKE]
