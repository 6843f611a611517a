"""Agents that no file declares: they are enrolled over the API, held to what holds for declared ones, and stand beside
them. Where both say something of the same person, phone or code, the files win.

found = acd.reading.read(sources, Queue)                     what is declared now
checked = check_enrolled(found, "main", "eva", {"queues": ["sales"]}, others, Around(devices=…))
setup, notes = beside(setup, {("main", "eva"): {"queues": ["sales"]}})
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from acd.checks import Around, check_agents
from acd.definitions import Agent, Agents
from acd.loader import agent_setup, merge
from acd.reading import Q, Read, add_agents
from acd.setup import AgentSetup, Key, Setup
from definitions.models import load
from definitions.problems import Problem, Problems, Severity

Fields = Mapping[str, Any]
"""What was said of an agent, as the keys of `config/agents.yaml` with JSON values, and `phone`; what is not there was
not said."""

OWN = "own"
"""`phone: own`: her `device` was made for her. Files have no such key: their phones are in `config/devices/`."""

_ASKED, _OTHERS = "the request", "the API"


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a field (empty: with all of it), and what to do."""

    field: str
    what: str
    hint: str = ""

    def __str__(self) -> str:
        place = f"{self.field}: " if self.field else ""
        return f"{place}{self.what}" + (f": {self.hint}" if self.hint else "")


@dataclass(frozen=True, slots=True)
class Checked:
    """`faults`: it is not taken; `warnings`: it is, all the same."""

    faults: tuple[Fault, ...] = ()
    warnings: tuple[Fault, ...] = ()


def declared_at(found: Read[Q], tenant: str, agent_id: str) -> str:
    """`config/agents.yaml:12`; empty: no file declares her."""
    for filed in found.agents.get(tenant, ()):
        if agent_id in filed.value.agents or agent_id in filed.marked.lost("agents"):
            line, _ = filed.marked.place(("agents", agent_id), key=True)
            return f"{filed.marked.file}:{line}"
    return ""


def check_enrolled(
    found: Read[Q], tenant: str, agent_id: str, fields: Fields, others: Mapping[str, Fields], around: Around
) -> Checked:
    """Every problem of one agent at once. `found` is what files declare, read for this alone: it is added to. `others`:
    who else of the tenant is enrolled."""
    if str(fields.get("pin", "")).startswith("secret:"):
        return Checked((Fault("pin", "a PIN of the API is nobody's to look up", "give 4 to 16 digits"),))
    text = _text({agent_id: fields})
    add_agents(found, _text({name: each for name, each in others.items() if name != agent_id}), _OTHERS, tenant)
    add_agents(found, text, _ASKED, tenant)
    check_agents(found, tenant, around)
    mine = [problem for problem in found.problems if problem.file == _ASKED]
    rows = text.split("\n")
    return Checked(
        tuple(_fault(problem, rows) for problem in mine if problem.severity is Severity.ERROR),
        tuple(_fault(problem, rows) for problem in mine if problem.severity is Severity.WARNING),
    )


def beside(setup: Setup, enrolled: Mapping[Key, Fields]) -> tuple[Setup, list[str]]:
    """The setup with those agents in it, and in words what of them is not in force."""
    notes: list[str] = []
    phones = {agent.device: key for key, agent in setup.agents.items() if agent.device}
    codes = {(key[0], agent.code): key for key, agent in setup.agents.items() if agent.code}
    others: list[AgentSetup] = []
    for key, fields in sorted(enrolled.items()):
        agent = definition_of(key[1], fields)
        if key in setup.agents:
            notes.append(f"{_named(*key)}: what the API said of her is not used: a file declares her")
            continue
        if agent is None:
            notes.append(f"{_named(*key)}: what the API said of her cannot be read any more: change or remove her")
            continue
        made = agent_setup(*key, agent)
        if made.device in phones:
            notes.append(f"{_named(*key)}: her phone {agent.device} is {phones[made.device][1]}'s now: she has none")
            made = replace(made, device="")
        if (key[0], made.code) in codes:
            notes.append(f"{_named(*key)}: her code is {codes[key[0], made.code][1]}'s now: she has none")
            made = replace(made, code="", pin="")
        phones |= {made.device: key} if made.device else {}
        codes |= {(key[0], made.code): key} if made.code else {}
        notes += _lost(setup, made)
        others.append(made)
    return merge(setup, others), notes


def definition_of(agent_id: str, fields: Fields) -> Agent | None:
    """None: it was written when other things were allowed."""
    read = load(Agents, _text({agent_id: fields}), _OTHERS)
    return None if isinstance(read, Problems) else read.agents[agent_id]


def _lost(setup: Setup, agent: AgentSetup) -> Iterable[str]:
    named = _named(agent.tenant, agent.agent_id)
    gone = [queue for queue in sorted(agent.queues or ()) if (agent.tenant, queue) not in setup.queues]
    if gone:
        yield f"{named}: there is no queue {', '.join(gone)} any more: she serves the others"
    if agent.device and setup.devices and agent.device not in setup.devices:
        yield f"{named}: her phone {agent.device} is no device any more: give her another"


def _text(agents: Mapping[str, Fields]) -> str:
    """As a file would say it: JSON is YAML, and each key of an agent stands on a line of its own."""
    filed = {name: {key: value for key, value in said.items() if key != "phone"} for name, said in agents.items()}
    return json.dumps({"agents": filed}, indent=1, ensure_ascii=True)


def _fault(problem: Problem, rows: list[str]) -> Fault:
    """At the field of its line: the last key before it that stands three deep."""
    for row in reversed(rows[: problem.line]):
        if row.startswith('   "'):
            return Fault(json.JSONDecoder().raw_decode(row, 3)[0], problem.what, problem.hint)
    return Fault("", problem.what, problem.hint)


def _named(tenant: str, agent_id: str) -> str:
    """Two client companies may each have an agent of this name."""
    return f"agent {agent_id}" if tenant == "main" else f"agent {agent_id} of {tenant}"
