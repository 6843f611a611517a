"""Other systems are told how attempts end: signed, in order, until they have taken it, without a number or a name."""

import asyncio
import hashlib
import hmac
import json

import pytest

from core.decisions import AttemptEnded, LeadSettled, Moved, PacingDecided
from core.dialing import AttemptDisposed, AttemptProgressed
from core.events import HttpReplied
from core.table import Transition
from dialer.setup import CampaignSetup, DialerSetup, Webhook
from engine import webhooks
from engine.webhooks import Webhooks, signature

NOW_S = 1_800_000_000.0
ENDED = AttemptEnded("dial-main-spring-1", "main-spring-1", "main", "spring", "lead-1", "busy", ring_s=1.23456)
FACT = AttemptProgressed("dial-main-spring-1", "main-spring-1", "busy")


class Receiver:
    """Answers with these statuses in turn, then 200."""

    def __init__(self, *statuses):
        self.statuses, self.got = list(statuses), []

    async def ask(self, command):
        self.got.append(command)
        status = self.statuses.pop(0) if self.statuses else 200
        return HttpReplied("", command.request_id, status, {}, "" if status else "nobody answers")


def house(receiver, *hooks, now_s=lambda: NOW_S):
    setup = DialerSetup("r1", {("main", "spring"): CampaignSetup("main", "spring", webhooks=hooks)})
    forgotten = []
    made = Webhooks(
        lambda: setup,
        lambda tenant, campaign, at_s: {"why": "20 attempts failed"},
        receiver,
        lambda tenant, campaign: f"secret of {campaign}",
        lambda notice_id, why: forgotten.append((notice_id, why)),
        now_s,
    )
    return made, forgotten


async def until(what):
    async with asyncio.timeout(30):
        while not what():
            await asyncio.sleep(0.002)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    monkeypatch.setattr(webhooks, "FIRST_WAIT_S", 0.002)
    monkeypatch.setattr(webhooks, "LONGEST_WAIT_S", 0.002)


async def test_an_ended_attempt_is_told_signed_and_its_row_goes():
    receiver = Receiver()
    hooks, forgotten = house(receiver, Webhook("https://crm.example/hook"))
    rows = hooks.rows(FACT, [ENDED, PacingDecided("main", "spring", 1, "")], NOW_S)
    assert [name for name, _ in rows] == ["hook:main-main-spring-1-attempt_ended-0"]
    hooks.send(rows)
    await until(lambda: forgotten)
    await hooks.close()
    (sent,) = receiver.got
    told = json.loads(sent.body)
    assert (told["event"], told["outcome"], told["ring_s"], told["lead_id"]) == (
        "attempt_ended",
        "busy",
        1.235,
        "lead-1",
    )
    assert not {"number", "called", "name"} & told.keys()
    at_s, _, given = sent.headers["X-Centralita-Signature"].partition(",v1=")
    expected = hmac.new(b"secret of spring", f"{at_s[2:]}.{sent.body}".encode(), hashlib.sha256).hexdigest()
    assert given == expected
    assert sent.headers["X-Centralita-Id"] == told["id"]
    assert forgotten == [("main-main-spring-1-attempt_ended-0", "")]


async def test_who_does_not_take_it_is_told_again_in_order():
    receiver = Receiver(0, 503)
    hooks, forgotten = house(receiver, Webhook("https://crm.example/hook"))
    disposed = AttemptDisposed("dial-main-spring-1", "main-spring-1", "ana", "sold/new")
    hooks.send(hooks.rows(FACT, [ENDED], NOW_S))
    hooks.send(hooks.rows(disposed, [], NOW_S))
    await until(lambda: len(forgotten) == 2)
    await hooks.close()
    assert [json.loads(sent.body)["event"] for sent in receiver.got] == ["attempt_ended"] * 3 + ["disposed"]
    assert hooks.waiting == 0


async def test_what_will_never_be_taken_is_given_up():
    late = [NOW_S]
    hooks, forgotten = house(Receiver(*[404] * 9), Webhook("https://crm.example/hook"))
    hooks.send(hooks.rows(FACT, [ENDED], NOW_S))
    await until(lambda: forgotten)
    assert forgotten[0][1] == "status 404"
    hooks, forgotten = house(Receiver(*[503] * 9), Webhook("https://crm.example/hook"), now_s=lambda: late[0])
    hooks.send(hooks.rows(FACT, [ENDED], NOW_S))
    late[0] += webhooks.GIVE_UP_S + 1
    await until(lambda: forgotten)


def test_only_what_was_asked_for_is_told():
    hooks, _ = house(Receiver(), Webhook("https://crm.example/hook", frozenset({"sold", "machine"})))

    def told(fact, *decisions):
        return [
            json.loads(webhooks.msgspec.msgpack.decode(row)["body"]) for _, row in hooks.rows(fact, decisions, NOW_S)
        ]

    assert not told(FACT, ENDED)
    assert not told(AttemptDisposed("i", "main-spring-1", "ana", "not_interested"))
    assert not told(AttemptDisposed("i", "main-summer-1", "ana", "sold/new")), "another campaign"
    assert told(AttemptDisposed("i", "main-spring-1", "ana", "sold/new"))[0]["agent_id"] == "ana"
    paused = Moved(Transition("campaign", "main/spring", "running", "paused", "trouble"))
    assert told(FACT, paused)[0] == {
        "id": f"main-spring-{NOW_S:.3f}-campaign_paused-0",
        "at_s": NOW_S,
        "event": "campaign_paused",
        "tenant": "main",
        "campaign": "spring",
        "why": "20 attempts failed",
    }


async def test_a_row_that_cannot_be_read_is_dropped():
    hooks, forgotten = house(Receiver())
    hooks.send([("hook:x", b"nonsense")])
    assert forgotten[0][0] == "x"
    await hooks.close()


def test_a_signature_says_when_it_was_made():
    assert signature("s", 5, b"{}") != signature("s", 6, b"{}")


def test_a_disposition_is_told_with_its_lead_and_the_callback_that_was_promised():
    hooks, _ = house(Receiver(), Webhook("https://crm.example/hook"))

    def told(*settled):
        fact = AttemptDisposed("i", "main-spring-1", "ana", "interested")
        ((_, row),) = hooks.rows(fact, settled, NOW_S)
        body = json.loads(webhooks.msgspec.msgpack.decode(row)["body"])
        return body["lead_id"], body["callback_at_s"]

    def settled(state, attempt_id="main-spring-1", lead_id="lead-1"):
        return LeadSettled("main", "spring", lead_id, attempt_id, state, "interested", NOW_S + 600.0)

    assert told(settled("callback")) == ("lead-1", NOW_S + 600.0)
    assert told(settled("waiting")) == ("lead-1", 0.0), "tried again by a rule: nobody promised it"
    assert told(settled("callback", "main-spring-2")) == ("", 0.0), "somebody else's"
    assert told(settled("done", lead_id="+34910000001")) == ("", 0.0), "a number of nobody's, dialed by hand"
