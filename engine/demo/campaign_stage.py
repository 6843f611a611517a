"""The project of the campaign's demo: forty people on a list, three agents, a trunk that leads to nobody real."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from core.lead_record import LeadNumber, LeadRecord
from core.lead_store import Save
from engine.demo import stage
from engine.demo.people import Person, Way
from engine.demo.voices import SILENT, Voices
from engine.home import Home
from store.sql.database import LEADS, Database, upgrade
from store.sql.leads import SqlLeadStore

CAMPAIGN = "spring"
AGENTS: Mapping[str, str] = {"ana": "1001", "eva": "1002", "luis": "1003"}
"""Agent -> her phone."""
CARRIER = "127.0.0.2"
RING_S = 8.0
_NAMES = (
    *("Carmen", "Antonio", "Lucía", "Manuel", "María", "José", "Paula", "Javier", "Elena", "Pablo"),
    *("Rosa", "Andrés", "Marta", "Diego", "Sara", "Luis", "Julia", "Raúl", "Alba", "Hugo"),
    *("Nuria", "Óscar", "Irene", "Rubén", "Inés", "Jorge", "Olga", "Iván", "Silvia", "Tomás"),
    *("Clara", "Mario", "Laura", "Sergio", "Eva", "Álvaro", "Noelia", "Ramón", "Teresa", "Víctor"),
)
_Says = Literal["hello", "company", "mailbox", "endless", "fax", "sit"]
HANGS_UP_SOON = "hangs up soon"
_WAYS: tuple[tuple[str, Way, _Says, float, float], ...] = (
    ("talks", "talk", "hello", 1.2, 4.0),
    ("talks", "talk", "hello", 1.6, 4.5),
    ("is busy", "busy", "hello", 0.3, 0.0),
    ("voicemail, beeps", "machine", "mailbox", 1.4, 15.0),
    ("talks", "talk", "hello", 0.8, 4.5),
    ("does not answer", "no_answer", "hello", 0.0, 0.0),
    ("talks", "talk", "hello", 1.4, 3.8),
    ("no such number", "network", "sit", 0.4, 8.0),
    ("a company talks", "talk", "company", 1.2, 5.0),
    (HANGS_UP_SOON, "talk", "hello", 1.0, 2.6),
    ("talks", "talk", "hello", 1.9, 4.5),
    ("fax machine", "fax", "fax", 1.0, 10.0),
    ("talks", "talk", "hello", 1.0, 4.5),
    ("voicemail, no beep", "machine", "endless", 1.2, 15.0),
    ("talks", "talk", "hello", 1.4, 3.8),
    ("talks", "talk", "hello", 0.9, 4.0),
    ("a company talks", "talk", "company", 1.1, 4.5),
    ("is busy", "busy", "hello", 0.3, 0.0),
    ("talks", "talk", "hello", 1.7, 4.2),
    ("talks", "talk", "hello", 1.3, 3.8),
)
"""What people do, over and over: in words, how, what is heard, after how long, for how long (seconds)."""
_PACK = """kind: dialing
pack: demo
title: Manners of a demonstration, at any hour
countries: any
rules:
  abandonment: {type: abandonment, most: 3%, window: {days: 30}, law: Our own, read: 2026-11-22, review_by: 2036-11-22}
  ring: {type: ring, least_s: 3, law: Our own, read: 2026-11-22, review_by: 2036-11-22}
  agent_in_time:
    {type: agent_within, within_s: 2, since: greeting_end, law: Our own, read: 2026-11-22, review_by: 2036-11-22}
  message: {type: drop, allowed: [message], opt_out: yes, law: Our own, read: 2026-11-22, review_by: 2036-11-22}
"""
_CAMPAIGN = f"""campaign: {CAMPAIGN}
title: Spring offer
mode: progressive
purpose: service
packs: [demo]
lists: [{CAMPAIGN}]
queue: outbound
drop: {{action: message, flow: safe_harbour}}
screen: yes
ring_s: {RING_S:g}
retry: {{busy: never, no_answer: never, failed: never, invalid: never, fax: never, machine: never,
  customer_hung_up: never, abandoned: never}}
dispositions: {{other: {{then: finish, means: machine}}}}
"""
_QUEUE = "queue: outbound\ntitle: Outbound\nwrap_up_s: 2\ndispositions: sales\nannouncements: {}\n"


@dataclass(frozen=True, slots=True)
class Somebody:
    """One of the people. `does`: in words."""

    lead_id: str
    name: str
    number: str
    does: str
    person: Person


def people(voices: Voices = SILENT) -> list[Somebody]:
    """Forty of them. `voices`: what they and their machines are heard to say."""
    found = []
    for n, name in enumerate(_NAMES):
        does, way, says, ring_s, talk_s = _WAYS[n % len(_WAYS)]
        person = Person(way, ring_s, talk_s, getattr(voices, says))
        found.append(Somebody(f"lead-{n:02}", name, f"+34612{n:06}", does, person))
    return found


def build(project: Path, place: Path, carrier_port: int) -> Home:
    """The demo's project under `place`, which is emptied first."""
    home = stage.build(project, place)
    agents = "".join(f'  {name}: {{name: {name.title()}, device: "{phone}"}}\n' for name, phone in AGENTS.items())
    texts = {
        "agents.yaml": f"agents:\n{agents}",
        "queues/outbound.yaml": _QUEUE,
        "trunks/people.yaml": f"trunk: people\nhost: {CARRIER}\nport: {carrier_port}\n",
        "outbound.yaml": 'rules:\n  - {name: spain, prefixes: ["+34"], trunk: people, caller: "+34910100100"}\n',
        "compliance/demo.yaml": _PACK,
        f"campaigns/{CAMPAIGN}.yaml": _CAMPAIGN,
    }
    for name, text in texts.items():
        path = home.project / "config" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return home


def load_leads(home: Home, everybody: list[Somebody]) -> None:
    """Puts them into the store of leads. Blocking; for a thread."""
    records = [
        LeadRecord(each.lead_id, "main", CAMPAIGN, (LeadNumber(each.number),), each.name, "es", basis="contract")
        for each in everybody
    ]

    async def save() -> None:
        store = SqlLeadStore(Database(home.leads_url, LEADS))
        try:
            await store.save([Save(f"seed:{record.lead_id}", 0, lead=record) for record in records])
        finally:
            await store.close()

    home.prepare()
    upgrade(home.leads_url, LEADS)
    asyncio.run(save())
