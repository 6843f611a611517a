"""The benchmark beside a dialplan: whose CPU is counted as what, and who goes before whom on the machine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench import ivr, precedence
from bench.callers import Heard

CALL = {
    "answered_s": 1.0,
    "first_word_s": 1.07,
    "first_last_s": 2.0,
    "key_up_s": 2.0,
    "next_word_s": 2.09,
}


def results(failed: int = 0) -> list[ivr.Result]:
    found = []
    for side, engine_cpu_s in (("dialplan", 0.0), ("engine", 0.02)):
        result = ivr.Result(ivr.JUDGED_RATE, side)
        for _ in range(ivr.ROUNDS):
            heard = Heard(10, 10 - failed, failed, 0, [CALL] * (10 - failed), 0.0, 0.0, "")
            result.add(heard, asterisk_cpu_s=0.1, engine_cpu_s=engine_cpu_s, beside_cpu_s=0.05)
        found.append(result)
    return found


def test_the_total_is_asterisk_and_engine_and_what_runs_beside_is_told_apart() -> None:
    told = json.loads(ivr.as_json(results()))
    assert ivr.ratio(results(), ivr.JUDGED_RATE)[0] == pytest.approx(1.2)
    assert [row["beside_cpu_s"] for row in told["results"]] == [[0.05, 0.05]] * 2


def test_a_call_that_failed_is_a_goal_missed() -> None:
    reached, missed = dict(ivr.verdicts(results())), dict(ivr.verdicts(results(failed=1)))
    assert reached["0 of 20 calls failed (none may)"]
    assert not missed["2 of 20 calls failed (none may)"]


def test_precedence_is_taken_for_every_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precedence, "PROC", tmp_path)
    for pid in (11, 12):
        (tmp_path / str(pid)).mkdir()
        (tmp_path / str(pid) / "autogroup").write_text("/autogroup-7 nice 0\n")
    precedence.take_all([11, None, 12])
    assert {(tmp_path / str(pid) / "autogroup").read_text() for pid in (11, 12)} == {"-10"}


def test_who_may_not_take_it_is_told_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precedence, "PROC", tmp_path)
    with pytest.raises(precedence.NotAllowed, match="kernel"):
        precedence.take(13)

    def refused(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "write_text", refused)
    with pytest.raises(precedence.NotAllowed, match="sudo"):
        precedence.take(13)
