"""Whom an agent means by what she typed: a colleague by name, a queue or a flow by title, or what the engine reads
itself.

typed --agent:…, queue:…, a number--> as it is
   |----the one it names whole, else the only one whose name begins so; flows last--> agent:ID, queue:ID or flow:ID
   +----nobody, several--> refused
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from desk.problems import Unprocessable

_AS_IT_IS = re.compile(r"(agent|queue|flow|device):.+|[+\d][\d\s().*#/-]*")
_MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class Known:
    """`target`: `agent:luis`, `queue:sales`; `name`: as the page shows it; `also`: its other titles, and its id."""

    target: str
    name: str
    also: tuple[str, ...] = ()


def folded(text: str) -> str:
    """Without case, accents and superfluous spaces: « LUÍS  Pérez » is «luis perez»."""
    plain = "".join(each for each in unicodedata.normalize("NFKD", text) if not unicodedata.combining(each))
    return " ".join(plain.casefold().split())


def understood(typed: str, known: Iterable[Known]) -> str:
    """The engine's word for it. Raises Unprocessable, in words with a place for what was typed."""
    wanted = folded(typed)
    if not wanted or _AS_IT_IS.fullmatch(typed.strip()):
        return typed.strip()
    choices = tuple(known)
    people = [each for each in choices if not _is_flow(each)]
    flows = [each for each in choices if _is_flow(each)]
    found = _named(wanted, people) or _named(wanted, flows) or _begun(wanted, people) or _begun(wanted, flows)
    if not found:
        raise Unprocessable(f"no colleague, queue or menu is called '{typed}': choose from the list, or type a number")
    if len(found) > 1:
        named = ", ".join(f"{each.name} = {each.target}" for each in found[:_MOST_NAMED])
        raise Unprocessable(f"'{typed}' may be several: type one of {named}")
    return found[0].target


def _is_flow(known: Known) -> bool:
    """Flows come last: a queue and the flow that leads to it are often called alike, and the queue is meant."""
    return known.target.startswith("flow:")


def _named(wanted: str, choices: Iterable[Known]) -> list[Known]:
    return [each for each in choices if wanted in _names(each)]


def _begun(wanted: str, choices: Iterable[Known]) -> list[Known]:
    return [each for each in choices if any(name.startswith(f"{wanted} ") for name in _names(each))]


def offered(known: Iterable[Known]) -> Mapping[str, str]:
    """What a list puts into the field for each target: its name where that is understood, else the target."""
    choices = tuple(known)
    taken = [name for each in choices for name in _names(each)]
    return {
        each.target: each.name
        if taken.count(folded(each.name)) == 1 and not _AS_IT_IS.fullmatch(each.name.strip())
        else each.target
        for each in choices
    }


def _names(known: Known) -> set[str]:
    return {folded(name) for name in (known.name, *known.also) if name}
