"""`centralita status`: recordings that are not where they belong are told, and nothing where all are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from core.events import RecordingFailed
from engine.cli import status as command
from engine.cli.app import app
from engine.lost_recordings import LostRecordings
from engine.metrics import Metrics

SEEN: dict[str, Any] = {
    "ready": True,
    "nodes": {"local": True},
    "site": "acme",
    "release": "r1",
    "journal": {"last_seq": 7, "durable_seq": 7},
    "node": {},
    "floor": {"agents": {}, "waiting": 0},
    "problems": [],
    "interactions": [],
}


def told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *words: str, lost: int = 0, in_spool: int = 0) -> str:
    body = {**SEEN, "recordings": {"lost": lost, "in_spool": in_spool}}
    (tmp_path / "config").mkdir(exist_ok=True)
    monkeypatch.setattr(command, "ask", lambda home, method, path: body)
    found = CliRunner(env={"COLUMNS": "200"}).invoke(app, ["status", "--project", str(tmp_path), *words])
    assert found.exit_code == 0, found.output
    return found.stdout


def test_recordings_that_are_lost_or_wait_are_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert "recordings" not in told(monkeypatch, tmp_path)
    said = told(monkeypatch, tmp_path, lost=2, in_spool=3)
    assert "recordings: 2 lost since the engine started · 3 in Asterisk's spool, not filed" in said
    assert "lost" not in told(monkeypatch, tmp_path, in_spool=1)
    assert json.loads(told(monkeypatch, tmp_path, "--json", lost=1))["recordings"] == {"lost": 1, "in_spool": 0}


def test_a_recording_is_lost_once() -> None:
    lost = LostRecordings(Metrics())
    for _ in range(2):
        lost.hear(RecordingFailed("leg", "i1.r1", "no room"))
    assert lost.count == 1
