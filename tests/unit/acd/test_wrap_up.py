"""Conversation, wrap-up, disposition."""

from __future__ import annotations

import pytest

from acd.router import Router
from acd.setup import Disposition
from core.agent_facts import WrapUpActed
from core.decisions import WorkEnded
from core.errors import EventRefused
from core.queue_facts import QueueJoined
from core.talk_facts import TalkChanged, TalkEnded
from tests.unit.acd.shift import Shift, agent, queue, setup

TREE = (
    Disposition("sold", digits="1", leaf=False),
    Disposition("sold/new", digits="11"),
    Disposition("sold/renewal", digits="12"),
    Disposition("lost", digits="2"),
)


@pytest.fixture
def shift() -> Shift:
    made = queue(wrap_up_s=30.0, wrap_up_extend_s=60.0, dispositions=TREE, disposition_required=True)
    shift = Shift(setup([agent("ana")], [made]))
    shift.logs_in("ana")
    shift.answers(shift.calls())
    return shift


def wraps(shift: Shift, **more: object) -> str:
    return shift.do(WrapUpActed("c1", "main", "ana", **more)).refused  # type: ignore[arg-type]


def test_the_conversation_ends_wrap_up_begins_and_ends_by_itself(shift: Shift) -> None:
    shift.passes(60.0)
    shift.do(TalkEnded("c1", "ana", "agent_hung_up"))
    assert shift.looks("ana") == "wrap_up"
    shift.calls()
    shift.passes(29.0)
    assert shift.ringing() == {}
    shift.passes(1.0)
    assert shift.ringing() == {"c2": "ana"}
    (work,) = shift.work
    assert (work.how, work.talk_s, work.wrap_up_s, work.disposition) == ("agent_hung_up", 60.0, 30.0, "not_given")


def test_every_second_is_counted_once(shift: Shift) -> None:
    for seconds, what in ((10.0, "hold"), (20.0, "resume"), (5.0, "consult"), (7.0, "consult_ended"), (3.0, "hold")):
        shift.passes(seconds)
        shift.do(TalkChanged("c1", "ana", what))  # type: ignore[arg-type]
    shift.passes(1.0)
    assert shift.looks("ana") == "hold"
    shift.do(TalkEnded("c1", "ana"))
    shift.passes(4.0)
    wraps(shift, disposition="lost", finish=True)
    assert shift.work == [
        WorkEnded("c1", "main", "ana", "sales", "customer_hung_up", 0.0, 18.0, 21.0, 7.0, 4.0, "lost")
    ]


def test_a_disposition_is_required_before_she_may_finish(shift: Shift) -> None:
    shift.do(TalkEnded("c1", "ana"))
    assert "choose a disposition first: sold/new, sold/renewal, lost" in wraps(shift, finish=True)
    assert shift.looks("ana") == "wrap_up"
    assert wraps(shift, disposition="sold/new", finish=True) == ""
    assert shift.looks("ana") == "ready"
    assert shift.work[-1].disposition == "sold/new"


def test_a_disposition_by_its_digits_during_the_conversation(shift: Shift) -> None:
    assert wraps(shift, disposition="12", text="wants a call in May") == ""
    shift.do(TalkEnded("c1", "ana"))
    assert wraps(shift, finish=True) == ""
    assert shift.work[-1].disposition == "sold/renewal"


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"disposition": "married"}, "there is no disposition 'married': choose one of sold/new"),
        ({"disposition": "sold"}, "one more step: choose one of sold/new, sold/renewal"),
        ({"finish": True}, "still going on"),
        ({"extend_s": 10.0}, "has not begun"),
        ({"callback_at_s": 5.0}, "time has passed"),
    ],
)
def test_what_cannot_be_is_refused_whole(shift: Shift, given: dict[str, object], why: str) -> None:
    before = shift.router.save(("agent", "main/ana"))
    assert why in wraps(shift, text="a note", **given)
    assert shift.router.save(("agent", "main/ana")) == before


def test_wrap_up_may_be_extended_so_far(shift: Shift) -> None:
    shift.do(TalkEnded("c1", "ana"))
    assert wraps(shift, extend_s=40.0) == ""
    assert "extended by 20 s more" in wraps(shift, extend_s=30.0)
    assert wraps(shift, extend_s=20.0) == ""
    shift.passes(89.0)
    assert shift.looks("ana") == "wrap_up"
    shift.passes(1.0)
    assert shift.looks("ana") == "ready"


def test_after_its_end_and_before_its_beginning(shift: Shift) -> None:
    shift.do(TalkEnded("c1", "ana"))
    shift.passes(31.0)
    assert "is over" in wraps(shift, disposition="lost")
    stay_id = shift.calls()
    assert "take the contact first" in shift.do(WrapUpActed(stay_id, "main", "ana", text="hm")).refused


def test_the_end_is_told_twice_and_counts_once(shift: Shift) -> None:
    shift.do(TalkEnded("c1", "ana"))
    assert not shift.do(TalkEnded("c1", "ana")).decisions
    assert not shift.do(TalkChanged("c1", "ana", "hold")).decisions
    assert not shift.do(TalkEnded("c1", "nobody")).changed
    assert shift.router.view_agent(("main", "ana"), shift.now_s)["handled"] == 1  # type: ignore[index]


def test_what_cannot_happen_is_refused(shift: Shift) -> None:
    shift.do(TalkEnded("c1", "ana"))
    shift.passes(30.0)
    stay_id = shift.calls()
    with pytest.raises(EventRefused):
        shift.do(TalkChanged(stay_id, "ana", "hold"))
    assert shift.looks("ana") == "reserved"


def test_a_queue_without_wrap_up_has_none() -> None:
    shift = Shift(setup([agent("ana")]))
    shift.logs_in("ana")
    shift.answers(shift.calls())
    shift.hangs_up("c1")
    assert shift.looks("ana") == "ready"
    assert shift.work[-1].disposition == ""


def two() -> Shift:
    """Ana talks; Bea serves no queue, and may be sent somebody in person."""
    people = [agent("ana"), agent("bea", queues=()), agent("cai")]
    shift = Shift(setup(people, [queue(wrap_up_s=30.0, dispositions=TREE, no_agents="wait")]))
    shift.logs_in("ana", "bea")
    shift.answers(shift.calls())
    return shift


def test_who_is_transferred_to_wraps_up_as_the_queue_says() -> None:
    shift = two()
    shift.do(TalkEnded("c1", "ana", "transferred"))
    shift.do(QueueJoined("c1", "on", "main", agent_id="bea", purpose="transfer", excluded_agents=("ana",)))
    shift.answers("on")
    shift.do(TalkEnded("c1", "bea"))
    assert shift.looks("bea") == "wrap_up"
    shift.passes(30.0)
    assert [(work.agent_id, work.queue, work.disposition) for work in shift.work] == [
        ("ana", "sales", "not_given"),
        ("bea", "sales", "not_given"),
    ]


def test_who_was_consulted_wraps_up_only_when_the_customer_stays_with_her() -> None:
    def consulted(how: str) -> str:
        shift = two()
        shift.do(TalkChanged("c1", "ana", "consult"))
        shift.do(QueueJoined("c1", "on", "main", agent_id="bea", purpose="consult"))
        shift.answers("on")
        shift.do(TalkEnded("c1", "ana", how))
        shift.do(TalkEnded("c1", "bea"))
        assert shift.looks("ana") == "wrap_up"
        return shift.looks("bea")

    assert consulted("transferred") == "wrap_up"
    assert consulted("customer_hung_up") == "ready"


@pytest.mark.parametrize("more", [{"queue": "sales", "preferred_agent": "ana"}, {"agent_id": "ana"}])
def test_a_customer_who_comes_back_finds_her_in_wrap_up(more: dict[str, str]) -> None:
    shift = two()
    shift.do(TalkEnded("c1", "ana", "transferred"))
    shift.passes(5.0)
    shift.do(QueueJoined("c1", "back", "main", **more))  # type: ignore[arg-type]
    assert shift.ringing() == {"back": "ana"}
    assert [(work.wrap_up_s, work.disposition) for work in shift.work] == [(5.0, "")]


def wraps_half_up(shift: Shift) -> None:
    """Ana sends her customer away, writes something, and the customer comes back."""
    shift.do(TalkEnded("c1", "ana", "transferred"))
    given = {"disposition": "lost", "text": "hm", "callback_at_s": shift.now_s + 3600.0}
    assert wraps(shift, **given) == ""
    shift.passes(5.0)
    shift.do(QueueJoined("c1", "back", "main", queue="sales", preferred_agent="ana"))


def test_what_she_had_written_stands_when_her_customer_comes_back() -> None:
    shift = two()
    wraps_half_up(shift)
    assert [(work.how, work.disposition) for work in shift.work] == [("transferred", "lost")]
    assert shift.router.assignments(("main", "ana"))["c1"].disposition == "", "what only rings has come to nothing yet"
    shift.router = Router(shift.router.setup)
    shift.heed(shift.router.restore(shift.rows, shift.now_s, lambda _: True))
    shift.answers("back")
    work = shift.router.assignments(("main", "ana"))["c1"]
    assert (work.disposition, work.notes, work.callback_at_s) == ("lost", 1, shift.now_s - 5.0 + 3600.0)
    shift.do(TalkEnded("c1", "ana"))
    assert shift.finishes("ana").refused == ""
    assert shift.work[-1].disposition == "lost"


def test_what_she_had_written_is_hers_alone() -> None:
    shift = two()
    wraps_half_up(shift)
    shift.logs_in("cai")
    shift.does_not_answer("back")
    assert shift.ringing() == {"back": "cai"}
    assert shift.work[-1].disposition == ""
    shift.answers("back")
    assert shift.router.assignments(("main", "cai"))["c1"].disposition == ""
