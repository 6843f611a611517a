"""Whatever happens, who follows the board's changes sees what a fresh look would show."""

from __future__ import annotations

import contextlib
import json
from types import SimpleNamespace
from typing import Any

from hypothesis import given

from acd.setup import Setup
from core.errors import EventRefused
from desk.live.board import Board
from engine.acd_feed import Feed
from engine.routing_views import Views
from tests.unit.acd.shift import Shift
from tests.unit.acd.test_acd_properties import happen, happenings, many, setups
from tests.virtual_time import run

_BY_THE_MOMENT = ("longest_wait_s", "ewt_s", "ewt_low_s", "ewt_high_s", "breaks_at_s", "breaks_due_s", "position")
"""What time alone changes: ages are drawn from the moment they count from, estimates are those of when they were told,
and who becomes urgent overtakes others without an event (acd/order.py)."""


class Followed:
    """A shift with the feed of its engine, and one who follows it from the beginning."""

    def __init__(self, made: Setup) -> None:
        self.shift = Shift(made)
        self.views = Views(SimpleNamespace(router=self.shift.router), {})  # type: ignore[arg-type]
        self.feed = Feed("e1", self.views.view, self.now_s, self.views.queues_of, self.views.places_in)
        self.board = Board()
        self.board.reset(self.snapshot())
        self.told = len(self.shift.log)

    def now_s(self) -> float:
        return self.shift.now_s

    def snapshot(self) -> dict[str, Any]:
        shown: dict[str, Any] = self.views.board(self.now_s())
        stays = [(("stay", stay["stay_id"]), stay["tenant"]) for stay in shown["stays"]]
        seq = self.feed.begin(stays)
        return json.loads(json.dumps({"epoch": "e1", "seq": seq, "now_s": self.now_s(), **shown}))  # type: ignore[no-any-return]

    def hears(self) -> None:
        """Everything that was decided since, a moment later."""
        for outcome in self.shift.log[self.told :]:
            self.feed.changed(outcome.changed)
        self.told = len(self.shift.log)
        self.feed.publish()
        self.feed._tell_others()
        for seq, line in self.feed._held:
            if seq > self.board.seq:
                self.board.apply(json.loads(line))

    def check(self) -> None:
        fresh = Board()
        fresh.reset(self.snapshot())
        for kind in ("agent", "queue", "stay"):
            seen, there = _timeless(self.board.things[kind]), _timeless(fresh.things[kind])
            assert seen.keys() == there.keys()
            wrong = [
                (kind, key, name, seen[key].get(name), value)
                for key, thing in there.items()
                for name, value in thing.items()
                if seen[key].get(name) != value
            ]
            assert wrong == []


def _timeless(things: dict[Any, Any]) -> dict[Any, Any]:
    return {
        key: {name: value for name, value in thing.items() if name not in _BY_THE_MOMENT}
        for key, thing in things.items()
    }


@many
@given(setups(), happenings, setups(), happenings)
def test_who_follows_sees_what_a_fresh_look_would_show(
    made: Setup,
    before: list[tuple[int, int, int, float]],
    then: Setup,
    after: list[tuple[int, int, int, float]],
) -> None:
    async def main() -> None:
        followed = Followed(made)
        shift = followed.shift
        for day in (before, after):
            for what, one, two, after_s in day:
                shift.passes(after_s)
                with contextlib.suppress(EventRefused):
                    happen(shift, what, one, two)
                followed.hears()
                followed.check()
            shift.heed(shift.router.change_setup(then, shift.now_s))
            followed.hears()
            followed.check()
        followed.feed.close()

    run(main())
