"""The live board in a terminal: everything is legible in 80 columns, and ages are those of the moment."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from acd.router import Router
from acd.setup import AgentSetup, NotReadyReason, QueueSetup, Setup
from core.agent_facts import AgentActed
from core.offer_facts import OfferAccepted
from core.queue_facts import QueueJoined
from engine.cli.board_view import agent_table, board, queue_table, waiting_table

NOW_S = 1_767_225_600.0


def drawn(table, columns=80):
    console = Console(file=io.StringIO(), width=columns, force_terminal=False)
    console.print(table)
    return console.file.getvalue()


def told(router, now_s):
    seen = router.board(now_s)
    return seen.agents, seen.queues, seen.stays


def place(queues, agents):
    return Router(
        Setup(
            agents={
                ("main", name): AgentSetup("main", name, queues=frozenset(queues), device=f"main-100{number}")
                for number, name in enumerate(agents, start=1)
            },
            queues={("main", name): QueueSetup("main", name, no_agents="wait") for name in queues},
            reasons={("main", name): NotReadyReason(name) for name in ("formación", "training")},
        )
    )


@pytest.mark.parametrize(
    ("queues", "agents", "reason"),
    [
        (("atención_al_cliente", "facturación", "ventas"), ("ana", "maría_fernández"), "formación"),
        (("customer_service", "billing", "sales"), ("ann", "elizabeth_warren"), "training"),
    ],
)
def test_nothing_is_cut_off_in_80_columns(queues, agents, reason):
    router = place(queues, agents)
    for name in agents:
        router.handle(AgentActed("main", name, "log_in"), NOW_S)
        router.handle(AgentActed("main", name, "ready"), NOW_S)
    for number in range(12):
        interaction_id = f"i-1767225600.{number}"
        outcome = router.handle(QueueJoined(interaction_id, f"s{number}", "main", queues[0]), NOW_S)
        for offer in outcome.facts[:1]:
            router.handle(OfferAccepted(interaction_id, offer.offer_id), NOW_S)
    router.handle(AgentActed("main", agents[1], "not_ready", reason), NOW_S)
    lines = drawn(board(*told(router, NOW_S + 4000), NOW_S + 4000)).splitlines()
    text = "\n".join(lines)
    assert "…" not in text
    assert max(map(len, lines)) <= 80
    headers = ("queue", "waiting", "longest", "EWT", "free/", "here", "answered", "abandoned", "target")
    for word in (*headers, "looks", "since", "phone", "handled", "who waits", "place", "waited", "step", *queues):
        assert word in text
    assert "1:06:40" in text


def test_the_longest_wait_goes_on_between_two_news_of_the_queue():
    router = place(("sales",), ("ana",))
    router.handle(QueueJoined("i-1", "s1", "main", "sales", waited_s=5.0), NOW_S)
    agents, queues, stays = told(router, NOW_S)
    text = drawn(board(agents, queues, stays, NOW_S + 45.0))
    assert text.count("0:50") == 2, "the queue's longest wait, and hers"


def test_a_colleague_who_is_consulted_is_nobody_who_waits():
    router = place(("sales",), ("ana", "eva"))
    router.handle(AgentActed("main", "eva", "log_in"), NOW_S)
    router.handle(AgentActed("main", "eva", "ready"), NOW_S)
    router.handle(QueueJoined("i-1", "s1", "main", "sales", agent_id="eva", purpose="consult"), NOW_S)
    agents, queues, stays = told(router, NOW_S)
    assert [queue["waiting"] for queue in queues] == [0]
    assert "i-1" not in drawn(waiting_table(stays, NOW_S))
    assert "ringing" in drawn(agent_table(agents, NOW_S)) or "reserved" in drawn(agent_table(agents, NOW_S))


def test_an_expected_wait_is_shown_as_a_range():
    _, (queue,), _ = told(place(("sales",), ("ana",)), NOW_S)
    ranged = {**queue, "ewt_s": 180.0, "ewt_low_s": 100.0, "ewt_high_s": 270.5}
    assert "1:40–4:30" in drawn(queue_table([ranged], NOW_S))
    assert "?" in drawn(queue_table([queue], NOW_S))
