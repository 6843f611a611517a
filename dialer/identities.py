"""Which of our numbers somebody sees: from the pool of where she is, the one least used today that may be shown."""

from __future__ import annotations

from dataclasses import dataclass

from dialer.compliance.numbers import country_of, is_mobile
from dialer.compliance.rules import Identity as IdentityRule
from dialer.setup import CallerIds, CampaignSetup
from dialer.state import State
from dialer.turn import Turn

DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Shown:
    """`number` empty: none of the pool's numbers can be shown before `not_before_s`; `why`: in words, `then`: the one
    that can. Where a campaign has no pool for a number, the outbound rule says what is shown, and all are empty."""

    number: str = ""
    why: str = ""
    not_before_s: float = 0.0
    then: str = ""


def pool_for(setup: CampaignSetup, number: str) -> CallerIds | None:
    """The pool of the longest beginning, else of the country, else the one for all."""
    best: tuple[int, int] | None = None
    found = None
    country = ""
    for index, pool in enumerate(setup.caller_ids):
        fit = max((len(prefix) for prefix in pool.prefixes if number.startswith(prefix)), default=0)
        if not fit and pool.countries:
            country = country or country_of(number)
            fit = 1 if country in pool.countries else 0
        elif not fit and not pool.prefixes:
            fit = -1
        if not fit:
            continue
        rank = (fit, -index)
        if best is None or rank > best:
            best, found = rank, pool
    return found


def choose(state: State, setup: CampaignSetup, number: str, rules: tuple[IdentityRule, ...], now_s: float) -> Shown:
    """Numbers that no rule of the law lets us show are passed over as long as there are others."""
    pool = pool_for(setup, number)
    if pool is None:
        return Shown()
    allowed = [ours for ours in pool.numbers if all(fits(rule, ours) for rule in rules)] or list(pool.numbers)
    free, waits = [], []
    for ours in allowed:
        used = state.identities.get((setup.tenant, ours))
        today = used.today if used is not None and now_s < used.day_ends_s else 0
        if used is not None and used.rest_until_s > now_s:
            waits.append((used.rest_until_s, ours))
        elif used is not None and pool.daily and today >= pool.daily:
            waits.append((used.day_ends_s, ours))
        else:
            free.append((today, used.streak if used is not None else 0, ours))
    if free:
        return Shown(min(free)[-1])
    return Shown("", f"the caller ids of {pool.name} are used up or rest", *min(waits))


def used(turn: Turn, setup: CampaignSetup, number: str, shown: str) -> None:
    """One more call shows it."""
    pool = pool_for(setup, number)
    if not shown or pool is None:
        return
    identity = turn.identity(setup.tenant, shown)
    if turn.now_s >= identity.day_ends_s:
        days = turn.state.setup.days
        identity.today = 0
        identity.day_ends_s = days.ends_at(turn.now_s) if days is not None else (turn.now_s // DAY_S + 1) * DAY_S
    if identity.rest_until_s and identity.rest_until_s <= turn.now_s:
        identity.rest_until_s, identity.streak = 0.0, 0
    identity.today += 1
    identity.streak += 1
    if pool.rest_after and identity.streak >= pool.rest_after:
        identity.rest_until_s = turn.now_s + pool.rest_s


def fits(rule: IdentityRule, ours: str) -> bool:
    """Whether this rule lets us show a number."""
    if rule.no_mobile and is_mobile(ours):
        return False
    return not rule.prefixes or ours.startswith(rule.prefixes)
