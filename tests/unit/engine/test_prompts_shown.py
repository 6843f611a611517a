"""Texts that are spoken in advance take their time: how far they are is told, at the start and at a reload."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

from core.media import Speech
from engine.cli import service
from engine.cli.app import app
from engine.cli.prompts import PromptBar
from engine.home import Home
from engine.speech import PromptRenderer
from speech.prepare import Line, Prepared, Progress, prepare

SPEAKING = {"doing": "speaking", "prompts": {"done": 3, "total": 12, "remaining_s": 80.4}}


class Voices:
    """Says one text each time it is let."""

    def __init__(self) -> None:
        self.let, self.told = asyncio.Semaphore(0), asyncio.Event()

    async def prepare(self, lines: list[Line], on_progress: Callable[[Progress], None]) -> Prepared:
        on_progress(Progress(0, len(lines), lines[0], 0.0))
        self.told.set()
        for number, line in enumerate(lines, 1):
            await self.let.acquire()
            on_progress(Progress(number, len(lines), line, 2.0 * (len(lines) - number)))
            self.told.set()
        return Prepared(rendered=len(lines))

    def ready(self, text: str, language: str) -> None:
        return None


async def test_the_engine_knows_how_far_its_voices_are(tmp_path: Path) -> None:
    voices = Voices()
    renderer = PromptRenderer(voices, tmp_path)  # type: ignore[arg-type]
    assert renderer.progress() == {"done": 0, "total": 0, "remaining_s": 0.0}, "it has yet to look"
    work = asyncio.create_task(renderer.prepare([Speech("one", "en"), Speech("two", "en")]))
    for done in (0, 1):
        await asyncio.wait_for(voices.told.wait(), 20)
        voices.told.clear()
        assert renderer.progress() == {"done": done, "total": 2, "remaining_s": 2.0 * done}
        voices.let.release()
    await work
    assert renderer.progress() is None


async def test_who_reloads_while_a_start_still_speaks_sees_her_own_texts(tmp_path: Path) -> None:
    first, second = Voices(), Voices()
    renderer = PromptRenderer(first, tmp_path)  # type: ignore[arg-type]
    start = asyncio.create_task(renderer.prepare([Speech(str(number), "en") for number in range(9)]))
    await asyncio.wait_for(first.told.wait(), 20)
    renderer._renderer = second  # type: ignore[assignment]
    reload = asyncio.create_task(renderer.prepare([Speech("one", "en"), Speech("two", "en")]))
    await asyncio.wait_for(second.told.wait(), 20)
    for voices in (first, second, first):
        voices.told.clear()
        voices.let.release()
        await asyncio.wait_for(voices.told.wait(), 20)
        assert (renderer.progress() or {})["total"] == 2
    second.let.release()
    await reload
    assert (renderer.progress() or {})["total"] == 9
    for _ in range(9):
        first.let.release()
    await start
    assert renderer.progress() is None


async def test_how_many_there_are_is_said_before_the_first_is_spoken(tmp_path: Path) -> None:
    from speech.cache import PromptCache
    from speech.speaker import InlineSpeaker
    from speech.voices.fake import FakeVoice

    told: list[tuple[int, int]] = []
    lanes = [[InlineSpeaker(FakeVoice())]]
    lines = [Line("one", "en"), Line("two", "en")]
    cache = PromptCache(tmp_path)
    await prepare(lines, lanes, cache, on_progress=lambda now: told.append((now.done, now.total)))
    assert told == [(0, 2), (1, 2), (2, 2)]
    await prepare(lines, lanes, cache, on_progress=lambda now: told.append((now.done, now.total)))
    assert len(told) == 3, "all were there"


def shown(terminal: bool, *statuses: dict[str, Any] | None) -> str:
    console = Console(file=io.StringIO(), force_terminal=terminal, width=100)
    with PromptBar(console) as bar:
        for status in statuses:
            bar.show(status)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_terminal_has_a_bar() -> None:
    text = shown(True, {"doing": "checking", "prompts": None}, SPEAKING)
    assert "speaking new texts" in text
    assert "3/12" in text
    assert "1 min 20 s left" in text


def test_elsewhere_each_step_is_one_line() -> None:
    checking = {"doing": "checking", "prompts": None}
    text = shown(False, None, checking, checking, SPEAKING, SPEAKING, {"doing": "taking over", "prompts": None})
    assert text.splitlines() == ["checking the files", "speaking new texts (12 texts)", "taking them over"]


def test_nothing_is_shown_when_there_is_nothing_to_speak() -> None:
    for terminal in (True, False):
        assert shown(terminal, {"doing": "", "prompts": {"done": 0, "total": 0, "remaining_s": 0.0}}) == ""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "config").mkdir()
    (tmp_path / "config/site.yaml").write_text("site: t\n")
    return tmp_path


class Reload:
    """An engine whose reload ends once somebody has asked how far it is."""

    def __init__(self) -> None:
        self.asked = threading.Event()

    def ask(self, home: Home, method: str, path: str, timeout_s: float = 30.0) -> dict[str, Any]:
        assert self.asked.wait(30)
        return {"reloaded": True, "release": "r2", "problems": []}

    def if_running(self, home: Home, path: str) -> dict[str, Any]:
        self.asked.set()
        return SPEAKING


def test_a_reload_says_what_it_is_at(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Reload()
    monkeypatch.setattr(service, "ask", engine.ask)
    monkeypatch.setattr(service, "if_running", engine.if_running)
    done = CliRunner().invoke(app, ["reload", "--project", str(project)])
    assert done.exit_code == 0, done.output
    assert "speaking new texts (12 texts)" in done.stderr
    assert "r2" in done.stdout


def test_for_scripts_it_says_nothing_but_its_answer(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "ask", lambda *args, **more: {"reloaded": True, "release": "r2", "problems": []})
    done = CliRunner().invoke(app, ["reload", "--json", "--project", str(project)])
    assert json.loads(done.stdout)["release"] == "r2"
    assert done.stderr == ""


def test_a_reload_that_nobody_answers_fails_as_it_did(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(*args: Any, **more: Any) -> dict[str, Any]:
        raise typer.Exit(3)

    monkeypatch.setattr(service, "ask", nobody)
    assert CliRunner().invoke(app, ["reload", "--project", str(project)]).exit_code == 3


async def test_a_start_shows_them_until_all_are_spoken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [SPEAKING, {**SPEAKING, "prompts": {"done": 12, "total": 12, "remaining_s": 0.0}}, {"prompts": None}]

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError):
            while (await reader.readuntil(b"\r\n\r\n")).startswith(b"GET /status"):
                body = json.dumps(answers.pop(0)).encode()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    console = Console(file=io.StringIO(), force_terminal=True, width=100)
    monkeypatch.setattr(service, "out", console)
    monkeypatch.setattr(service, "_LOOK_EVERY_S", 0.01)
    socket = tmp_path / "engine.sock"
    server = await asyncio.start_unix_server(answer, str(socket))
    try:
        await asyncio.wait_for(service._tell_of_prompts(SimpleNamespace(control_socket=socket)), 30)  # type: ignore[arg-type]
    finally:
        server.close()
    assert not answers
    assert isinstance(console.file, io.StringIO)
    assert "12/12" in console.file.getvalue()
