"""An agent, or a flow, fills in the form of whom it talks with: checked against the campaign, kept with the attempt."""

from __future__ import annotations

from collections.abc import Mapping

from core.decisions import Noted
from core.dialing import FormFilled
from dialer import form, promises
from dialer.records import Attempt
from dialer.setup import After, CampaignSetup
from dialer.state import State
from dialer.turn import Refused, Turn

_NOBODY = frozenset({"do_not_call", "wrong_number"})
"""What follows where there was nobody who could have answered."""


def form_filled(state: State, turn: Turn, fact: FormFilled) -> None:
    """Raises Refused, with everything that is wrong; nothing of it is kept then."""
    attempt = state.attempts.get(fact.attempt_id)
    if attempt is None or attempt.tenant != fact.tenant or attempt.disposed:
        if any(fact.answers.values()):
            raise Refused("this contact has been closed: its form takes no more")
        return
    setup = state.of(attempt.key)
    answers, wrong = form.read(setup.form, fact.answers)
    kept = {name: answer for name, answer in {**attempt.answers, **answers}.items() if answer}
    if fact.complete:
        after = setup.after(fact.disposition) if fact.disposition else After()
        wrong += _incomplete(setup, after, kept)
        wrong += _not_ahead(state, after, kept, turn.now_s)
    if wrong:
        raise Refused("; ".join(wrong))
    if kept != attempt.answers:
        turn.attempt(attempt)
        attempt.answers = kept


def filled_by_flow(state: State, turn: Turn, attempt: Attempt, given: Mapping[str, str]) -> None:
    """What her flow asked her. Nobody is there to be told what cannot be read: it is noted, and the rest is kept.
    `attempt` is the turn's, its disposition the flow's."""
    setup = state.of(attempt.key)
    answers, wrong = form.read(setup.form, given)
    kept = {name: answer for name, answer in {**attempt.answers, **answers}.items() if answer}
    after = setup.after(attempt.disposition)
    if past := _not_ahead(state, after, kept, turn.now_s):
        kept.pop(after.date, None)
    attempt.answers = kept
    for why in (*wrong, *past):
        turn.decide(Noted("form", why))


def _incomplete(setup: CampaignSetup, after: After, answers: dict[str, str]) -> tuple[str, ...]:
    if after.then in _NOBODY or after.means == "machine":
        return ()
    needed = list(form.missing(setup.form, answers))
    if after.date and not answers.get(after.date) and after.date not in needed:
        needed.append(after.date)
    return (f"fill in first: {', '.join(needed)}",) if needed else ()


def _not_ahead(state: State, after: After, answers: dict[str, str], now_s: float) -> tuple[str, ...]:
    answer = answers.get(after.date, "") if after.date else ""
    if not answer or promises.lies_ahead(state.setup.time_zone, after, answer, now_s):
        return ()
    return (f"{after.date}: {answer} has passed: choose a later one",)
