"""Telling other systems how attempts and campaigns end: signed, to listed hosts, until they have taken it.

    AttemptEnded, AttemptDisposed, a campaign that paused itself
      -> a row of the journal, with the event itself -> POST -> 2xx: the row is deleted
                                                            -> else: again later, up to a day

What is told is in the journal before it is sent, so a crash repeats it rather than forgets it: receivers know it by
`X-Centralita-Id`. No number and no name is in it; `lead_id` says who it is.

    X-Centralita-Signature: t=1795320000,v1=<HMAC-SHA256 of "1795320000." + body, hex>
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from core.campaign import CAMPAIGN_TABLE, CampaignEvent
from core.commands import SendHttp
from core.decisions import AttemptEnded, Decision, LeadSettled, Moved
from core.dialing import AttemptDisposed, DialerFact
from core.events import HttpReplied, TimerFired
from core.lead import LeadState
from dialer.setup import DialerSetup, Key

log = logging.getLogger("centralita.webhooks")

ROWS = "hook:"
"""How the names of their rows in the journal begin."""
FIRST_WAIT_S, LONGEST_WAIT_S, GIVE_UP_S = 1.0, 300.0, 86_400.0
TIMEOUT_S = 10.0
_FOR_GOOD = frozenset({400, 401, 403, 404, 405, 410, 413, 415, 422})
"""Answers that asking again will not change."""
_TRIES = 5
"""So often it is tried all the same: the other side may just be broken."""


class Notice(msgspec.Struct, frozen=True):
    """`body`: JSON, as it is signed and sent. `tenant`, `campaign`: whose secret signs it."""

    notice_id: str
    tenant: str
    campaign: str
    url: str
    body: bytes
    made_s: float


class Http(Protocol):
    async def ask(self, command: SendHttp) -> HttpReplied: ...


@dataclass(slots=True)
class _Waiting:
    notice: Notice
    tries: int = 0


class Webhooks:
    """`secret(tenant, campaign)`: what signs; `forget(notice_id, why)`: deletes its row, `why` it was given up."""

    def __init__(
        self,
        setup: Callable[[], DialerSetup],
        status: Callable[[str, str, float], Mapping[str, Any] | None],
        http: Http,
        secret: Callable[[str, str], str],
        forget: Callable[[str, str], None],
        now_s: Callable[[], float],
    ) -> None:
        self._setup = setup
        self._status = status
        self._http = http
        self._secret = secret
        self._forget = forget
        self._now_s = now_s
        self._queues: dict[str, asyncio.Queue[_Waiting]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self.waiting = 0

    # -- what is to be told ----------------------------------------------------------------------------
    def rows(
        self, fact: DialerFact | TimerFired, decisions: Iterable[Decision], now_s: float
    ) -> list[tuple[str, bytes]]:
        """The rows to be written with an event; what they say is sent once `send` is told of them."""
        return [
            (f"{ROWS}{notice.notice_id}", msgspec.msgpack.encode(notice))
            for told in (*_ends(decisions), *_disposed(fact, decisions, self._setup()), *self._paused(decisions, now_s))
            for notice in self._notices(told, now_s)
        ]

    def _notices(self, told: Mapping[str, Any], now_s: float) -> Iterator[Notice]:
        setup = self._setup().campaigns.get((told["tenant"], told["campaign"]))
        for n, hook in enumerate(setup.webhooks if setup is not None else ()):
            if hook.on and not _wants(hook.on, told):
                continue
            about = told.get("attempt_id") or f"{told['campaign']}-{now_s:.3f}"
            notice_id = f"{told['tenant']}-{about}-{told['event']}-{n}"
            body = msgspec.json.encode({"id": notice_id, "at_s": round(now_s, 3), **told})
            yield Notice(notice_id, told["tenant"], told["campaign"], hook.url, body, now_s)

    def _paused(self, decisions: Iterable[Decision], now_s: float) -> Iterator[dict[str, Any]]:
        """Campaigns that paused themselves."""
        for each in decisions:
            if not isinstance(each, Moved) or each.transition.thing != CAMPAIGN_TABLE.thing:
                continue
            if each.transition.event == CampaignEvent.TROUBLE.value:
                tenant, _, campaign = each.transition.id.partition("/")
                status = self._status(tenant, campaign, now_s) or {}
                yield {
                    "event": "campaign_paused",
                    "tenant": tenant,
                    "campaign": campaign,
                    "why": status.get("why", ""),
                }

    # -- telling it ------------------------------------------------------------------------------------
    def send(self, rows: Iterable[tuple[str, bytes]]) -> None:
        """Sends what these rows of the journal say, in their order for each address. Returns at once."""
        for name, row in rows:
            try:
                notice = msgspec.msgpack.decode(row, type=Notice)
            except msgspec.MsgspecError as failure:
                log.error("%s cannot be read and is dropped: %s", name, failure)
                self._forget(name.removeprefix(ROWS), str(failure))
                continue
            self.waiting += 1
            queue = self._queues.setdefault(notice.url, asyncio.Queue())
            queue.put_nowait(_Waiting(notice))
            if notice.url not in self._tasks:
                task = asyncio.get_running_loop().create_task(self._deliver(notice.url, queue), name="webhook")
                self._tasks[notice.url] = task

    async def close(self) -> None:
        """What was not taken stays in the journal, for the next engine."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _deliver(self, url: str, queue: asyncio.Queue[_Waiting]) -> None:
        while True:
            waiting = await queue.get()
            wait_s = FIRST_WAIT_S
            while (given_up := await self._try(waiting)) is None:
                await asyncio.sleep(wait_s)
                wait_s = min(LONGEST_WAIT_S, wait_s * 2)
            self.waiting -= 1
            self._forget(waiting.notice.notice_id, given_up)

    async def _try(self, waiting: _Waiting) -> str | None:
        """Empty: it was taken. Why it is given up, in words; None: try again."""
        notice = waiting.notice
        waiting.tries += 1
        reply = await self._http.ask(self._request(notice))
        if 200 <= reply.status < 300:
            return ""
        why = reply.error or f"status {reply.status}"
        refused = reply.status in _FOR_GOOD and waiting.tries >= _TRIES
        if refused or self._now_s() - notice.made_s > GIVE_UP_S:
            log.error("webhook %s was not taken (%s) and is given up", notice.notice_id, why)
            return why
        if waiting.tries == 1:
            log.warning("webhook %s: %s; trying again", notice.notice_id, why)
        return None

    def _request(self, notice: Notice) -> SendHttp:
        at_s = int(self._now_s())
        return SendHttp(
            interaction_id="",
            request_id=notice.notice_id,
            method="POST",
            url=notice.url,
            headers={
                "Content-Type": "application/json",
                "X-Centralita-Id": notice.notice_id,
                "X-Centralita-Signature": signature(self._secret(notice.tenant, notice.campaign), at_s, notice.body),
            },
            body=notice.body.decode(),
            timeout_s=TIMEOUT_S,
        )


def signature(secret: str, at_s: int, body: bytes) -> str:
    """Over the raw body and when it was sent, so that nobody sends it again later."""
    return f"t={at_s},v1={hmac.new(secret.encode(), f'{at_s}.'.encode() + body, hashlib.sha256).hexdigest()}"


def _ends(decisions: Iterable[Decision]) -> Iterator[dict[str, Any]]:
    for each in decisions:
        if isinstance(each, AttemptEnded):
            told = msgspec.to_builtins(each)
            told["lead_id"] = _nameless(told["lead_id"])
            yield {"event": "attempt_ended", **{k: round(v, 3) if isinstance(v, float) else v for k, v in told.items()}}


def _disposed(
    fact: DialerFact | TimerFired, decisions: Iterable[Decision], setup: DialerSetup
) -> Iterator[dict[str, Any]]:
    """A callback that is her lead's is known by how the lead is left."""
    if not isinstance(fact, AttemptDisposed):
        return
    key = _campaign_of(fact.attempt_id, setup)
    if key is not None:
        ends = (each for each in decisions if isinstance(each, LeadSettled) and each.attempt_id == fact.attempt_id)
        left = next(ends, None)
        promised_s = left.not_before_s if left is not None and left.state == LeadState.CALLBACK.value else 0.0
        yield {
            "event": "disposed",
            "tenant": key[0],
            "campaign": key[1],
            "lead_id": _nameless(left.lead_id) if left is not None else "",
            "attempt_id": fact.attempt_id,
            "interaction_id": fact.interaction_id,
            "agent_id": fact.agent_id,
            "disposition": fact.disposition,
            "callback_at_s": promised_s or fact.callback_at_s,
        }


def _nameless(lead_id: str) -> str:
    """Empty for a number of nobody's, dialed by hand: its lead is called like it."""
    return "" if "+" in lead_id else lead_id


def _wants(on: Iterable[str], told: Mapping[str, Any]) -> bool:
    """A disposition is meant by any of its beginnings; that a campaign paused itself is told to everybody."""
    if told["event"] == "campaign_paused":
        return True
    result = str(told.get("disposition") or told.get("outcome") or "")
    return any(result == name or result.startswith(f"{name}/") for name in on)


def _campaign_of(attempt_id: str, setup: DialerSetup) -> Key | None:
    """An attempt is called `tenant-campaign-…`; of two campaigns that fit, the longer name is meant."""
    fit = [key for key in setup.campaigns if attempt_id.startswith(f"{key[0]}-{key[1]}-")]
    return max(fit, key=lambda key: len(key[1]), default=None)
