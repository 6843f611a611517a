"""What a campaign's manager and its agents see: plain values, for the control socket."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from core.attempt import AttemptState
from core.dialing import DIALED_PREFIX
from core.lead import LeadState
from core.share_bounds import wilson
from dialer import promises, script_test, told, variables
from dialer.records import Attempt, Lead
from dialer.setup import CampaignSetup, Key
from dialer.shares import share_out
from dialer.state import State

_LINES = {
    AttemptState.DIALING: "dialing",
    AttemptState.RINGING: "ringing",
    AttemptState.SCREENING: "screening",
    AttemptState.ANSWERED: "waiting",
    AttemptState.CONNECTED: "connected",
    AttemptState.LEAVING_MESSAGE: "leaving_message",
}


def campaign(state: State, key: Key, now_s: float) -> dict[str, Any] | None:
    record = state.campaigns.get(key)
    if record is None or (key not in state.setup.campaigns and not state.attempts_of.get(key)):
        return None
    setup = state.of(key)
    lines = Counter(_LINES[one.state] for one in state.open_attempts(key) if one.state in _LINES)
    today = record.today if now_s < record.day_ends_s else type(record.today)()
    return {
        "tenant": key[0],
        "campaign": key[1],
        "title": setup.title or setup.campaign,
        "mode": setup.mode.value,
        "purpose": setup.purpose.value,
        "packs": [pack.pack for pack in setup.packs],
        "state": record.state.value,
        "why": record.why,
        "since_s": record.since_s,
        "queue": setup.queue,
        "lists": [{"list_id": share.list_id, "weight": share.weight} for share in setup.lists],
        "lines": {name: lines.get(name, 0) for name in _LINES.values()},
        "agents": _agents(state, key, now_s),
        "today": {name: getattr(today, name) for name in today.__struct_fields__},
        "dispositions": record.said if now_s < record.day_ends_s else {},
        "abandonment": [
            {
                "rule": standing.limit.source.name,
                "most": float(standing.limit.most),
                "live": standing.counts.live,
                "abandoned": standing.counts.abandoned,
                "machines": standing.counts.machines,
                "at_worst": standing.at_worst,
                "ratio": float(standing.ratio),
                "spare": standing.spare,
                "from_s": standing.from_s,
                "until_s": standing.until_s,
            }
            for standing in state.tally(record).standing(now_s)
        ],
        "detector": {
            "told": record.heard.told,
            "machines": record.heard.machines,
            "least": wilson(record.heard.machines, record.heard.told)[0],
            "most": wilson(record.heard.machines, record.heard.told)[1],
        },
        "quotas": [
            {"name": quota.name, "most": quota.most, "reached": record.quotas.get(quota.name, 0)}
            for quota in setup.quotas
        ],
        "last": {"at_s": record.last_s, "count": record.last_count, "why": record.last_why},
        "hopper": state.hopper(key).size,
        "previews": sum(one.state is AttemptState.STAGED for one in state.open_attempts(key)),
        "in_person": in_person(state, key, now_s),
        "leads": {"dialing": sum(one.record.state is LeadState.DIALING for one in _in_hand(state, key))},
    }


def _in_hand(state: State, key: Key) -> Iterator[Lead]:
    return (lead for lead in state.leads.values() if lead.key == key)


def previews(state: State, tenant: str, agent_id: str, now_s: float) -> list[dict[str, Any]]:
    found = []
    for key in sorted(key for key in state.attempts_of if key[0] == tenant):
        for attempt in state.open_attempts(key):
            lead = state.leads.get(attempt.lead_row)
            looks = attempt.state is AttemptState.STAGED and not attempt.own_line
            if looks and attempt.for_agent == agent_id and lead is not None:
                found.append(_desk(state.of(key), attempt, lead, now_s, {}))
    return found


def in_person(state: State, key: Key, now_s: float) -> list[dict[str, Any]]:
    """Attempts of this campaign for one agent each, until they talk, and the last one of each agent that came to
    nothing. `phase`: phone (hers rings first), dialing, ringing, or over; `why`: then, in words."""
    found: list[dict[str, Any]] = []
    busy: set[str] = set()
    for attempt in state.open_attempts(key):
        if not attempt.for_agent or (attempt.state is AttemptState.STAGED and not attempt.own_line):
            continue
        if attempt.state is AttemptState.CONNECTED:
            busy.add(attempt.for_agent)
            continue
        phase = "phone" if attempt.state is AttemptState.STAGED else _LINES[attempt.state]
        lead = state.leads.get(attempt.lead_row)
        busy.add(attempt.for_agent)
        found.append(
            {
                "attempt_id": attempt.attempt_id,
                "agent_id": attempt.for_agent,
                "lead_id": attempt.lead_id,
                "name": lead.record.name if lead is not None else "",
                "number": attempt.number,
                "mode": attempt.mode.value,
                "callback": lead is not None and promises.is_callback(lead.record, attempt.mode),
                "phase": phase,
                "outcome": "",
                "cause": 0,
                "why": "",
                "since_s": attempt.ringing_s or attempt.dialed_s,
            }
        )
    for (tenant, agent_id), one in state.told.items():
        if (tenant, one.campaign) == key and agent_id not in busy and now_s - one.at_s < told.KEPT_S:
            plain: dict[str, Any] = {
                name: getattr(one, name) for name in ("attempt_id", "agent_id", "lead_id", "name", "number")
            }
            plain |= {"phase": "over", "outcome": one.outcome, "cause": one.cause, "why": one.why}
            found.append({**plain, "mode": "", "callback": False, "since_s": one.at_s})
    return found


def desk_of(state: State, interaction_id: str, now_s: float, said: Mapping[str, Any]) -> dict[str, Any] | None:
    attempt = state.attempts.get(interaction_id.removeprefix(DIALED_PREFIX))
    lead = state.leads.get(attempt.lead_row) if attempt is not None else None
    if attempt is None or lead is None:
        return None
    return _desk(state.of(attempt.key), attempt, lead, now_s, said)


def _desk(setup: CampaignSetup, attempt: Attempt, lead: Lead, now_s: float, said: Mapping[str, Any]) -> dict[str, Any]:
    record = lead.record
    known = {**variables.known(setup, record, attempt, now_s), **said}
    script = script_test.text_of(setup, attempt)
    return {
        "attempt_id": attempt.attempt_id,
        "interaction_id": attempt.interaction_id,
        "campaign": setup.campaign,
        "title": setup.title or setup.campaign,
        "state": attempt.state.value,
        "number": attempt.number,
        "ends_s": attempt.preview_ends_s,
        "then": setup.preview_then,
        "callback": promises.is_callback(record, attempt.mode),
        "lead": {
            "lead_id": record.lead_id,
            "name": record.name,
            "language": record.language or setup.language,
            "attempts": record.attempts,
            "outcome": record.outcome,
            "disposition": record.disposition,
            "numbers": [{"number": one.number, "label": one.label, "dead": one.dead} for one in record.numbers],
            "fields": dict(record.fields),
        },
        "promise": promises.plain(record.promise),
        "answers": dict(attempt.answers),
        "script": {language: variables.filled(text, known) for language, text in script.items()},
        "script_drawn": attempt.script,
        "form": [
            {
                "name": one.name,
                "title": dict(one.title),
                "type": one.kind,
                "choices": list(one.choices),
                "required": one.required,
                "value": attempt.answers.get(one.name) or record.fields.get(one.name, ""),
            }
            for one in setup.form
        ],
    }


def _agents(state: State, key: Key, now_s: float) -> dict[str, int]:
    share = share_out(state, key[0], now_s).get(key)
    if share is None or not (share.lines or state.hopper(key).size):  # who has nobody to dial is dealt no agents
        setup = state.of(key)
        pool = state.floor.pool(key[0], setup.queue, setup.skills, now_s) if setup.queue else None
        agents = pool.agents if pool else ()
        ready = sum(agent.state == "ready" and (agent.line or not setup.held_lines) for agent in agents)
        busy = sum(agent.state != "ready" for agent in agents)
        return {"ready": ready, "busy": busy, "lines": sum(agent.line for agent in agents)}
    lines = sum(agent.line for agent in share.pool.agents)
    return {"ready": len(share.ready), "busy": len(share.busy), "lines": lines}
