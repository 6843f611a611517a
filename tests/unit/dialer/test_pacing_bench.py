"""The bench's own world: the law is counted alike for all, and its days can be had again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.pacing.__main__ import main
from bench.pacing.methods import ENTRANTS, day
from bench.pacing.worlds import WORLDS


@pytest.mark.parametrize("entrant", [name for name, who in ENTRANTS.items() if not who.tuned])
def test_the_same_seed_gives_every_method_the_same_day_again(entrant: str):
    one, other = (day(entrant, "base", 4, 1, hours=0.5) for _ in range(2))
    assert one == other
    assert one.waits
    assert one.live - one.abandoned - len(one.waits) in (0, 1)  # one may still be waiting when the day ends
    assert 0.0 < one.occupancy <= 1.0


@pytest.mark.parametrize("world", WORLDS)
def test_every_world_can_be_lived_in(world: str):
    lived = day("predictive", world, 4, 2, hours=0.5)
    assert lived.dials > 0
    assert lived.abandoned <= lived.live


def test_one_line_for_each_agent_abandons_nobody_and_is_as_busy_as_arithmetic_says():
    lived = day("progressive", "base", 10, 1, hours=4.0)
    assert lived.abandoned == 0
    # 110 s of work, then 3 failures of 21.5 s and an answer in 12 s: 110 / 186.5
    assert lived.occupancy == pytest.approx(0.59, abs=0.025)


def test_a_flood_of_lines_abandons_most_answers():
    assert day("poisson_tuned", "base", 4, 1, hours=0.5, number=600.0).share > 0.5


def test_the_table_comes_as_text_json_and_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    rows, page = tmp_path / "rows.json", tmp_path / "page.html"
    asked = ["--agents=3", "--worlds=base", "--methods=progressive,f_idle_tuned", "--seeds=1", "--hours=0.1"]
    monkeypatch.setattr("sys.argv", ["pacing", *asked, "--json", str(rows), "--html", str(page)])
    main()
    assert "progressive" in capsys.readouterr().out
    assert [row["cell"]["entrant"] for row in json.loads(rows.read_text())] == ["progressive", "f_idle_tuned"]
    assert "<svg" in page.read_text()


def test_an_unknown_world_is_told_with_those_there_are(monkeypatch: pytest.MonkeyPatch, capsys):
    monkeypatch.setattr("sys.argv", ["pacing", "--worlds", "mars"])
    with pytest.raises(SystemExit):
        main()
    assert "there is no world mars: choose from base" in capsys.readouterr().err


def test_no_luck_at_the_end_of_a_day_breaks_the_cap():
    """Twenty seconds before it ends five lines ring for two agents, two are to spare, and all five are answered."""
    assert day("predictive", "drift", 5, 23, hours=8.0).share <= 0.03
