"""New rows of the projection's tables, as the decisions and commands of an entry begin them. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping

from core.decisions import FloorSteered, InteractionOpened, LegJoined, NodeEntered, StayEnded, Supervised, WorkEnded
from core.interaction import InteractionState
from core.leg import LegState

Value = str | int | None
Row = dict[str, Value]


def interaction(opened: InteractionOpened, interaction_id: str, contact_key_id: str | None, at_us: int) -> Row:
    return {
        "interaction_id": interaction_id,
        "tenant": opened.tenant,
        "channel": opened.channel,
        "direction": opened.direction,
        "called": text(opened.called),
        "caller": text(opened.caller),
        "contact_key_id": contact_key_id,
        "flow": opened.flow,
        "flow_version": opened.flow_version,
        "language": opened.language,
        "rule": text(opened.rule),
        "state": InteractionState.CREATED.value,
        "opened_us": at_us,
        "closed_us": None,
        "outcome": None,
        "erased_us": None,
    }


def stay(ended: StayEnded, at_us: int) -> Row:
    return {
        "stay_id": ended.stay_id,
        "interaction_id": ended.interaction_id,
        "tenant": ended.tenant,
        "queue": ended.queue,
        "how": ended.how,
        "agent_id": ended.agent_id,
        "in_target": int(ended.in_target),
        "virtual": int(ended.virtual),
        "virtual_us": us(ended.virtual_s),
        "waited_us": us(ended.waited_s),
        "ended_us": at_us,
    }


def work(ended: WorkEnded, work_id: str, at_us: int) -> Row:
    return {
        "work_id": work_id,
        "interaction_id": ended.interaction_id,
        "tenant": ended.tenant,
        "agent_id": ended.agent_id,
        "queue": ended.queue,
        "how": ended.how,
        "disposition": text(ended.disposition),
        "ring_us": us(ended.ring_s),
        "talk_us": us(ended.talk_s),
        "hold_us": us(ended.hold_s),
        "consult_us": us(ended.consult_s),
        "wrap_up_us": us(ended.wrap_up_s),
        "ended_us": at_us,
    }


def supervised(did: Supervised, audit_id: str, at_us: int) -> Row:
    """As the desk writes down what it is asked for. At a phone nobody is logged in: she is known by her agent."""
    detail = {
        "action": did.action,
        "supervisor": did.supervisor_id,
        "agents": list(did.agents),
        "device": did.device,
    }
    subject = f"interaction {did.interaction_id}".rstrip()
    return _by_phone(did, audit_id, at_us, "SupervisionActed", subject, detail)


def steered(did: FloorSteered, audit_id: str, at_us: int) -> Row:
    return _by_phone(did, audit_id, at_us, did.asked, did.subject, {"action": did.action, "device": did.device})


def _by_phone(
    did: Supervised | FloorSteered, audit_id: str, at_us: int, action: str, subject: str, detail: Mapping[str, object]
) -> Row:
    return {
        "audit_id": audit_id,
        "at_us": at_us,
        "tenant": did.tenant,
        "account_id": "",
        "login": did.supervisor_id.removeprefix("@"),
        "address": "phone",
        "action": action,
        "subject": subject,
        "detail": json.dumps(detail, ensure_ascii=False, sort_keys=True),
        "result": "refused" if did.refused else "ok",
    }


def leg(joined: LegJoined, interaction_id: str, tenant: str, at_us: int) -> Row:
    return {
        "leg_id": joined.leg_id,
        "interaction_id": interaction_id,
        "tenant": tenant,
        "role": joined.role,
        "node": joined.node,
        "state": LegState.NEW.value,
        "joined_us": at_us,
        "up_us": None,
        "ended_us": None,
        "end_reason": None,
        "cause": None,
    }


def visit(interaction_id: str, tenant: str, flow_version: str, entered: NodeEntered, at_us: int) -> Row:
    return {
        "interaction_id": interaction_id,
        "visit": entered.visit,
        "tenant": tenant,
        "flow": entered.flow,
        "flow_version": flow_version,
        "node": entered.node,
        "branch": "",
        "target": "",
        "entered_us": at_us,
        "left_us": None,
    }


def recording(recording_id: str, leg_id: str, interaction_id: str, tenant: str, at_us: int) -> Row:
    return {
        "recording_id": recording_id,
        "interaction_id": interaction_id,
        "tenant": tenant,
        "leg_id": leg_id,
        "state": "recording",
        "mailbox": "",
        "labels": "{}",
        "started_us": at_us,
        "finished_us": None,
        "duration_us": None,
        "ended_by": None,
    }


def us(seconds: float) -> int:
    return round(seconds * 1e6)


def text(value: str) -> str:
    """PostgreSQL has no NUL character."""
    return value.replace("\0", "")
