"""`centralita campaign compare CAMPAIGN --by script`: a test of scripts, and in plain words what it says by now."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from engine.cli.common import fail, out, print_json

if TYPE_CHECKING:
    from dialer.compare_scripts import Arm, Compared
    from dialer.setup import CampaignSetup, ScriptTest
    from engine.home import Home

HOLDS = (
    "Look as often as you like, and stop when you like: the ranges hold at all looks together (95 %, all scripts "
    "together; asymptotic confidence sequence, Waudby-Smith et al., 2024). They do not cover a goal chosen after a "
    "look, lists or days picked out, texts or shares changed under the same name, or agents who say something else. "
    "Who is still to be called back counts as not reached yet."
)
_BETTER = (0.2, 0.5, 1.0)
"""By how much, of the goal's share or of the rest, whichever is smaller."""
_NO_PICKING = (
    "a test counts from its beginning, or it would say what one picks out: leave out --since. A new test is another "
    "name under `script_test`"
)


def compare_scripts(home: Home, tenant: str, campaign: str, since: str, json: bool) -> None:
    """Ends the command when the campaign tests nothing, or nobody has been dialed for it."""
    from core.errors import StoreUnavailable
    from engine.cli.campaign_results import setup_of

    if since:
        fail(_NO_PICKING, 2)
    setup, _ = setup_of(home, tenant, campaign)
    if setup.script_test is None:
        fail(f"campaign {campaign} tests no scripts: write `script_test` in config/campaigns/{campaign}.yaml")
    try:
        found = asyncio.run(_compared(home, setup, setup.script_test))
    except StoreUnavailable as failure:
        fail(str(failure))
    if not any(arm.dialed for arm in found.arms) and not found.gone:
        fail(f"campaign {campaign} has dialed nobody for its test '{found.test}'")
    said = list(conclusion(found))
    if json:
        arms = [asdict(arm) | {"rate": arm.rate, "differs": found.sound and arm.differs} for arm in found.arms]
        print_json(asdict(found) | {"arms": arms, "sound": found.sound, "said": said, "holds": HOLDS})
        return
    out.print(table(found, setup.script_test))
    for sentence in said:
        out.print(Text(sentence, style="" if found.sound else "yellow"))
    out.print(Text(HOLDS, style="dim"))


def table(found: Compared, test: ScriptTest) -> Table:
    """One line a script."""
    goal = ", ".join(test.goal) or f"{test.talk_s:g} s of talk"
    shown = Table(title=f"Scripts of the test '{found.test}' (goal: {goal})")
    shown.add_column("script")
    more = f"more than {found.arms[0].script}, in points"
    for name in ("of the leads", "leads dialed", "talked with", "goal", "share", more):
        shown.add_column(name, justify="right")
    shares = sum(arm.share for arm in found.arms)
    for arm in found.arms:
        range_ = (
            "–" if arm.more is None else f"{_points(arm.more)} ({_points(arm.more_least)} to {_points(arm.more_most)})"
        )
        counts = (f"{arm.dialed:,}", f"{arm.met:,}", f"{arm.goal:,}", f"{arm.rate:.1%}" if arm.met else "–")
        shown.add_row(arm.script, f"{arm.share / shares:.0%}", *counts, range_)
    return shown


def conclusion(found: Compared) -> Iterator[str]:
    """Sentences: first whether the split is to be trusted, then what each script has shown."""
    if found.mismatch:
        yield (
            f"Do not believe a difference: the leads were not split as written ({_split(found)}; chance alone does so "
            "in less than one test of a thousand). Shares or scripts changed under the same name, or something keeps "
            "one script's leads from being dialed or talked with. Mend that, and begin a test of another name."
        )
    elif found.p_dialed is not None:
        yield f"The leads were split as written, as far as chance lets one tell (p = {found.p_dialed:.2f})."
    else:
        yield "Too few leads were dialed to tell whether they were split as written."
    if found.gone:
        yield (
            f"{found.gone:,} leads were drawn for scripts that are not written any more: what is left is not what lots "
            "made. Begin a test of another name."
        )
    if found.crossed:
        yield f"{found.crossed:,} leads heard another script later; they count for their first."
    if found.unfinished:
        yield f"{found.unfinished:,} conversations whose end nobody has told yet are left out."
    if found.sound:
        yield from (_said(found.arms[0], arm) for arm in found.arms[1:])
        if not all(arm.differs for arm in found.arms[1:]):
            yield _needed(found)


def _said(first: Arm, arm: Arm) -> str:
    from dialer.compare_scripts import LEAST

    if arm.more is None:
        return (
            f"{arm.script}: too early to say. It takes {LEAST} people with the goal and {LEAST} without it who heard "
            f"{first.script}, and as many who heard {arm.script}."
        )
    if arm.differs:
        low, high = sorted((abs(arm.more_least), abs(arm.more_most)))
        way = "more" if arm.more > 0 else "less"
        return (
            f"{arm.script} leads to the goal {way} often than {first.script}: by {low * 100:.1f} to {high * 100:.1f} "
            "people of a hundred who hear it. The test may end here."
        )
    worse, better = -arm.more_least * 100, arm.more_most * 100
    return (
        f"{arm.script}: no difference seen yet. It may be as much as {worse:.1f} points worse than {first.script}, or "
        f"{better:.1f} better. Go on, or end the test if that is close enough."
    )


def _needed(found: Compared) -> str:
    """How large this test has to be, with this campaign's own share of the goal."""
    from dialer.compare_scripts import ALPHA, LEAST, people_needed

    first, others = found.arms[0], found.arms[1:]
    met, goal = sum(arm.met for arm in found.arms), sum(arm.goal for arm in found.arms)
    if min(goal, met - goal) < LEAST:
        return (
            f"How large the test has to be can be said once {LEAST} people reached the goal and {LEAST} did not; by "
            f"now {goal:,} of {met:,} did."
        )
    enough = min(first.goal, first.met - first.goal) >= LEAST
    rate, whose = (first.rate, first.script) if enough else (goal / met, "the scripts")
    least = min(others, key=lambda arm: arm.share)
    sizes = []
    for part in _BETTER:
        more = part * min(rate, 1 - rate)
        if rate + more < 0.99:
            half, most = people_needed(rate, more, (first.share, least.share), ALPHA / len(others))
            sizes.append(f"{rate + more:.1%} after some {half:,} people talked with (nine tests of ten: {most:,})")
    many = f", {first.script} and {least.script} together" if len(others) > 1 else ""
    return (
        f"How large the test has to be: with {whose} {rate:.1%} reach the goal. A script that leads to "
        f"{'; to '.join(sizes)}{many}. By now there are {(first.met + least.met):,}."
    )


def _split(found: Compared) -> str:
    shares, dialed, met = (sum(getattr(arm, of) for arm in found.arms) for of in ("share", "dialed", "met"))
    return "; ".join(
        f"{arm.script} {arm.share / shares:.0%}: {arm.dialed / max(1, dialed):.1%} of those dialed, "
        f"{arm.met / max(1, met):.1%} of those talked with"
        for arm in found.arms
    )


def _points(share: float) -> str:
    return f"{share * 100:+.1f}"


async def _compared(home: Home, setup: CampaignSetup, test: ScriptTest) -> Compared:
    from dialer.compare_scripts import Tally
    from engine.cli.campaign_results import database_of
    from store.sql.lead_exports import attempts_of

    database, tally = database_of(home), Tally(setup, test)
    try:
        async for attempt in attempts_of(database, setup.tenant, setup.campaign, "", 0.0):
            tally.add(attempt)
    finally:
        await database.close()
    return tally.compared()
