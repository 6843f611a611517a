"""What becomes of an attempt: counted where it is answered, ended once, and what follows for its lead."""

from __future__ import annotations

from collections.abc import Mapping

from core.attempt import AttemptEvent, AttemptState
from core.decisions import AttemptEnded
from core.dialing import AttemptDisposed, AttemptProgressed
from core.errors import EventRefused
from dialer import filling, her_phone, told, trouble
from dialer.compliance.abandonment import Counts, bounds
from dialer.compliance.rules import Mode, Window
from dialer.following import NOT_GIVEN, settle
from dialer.keeping import save_attempt
from dialer.pacing import Abandoned, Ended, Served, TalkEnded, WrapUpEnded
from dialer.pacing.method import AnsweredBy, Outcome
from dialer.records import Attempt, Campaign
from dialer.shares import SHARING
from dialer.starting import remember
from dialer.state import State
from dialer.turn import Turn

_S, _E = AttemptState, AttemptEvent
MACHINES = frozenset({_S.MACHINE, _S.MESSAGE_LEFT, _S.FAX})
CROSSING = frozenset({_S.CANCELLED, _S.NO_ANSWER})
"""An answer may still be on the wire."""
_ANSWERED_BY: dict[AttemptState, AnsweredBy] = {
    _S.MACHINE: "machine",
    _S.MESSAGE_LEFT: "machine",
    _S.FAX: "machine",
    _S.BUSY: "busy",
    _S.FAILED: "failed",
    _S.INVALID: "failed",
}


def progressed(state: State, turn: Turn, fact: AttemptProgressed) -> None:
    """An attempt nobody remembers is over and saved: news of it is late.

    Raises:
        EventRefused: there is no such event, or it cannot happen now.
    """
    attempt = state.attempts.get(fact.attempt_id)
    if attempt is None:
        return
    try:
        event = AttemptEvent(fact.event)
    except ValueError:
        raise EventRefused(f"attempt {fact.attempt_id}: there is no event '{fact.event[:40]}'") from None
    if event is _E.BLOCKED and attempt.state is not _S.STAGED:
        event = _E.FAILED  # the outbound rules refused what was already wanted
    if fact.identity:
        turn.attempt(attempt)
        attempt.identity = fact.identity
    if fact.verdict:
        turn.attempt(attempt)
        attempt.verdict, attempt.evidence, attempt.greeted_s = fact.verdict, fact.evidence, fact.greeted_s or None
    moved(state, turn, attempt, event, fact.cause, fact.why, fact.agent_id)
    if attempt.state.is_over:
        turn.soon.add(attempt.tenant)


def moved(
    state: State, turn: Turn, attempt: Attempt, event: AttemptEvent, cause: int = 0, why: str = "", agent_id: str = ""
) -> None:
    """One step of an attempt, and all that hangs on it. Raises EventRefused."""
    turn.attempt(attempt)
    was_over = attempt.state.is_over
    if not turn.move_attempt(attempt, event):
        return
    campaign = turn.campaign(attempt.key)
    attempt.cause, attempt.why = cause or attempt.cause, why or attempt.why
    if attempt.state is _S.RINGING:
        attempt.ringing_s = turn.now_s
    if event is _E.ANSWERED:
        attempt.answered_s = turn.now_s
        campaign.today.answered += 1
        trouble.answered(turn, campaign, attempt)
    if attempt.state.is_live and attempt.answered_s is None:
        attempt.answered_s = turn.now_s
    listens = attempt.screened and attempt.state in (_S.ANSWERED, _S.SCREENING)
    if attempt.answered_s is not None and not listens and _is_person(attempt.state) and not attempt.counted:
        _count_person(state, turn, campaign, attempt)
    if attempt.state is _S.COMPLETED:
        attempt.agent_id = agent_id or attempt.agent_id
    if attempt.state is _S.CONNECTED:
        _connected(state, turn, campaign, attempt, agent_id)
    if attempt.state.is_over:
        _ended(state, turn, campaign, attempt, event, again=was_over)
    if attempt.attempt_id in state.attempts:
        state.index_attempt(attempt)


def disposed(state: State, turn: Turn, fact: AttemptDisposed) -> None:
    """The agent has finished with it; or her flow says how it stands, until that is over or an agent says more."""
    attempt = state.attempts.get(fact.attempt_id)
    if attempt is None or attempt.disposed:
        return
    turn.attempt(attempt)
    if attempt.mode is Mode.AGENTLESS and not fact.agent_id:
        attempt.disposition = fact.disposition
        filling.filled_by_flow(state, turn, attempt, fact.answers)
        return
    attempt.agent_id = fact.agent_id or attempt.agent_id
    finish(state, turn, attempt, fact.disposition or NOT_GIVEN, fact.callback_at_s, fact.personal)
    turn.soon.add(attempt.tenant)


def finish(
    state: State, turn: Turn, attempt: Attempt, disposition: str, callback_s: float = 0.0, personal: bool = False
) -> None:
    """`disposition`: what was chosen, `not_given` when nothing came: then what her flow said holds."""
    turn.attempt(attempt)
    if disposition == NOT_GIVEN and attempt.disposition:
        disposition = attempt.disposition
    attempt.disposition, attempt.callback_s, attempt.personal = disposition, callback_s, personal
    attempt.disposed = True
    if disposition not in ("", NOT_GIVEN):
        _hear_agent(state, turn, attempt)
    if attempt.state.is_over:
        if attempt.ended_s is not None and attempt.connected_s is not None:
            _teach(state, turn, attempt, WrapUpEnded(max(0.0, turn.now_s - attempt.ended_s)))
        remember(state, turn, attempt)
        save_attempt(turn, attempt)
        settle(state, turn, attempt)
    state.index_attempt(attempt)


def _hear_agent(state: State, turn: Turn, attempt: Attempt) -> None:
    """Whom she met: it measures the detector, and a machine was no live answer, whoever took it for one."""
    met_machine = state.of(attempt.key).after(attempt.disposition).means == "machine"
    campaign = turn.campaign(attempt.key)
    if attempt.verdict:
        campaign.heard.told += 1
        campaign.heard.machines += met_machine
    if met_machine and attempt.counted and attempt.state is not _S.ABANDONED:
        _uncount(state, turn, campaign, attempt)


def _count_person(state: State, turn: Turn, campaign: Campaign, attempt: Attempt) -> None:
    attempt.counted = True
    campaign.today.live += 1
    answered_s = turn.now_s if attempt.answered_s is None else attempt.answered_s
    _keep_tally(campaign, state.tally(campaign).answered(answered_s).windows, turn.now_s, campaign.tally_s)
    _teach(state, turn, attempt, Ended("person", max(0.0, answered_s - attempt.dialed_s)))


def _connected(state: State, turn: Turn, campaign: Campaign, attempt: Attempt, agent_id: str) -> None:
    attempt.connected_s, attempt.agent_id = turn.now_s, agent_id or attempt.agent_id
    state.told = {who: one for who, one in state.told.items() if who != (attempt.tenant, attempt.agent_id)}
    campaign.today.connected += 1
    campaign.given += 1.0 / max(1, state.of(attempt.key).weight)
    remember(state, turn, attempt)
    waited_s = turn.now_s - (attempt.answered_s or turn.now_s)
    _teach(state, turn, attempt, Served(max(0.0, waited_s)))


def _ended(state: State, turn: Turn, campaign: Campaign, attempt: Attempt, event: AttemptEvent, again: bool) -> None:
    """`again`: it was over already, and an answer crossed our hanging up."""
    now_s, over = turn.now_s, attempt.state
    attempt.ended_s, attempt.line_ends_s = now_s, 0.0
    her_phone.let_go(turn, attempt)
    if told.concerns(attempt):
        _tell_agent(state, attempt, now_s)
    _count_end(state, turn, campaign, attempt)
    if over is _S.COMPLETED and attempt.connected_s is not None:
        _teach(state, turn, attempt, TalkEnded(max(0.0, now_s - attempt.connected_s)))
    answered_s = attempt.answered_s
    turn.decide(
        AttemptEnded(
            attempt.interaction_id,
            attempt.attempt_id,
            attempt.tenant,
            attempt.campaign,
            attempt.lead_id,
            over.value,
            ring_s=(answered_s or now_s) - attempt.dialed_s if attempt.was_dialed else 0.0,
            wait_s=(attempt.connected_s or now_s) - answered_s if answered_s is not None else 0.0,
            talk_s=now_s - attempt.connected_s if attempt.connected_s is not None else 0.0,
            agent_id=attempt.agent_id,
            why=attempt.why,
        )
    )
    if attempt.was_dialed:
        remember(state, turn, attempt)
        trouble.ended(turn, campaign, attempt, event)
    needs_agent = over is _S.COMPLETED and bool(attempt.agent_id)
    # Who is abandoned into the queue may meet somebody yet, who says what came of it.
    needs_agent = needs_agent or (over is _S.ABANDONED and state.of(attempt.key).drop_action == "queue")
    if not needs_agent and over not in CROSSING:
        attempt.disposed = True
    if attempt.was_dialed:
        save_attempt(turn, attempt)
    elif over is not _S.STAGED:
        attempt.disposed = True
    if not again and (attempt.disposed or over in CROSSING):
        settle(state, turn, attempt)
    if not attempt.was_dialed:
        state.forget_attempt(attempt)


def _tell_agent(state: State, attempt: Attempt, now_s: float) -> None:
    lead = state.leads.get(attempt.lead_row)
    name = lead.record.name if lead is not None else ""
    fresh = {key: one for key, one in state.told.items() if now_s - one.at_s < told.KEPT_S}
    fresh[attempt.tenant, attempt.for_agent] = told.Told(
        attempt_id=attempt.attempt_id,
        tenant=attempt.tenant,
        campaign=attempt.campaign,
        agent_id=attempt.for_agent,
        lead_id=attempt.lead_id,
        name=name,
        number=attempt.number,
        outcome=attempt.state.value,
        cause=attempt.cause,
        why=told.in_words(attempt),
        at_s=now_s,
    )
    state.told = fresh


def _count_end(state: State, turn: Turn, campaign: Campaign, attempt: Attempt) -> None:
    over, today = attempt.state, campaign.today
    answered_s = attempt.answered_s
    if is_abandoned(attempt):
        today.abandoned += 1
        windows = state.tally(campaign).abandoned(turn.now_s, answered_s).windows
        _keep_tally(campaign, windows, turn.now_s, campaign.tally_s)
        _teach(state, turn, attempt, Abandoned())
    elif over in MACHINES and attempt.counted:  # an agent had it before it was known
        _uncount(state, turn, campaign, attempt)
    if over in (_S.MACHINE, _S.MESSAGE_LEFT) and answered_s is not None:
        windows = state.tally(campaign).taken_for_machine(answered_s).windows
        _keep_tally(campaign, windows, turn.now_s, campaign.tally_s)
    name = over.value
    if attempt.was_dialed and name in (
        "machine",
        "message_left",
        "fax",
        "no_answer",
        "busy",
        "failed",
        "invalid",
        "cancelled",
    ):
        setattr(today, name, getattr(today, name) + 1)
    if attempt.was_dialed and not attempt.counted:
        ring_s = max(0.0, (answered_s or turn.now_s) - attempt.dialed_s)
        _teach(state, turn, attempt, Ended(_ANSWERED_BY.get(over, "none"), ring_s))


def _uncount(state: State, turn: Turn, campaign: Campaign, attempt: Attempt) -> None:
    """It was no person after all."""
    attempt.counted = False
    campaign.today.live -= 1
    if attempt.connected_s is not None:
        campaign.today.connected -= 1
    answered_s = turn.now_s if attempt.answered_s is None else attempt.answered_s
    _keep_tally(campaign, state.tally(campaign).was_nobody(answered_s).windows, turn.now_s, campaign.tally_s)


def is_abandoned(attempt: Attempt) -> bool:
    """A person answered and nobody of ours was there for her; over an agentless campaign the flow is."""
    if attempt.state is _S.ABANDONED:
        return True
    return attempt.state is _S.CUSTOMER_HUNG_UP and attempt.mode is not Mode.AGENTLESS


def _is_person(state: AttemptState) -> bool:
    return state in (_S.ANSWERED, _S.CONNECTED) or (state.is_live and state.is_over)


def _keep_tally(
    campaign: Campaign, windows: Mapping[tuple[Window, float], Counts], now_s: float, started_s: float
) -> None:
    """Windows that ended long ago are in the attempts' own records."""
    campaign.windows = [
        (window, from_s, counts)
        for (window, from_s), counts in sorted(windows.items(), key=lambda item: (item[0][1], repr(item[0][0])))
        if bounds(window, started_s, from_s)[1] + 86_400.0 > now_s
    ]


def _teach(state: State, turn: Turn, attempt: Attempt, outcome: Outcome) -> None:
    """The campaign's pacer learns of what it started itself."""
    setup = state.of(attempt.key)
    if attempt.mode is setup.mode and setup.mode in SHARING:
        turn.pacer(attempt.key).record(outcome, turn.now_s)
