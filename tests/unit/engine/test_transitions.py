"""The log of transitions: one line each, gathered, rotated, never in the way."""

import asyncio

from core.table import Transition
from engine import transitions
from engine.transitions import TransitionLog

MOVE = Transition("leg", "c1", "ringing", "up", "up")


async def test_lines_are_written_a_moment_later_with_their_time(tmp_path):
    log = TransitionLog(tmp_path / "t.log")
    log.write(MOVE, 1_767_225_600.25)
    assert not (tmp_path / "t.log").exists()
    async with asyncio.timeout(30):
        while not (tmp_path / "t.log").exists():
            await asyncio.sleep(0.02)
    assert (tmp_path / "t.log").read_text() == "2026-01-01T00:00:00.250Z leg c1 ringing -> up (up)\n"


async def test_a_full_file_makes_room(tmp_path, monkeypatch):
    monkeypatch.setattr(transitions, "_MOST_BYTES", 100)
    log = TransitionLog(tmp_path / "t.log")
    for _ in range(20):
        log.write(MOVE, 0.0)
        log.write(MOVE, 0.0)
        log.flush()
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["t.log.1", "t.log.2", "t.log.3", "t.log.4", "t.log.5"]


async def test_a_disk_that_refuses_costs_lines_only(tmp_path):
    log = TransitionLog(tmp_path / "nowhere" / "t.log")
    log.write(MOVE, 0.0)
    log.flush()
