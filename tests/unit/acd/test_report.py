"""How many callers were attended in time."""

from __future__ import annotations

from acd.report import attended, total
from core.decisions import StayEnded


def end(interaction_id: str, how: str, waited_s: float, queue: str = "sales") -> StayEnded:
    return StayEnded(interaction_id, f"{interaction_id}.{queue}", "main", queue, how, waited_s)


def test_answered_in_time_of_all_who_came() -> None:
    ends = [end("1", "answered", 10), end("2", "answered", 180), end("3", "answered", 181), end("4", "abandoned", 20)]
    (row,) = attended([*ends, end("5", "short_abandoned", 2)], 180).values()
    assert (row.received, row.answered, row.in_time, row.percent) == (5, 3, 2, 40.0)
    assert row.mean_wait_s == (10 + 180 + 181) / 3


def test_who_came_while_it_was_closed_is_not_counted() -> None:
    (row,) = attended([end("1", "closed", 0), end("2", "answered", 1)], 180).values()
    assert (row.received, row.percent) == (1, 100.0)
    (row,) = attended([end("1", "closed", 0)], 180).values()
    assert (row.received, row.percent, row.mean_wait_s) == (0, None, None)


def test_an_overflow_goes_on_where_it_was_answered_and_counts_where_it_came() -> None:
    rows = attended([end("1", "overflowed", 60), end("1", "answered", 100, "support")], 180)
    assert set(rows) == {("main", "sales")}
    assert (rows["main", "sales"].received, rows["main", "sales"].in_time) == (1, 1)
    (row,) = attended([end("1", "overflowed", 60)], 180).values()
    assert (row.received, row.answered) == (1, 0)


def test_a_second_wait_of_the_same_call_is_no_second_call() -> None:
    rows = attended([end("1", "answered", 10), end("1", "abandoned", 500, "support")], 180)
    assert total(rows.values()).received == 1
    assert total(rows.values()).percent == 100.0


def test_callers_who_kept_their_places_are_told_apart() -> None:
    away = [
        StayEnded(name, name, "main", "sales", "answered", 400, virtual=True, virtual_s=seconds)
        for name, seconds in (("1", 300.0), ("2", 100.0))
    ]
    (row,) = attended([*away, end("3", "answered", 10)], 180).values()
    assert (row.answered, row.in_time, row.virtual, row.mean_virtual_s) == (3, 1, 2, 200.0)
    assert total([row]).mean_virtual_s == 200.0
    assert total([]).mean_virtual_s is None


def test_nobody_called() -> None:
    assert attended([], 180) == {}
    assert total([]).percent is None
