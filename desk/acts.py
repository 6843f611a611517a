"""What people ask of the engine, for the API and the pages alike: asked, written down in the audit log, waited for.

Every function may raise EngineAway and EngineRefused (whose message is for the person).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

from desk.engine_client import EngineAway, EngineRefused, NotKnown
from desk.problems import Forbidden, NotFound, Unprocessable
from desk.roles import Permission, Principal
from desk.services import Services

SHOWN_WITHIN_S = 0.5


async def presence(
    services: Services,
    who: Principal,
    address: str,
    tenant: str,
    agent_id: str,
    action: str,
    reason: str = "",
    device: str = "",
) -> None:
    """Raises Forbidden: who may not follow conversations seats nobody who may at a phone of her choice."""
    own = (tenant, agent_id) == (who.tenant, who.agent_id)
    if device and not own and not who.may(Permission.SUPERVISE):
        known = await services.engine.agents(tenant)
        if any(each["agent_id"] == agent_id and each.get("supervises") for each in known):
            raise Forbidden("she supervises by phone: who may follow conversations says where she logs in")
    fields = {
        "tenant": tenant,
        "agent_id": agent_id,
        "action": action,
        "reason": reason,
        "device": _phone(tenant, device),
        "by": "agent" if own else "supervisor",
    }
    await ask(services, who, address, "AgentActed", fields, f"agent {agent_id}", {"action": action, "reason": reason})


def _phone(tenant: str, device: str) -> str:
    """A phone's name inside Asterisk, of this tenant whatever was typed: `1001` -> `main-1001`."""
    return device if not device or device.startswith(f"{tenant}-") else f"{tenant}-{device}"


async def opening(services: Services, who: Principal, address: str, tenant: str, queue: str, action: str) -> None:
    fields = {"tenant": tenant, "queue": queue, "action": action, "by": "supervisor"}
    await ask(services, who, address, "QueueActed", fields, f"queue {queue}", {"action": action})


async def move(services: Services, who: Principal, address: str, tenant: str, stay_id: str, queue: str) -> None:
    """Raises NotFound: nobody waits there."""
    await _steer(services, who, address, tenant, stay_id, {"action": "move", "queue": queue})


async def prioritise(
    services: Services, who: Principal, address: str, tenant: str, stay_id: str, priority: int
) -> None:
    """Raises NotFound: nobody waits there."""
    await _steer(services, who, address, tenant, stay_id, {"action": "prioritise", "priority": priority})


async def _steer(
    services: Services, who: Principal, address: str, tenant: str, stay_id: str, asked: Mapping[str, Any]
) -> None:
    stay = services.hub.board.stay(tenant, stay_id)
    if stay is None:
        raise NotFound("nobody waits here any more: the contact was served, moved or has left")
    interaction_id = stay["interaction_id"]
    fields = {"tenant": tenant, "stay_id": stay_id, "interaction_id": interaction_id, "by": supervisor_id(who), **asked}
    told = {**asked, "stay_id": stay_id, "from": stay.get("queue", "")}
    await ask(services, who, address, "StayActed", fields, f"interaction {interaction_id}", told)


async def talk(
    services: Services,
    who: Principal,
    address: str,
    interaction_id: str,
    action: str,
    target: str = "",
    values: Mapping[str, str] | None = None,
) -> None:
    fields = {
        "interaction_id": interaction_id,
        "agent_id": who.agent_id,
        "action": action,
        "target": target,
        "values": dict(values or {}),
    }
    # Where to is about a person when it is a number; digits may be a card's.
    told = {"action": action, "target": target if ":" in target else ""}
    await ask(services, who, address, "ConversationActed", fields, f"interaction {interaction_id}", told)


def supervisor_id(who: Principal) -> str:
    """Who she is in a conversation she follows: her agent, or `@` and her login, which no agent can be called."""
    return who.agent_id if who.agent_id and who.may(Permission.WORK) else f"@{who.login}"


async def supervise(
    services: Services, who: Principal, address: str, tenant: str, interaction_id: str, action: str, device: str = ""
) -> None:
    """Raises NotFound, Unprocessable: there is no phone to ring her at."""
    talk = services.hub.board.talk(tenant, interaction_id)
    if talk is None:
        raise NotFound("nobody talks with this caller right now")
    me = supervisor_id(who)
    rung = _phone(tenant, device.strip()) or own_phone(services, who, tenant)
    follows = (talk.get("supervisor") or {}).get("supervisor_id") == me
    if not rung and not follows and action in ("listen", "whisper", "barge"):
        raise Unprocessable("say which phone is yours")
    fields = {"interaction_id": interaction_id, "supervisor_id": me, "action": action, "device": rung}
    agents = [party["agent_id"] for party in talk.get("parties", ()) if party.get("agent_id")]
    told = {"action": action, "supervisor": me, "agents": agents, "device": rung}
    await ask(services, who, address, "SupervisionActed", fields, f"interaction {interaction_id}", told, tenant)


def own_phone(services: Services, who: Principal, tenant: str) -> str:
    """Where her agent is rung, by its name inside Asterisk; empty: she is no agent of this tenant."""
    if not who.agent_id or not who.may(Permission.WORK) or not who.reaches(tenant):
        return ""
    return str((services.hub.board.agent(tenant, who.agent_id) or {}).get("device", ""))


async def refuse_offer(services: Services, who: Principal, address: str, offer_id: str) -> None:
    """Raises NotFound: the offer is over."""
    found = services.hub.board.offer(offer_id)
    if found is None:
        raise NotFound("this offer is over")
    tenant, agent_id, assignment = found
    fields = {
        "tenant": tenant,
        "agent_id": agent_id,
        "offer_id": offer_id,
        "interaction_id": assignment["interaction_id"],
    }
    await ask(services, who, address, "OfferRefused", fields, f"interaction {assignment['interaction_id']}", {})


async def wrap_up(
    services: Services,
    who: Principal,
    address: str,
    interaction_id: str,
    *,
    disposition: str = "",
    note: str = "",
    callback_at_s: float = 0.0,
    extend_s: float = 0.0,
    finish: bool = False,
) -> None:
    fields = {
        "interaction_id": interaction_id,
        "tenant": who.tenant,
        "agent_id": who.agent_id,
        "disposition": disposition,
        "text": note,
        "callback_at_s": callback_at_s,
        "extend_s": extend_s,
        "finish": finish,
    }
    told = {"disposition": disposition, "extend_s": extend_s, "finish": finish, "note": bool(note)}
    await ask(services, who, address, "WrapUpActed", fields, f"interaction {interaction_id}", told)


@contextlib.contextmanager
def audited(
    services: Services, who: Principal, address: str, fact: str, subject: str, told: Mapping[str, Any], tenant: str
) -> Iterator[None]:
    """Around what is asked of the engine: a row in the audit log says what came of it."""
    result = "ok"
    try:
        yield
    except (EngineRefused, NotKnown):
        result = "refused"
        raise
    except EngineAway as away:
        result = "unknown" if away.maybe_done else "away"
        raise
    finally:
        services.audit.later(services.audit.entry(who, address, fact, subject, told, result, tenant=tenant))


async def ask(
    services: Services,
    who: Principal,
    address: str,
    fact: str,
    fields: Mapping[str, Any],
    subject: str,
    told: Mapping[str, Any],
    tenant: str = "",
    *,
    dialer: bool = False,
) -> str:
    """`subject`, `told`: for the audit log. `dialer`: it is asked, not the router. Returns what the dialer tells who
    asked beside that it is done."""
    before, said = services.hub.board.seq, ""
    with audited(services, who, address, fact, subject, told, tenant or str(fields.get("tenant") or who.tenant)):
        if dialer:
            said = await services.engine.dial(fact, fields)
        else:
            await services.engine.do(fact, fields)
    await services.hub.settle(lambda board: board.seq > before, SHOWN_WITHIN_S)
    return said
