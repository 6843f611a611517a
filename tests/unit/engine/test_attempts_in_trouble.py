"""A campaign's call in every state it can be in: it ends, the engine starts again, a fault, a leg that vanished."""

from pathlib import Path

import pytest

from core.attempt import AttemptState
from core.commands import ListNumber, StartTimer
from core.dialing import AttemptCancelled
from core.events import (
    LegAdopted,
    LegEarlyMedia,
    LegRinging,
    LegUp,
)
from core.leg import EndReason
from core.leg_commands import Play
from engine import decide, interactions, snapshots
from engine.opt_outs import listed
from tests.unit.engine.attempt_case import AGENTLESS, HER, ID, WANTED, Case
from tests.unit.engine.attempt_stages import AFTER, BEFORE, cancelled, heard, offered, ringing, waiting

S = AttemptState


@pytest.mark.parametrize("reason", list(EndReason))
@pytest.mark.parametrize("stage", BEFORE + AFTER)
def test_her_end_is_legal_everywhere_and_leaves_nothing(stage, reason):
    case = stage()
    case.over(reason)
    live = stage in AFTER or (reason is EndReason.HARBOURED and stage is not cancelled)
    assert case.state.is_live is live


@pytest.mark.parametrize("stage", AFTER)
def test_what_comes_late_or_twice_changes_nothing(stage):
    case = stage()
    before, told = case.state, case.progressed()
    case.tell(LegUp(HER), LegRinging(HER), LegEarlyMedia(HER), AttemptCancelled(ID, "at-1"), WANTED)
    case.tell(heard("machine"))
    assert (case.state, case.progressed()) == (before, told)
    case.over()


@pytest.mark.parametrize("stage", BEFORE + AFTER)
@pytest.mark.parametrize("away_s", [0.3, 60.0])
def test_after_a_restart_nobody_listens_to_silence(stage, away_s):
    case = stage()
    case.restart(away_s)
    case.commands.clear()
    up = stage in AFTER
    bridge = case.interaction.talk.bridge_id if case.interaction.talk is not None else ""
    case.tell(LegAdopted(HER, up, bridge))
    if up:
        case.wait(2.1)
        assert case.is_heard or case.interaction.talk is not None
    else:
        case.wait(40)
        assert case.is_hung_up, "rung out, or called off"
    case.over(EndReason.HUNG_UP_BY_US if not up else EndReason.HUNG_UP)


@pytest.mark.parametrize("stage", BEFORE)
def test_who_answered_while_nobody_watched_hears_the_message_at_once(stage):
    case = stage()
    case.restart()
    case.tell(LegAdopted(HER, True, ""))
    if stage is cancelled:
        assert case.is_hung_up
    else:
        assert case.commanded(Play)[0].leg_id == HER
    case.over()
    assert case.state is S.ABANDONED


def test_an_agentless_campaigns_flow_begins_for_who_answered_meanwhile():
    case = ringing(AGENTLESS)
    case.restart()
    case.tell(LegAdopted(HER, True, ""))
    assert case.progressed() == ["ringing", "answered", "connect"]
    assert case.is_heard
    case.over()


@pytest.mark.parametrize("stage", BEFORE + AFTER)
def test_a_leg_that_vanished_in_the_gap_is_accounted_for(stage):
    case = stage()
    case.restart(60)
    case.over(EndReason.LOST)


@pytest.mark.parametrize("stage", [waiting, offered])
def test_the_deadline_goes_on_over_a_restart(stage):
    case = stage()
    case.restart(0.2)
    case.tell(LegAdopted(HER, True, ""))
    assert [c.due_s for c in case.last.commands if isinstance(c, StartTimer)] == [case.attempt.due_s]
    case.connect()
    assert case.progressed() == ["ringing", "answered", "connect"]


@pytest.mark.parametrize("event", [LegUp(HER), LegRinging(HER), AttemptCancelled(ID, "at-1")])
@pytest.mark.parametrize("stage", BEFORE + AFTER)
def test_a_fault_in_any_state_takes_the_error_exit_and_nobody_hears_silence(stage, event, monkeypatch):
    case = stage()
    monkeypatch.setattr(interactions, "handle", _raises)
    decided = decide.decide(case.interaction, event, case.around, case.now_s)
    monkeypatch.undo()
    case.take(decided.turn)
    answered = stage in AFTER or isinstance(event, LegUp)
    if answered and stage is not cancelled:
        assert case.is_heard or case.is_hung_up
    case.over()


def _raises(*_):
    raise RuntimeError("a fault")


# -- kept ------------------------------------------------------------------------------------------------------
def test_the_snapshot_of_the_third_version_loads():
    saved = Path(__file__).parent / "snapshots" / "attempt-v3.msgpack"
    loaded = snapshots.load(saved.read_bytes())
    assert (loaded.attempt.state, loaded.attempt.wanted.campaign) == (S.ANSWERED, "spring")
    assert (loaded.waiting.queue, loaded.values, loaded.theirs) == ("sales", {"day": "lunes"}, "+34911234567")
    assert loaded.attempt.due_s == loaded.attempt.answered_s + 2


# -- never again -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("scope", "campaign"), [("tenant", ""), ("campaign", "spring")])
def test_whom_the_dialer_is_told_of(scope, campaign):
    case = Case(AGENTLESS).answer()
    fact = listed(ListNumber(ID, "r1", "+34911234567", scope), case.interaction)
    assert (fact.tenant, fact.called, fact.campaign, fact.by) == ("main", "+34911234567", campaign, "caller")
    assert fact.lead_id == case.interaction.attempt.wanted.lead_id == "l1"
    another = listed(ListNumber(ID, "r1", "+34911234568", scope), case.interaction)
    assert another.lead_id == "", "she named another number: she may be called at hers"
