"""What a command says of an engine that does not answer."""

from __future__ import annotations

import threading
from socketserver import StreamRequestHandler, UnixStreamServer
from types import SimpleNamespace

import pytest
import typer

from engine.cli.client import ask
from engine.cli.common import NOT_RUNNING


def test_one_that_is_still_at_work_is_not_said_to_be_missing(tmp_path, capsys):
    done = threading.Event()

    class Slow(StreamRequestHandler):
        def handle(self):
            done.wait(20)

    home = SimpleNamespace(control_socket=tmp_path / "socket", state=tmp_path)
    with UnixStreamServer(str(home.control_socket), Slow) as server:
        serving = threading.Thread(target=server.handle_request)
        serving.start()
        with pytest.raises(typer.Exit) as left:
            ask(home, "POST", "/reload", timeout_s=0.2)
        done.set()
        serving.join()
    assert left.value.exit_code == 1
    assert "still at it after 0.2 s" in " ".join(capsys.readouterr().err.split())


def test_one_that_is_not_there(tmp_path, capsys):
    home = SimpleNamespace(control_socket=tmp_path / "socket", state=tmp_path)
    with pytest.raises(typer.Exit) as left:
        ask(home, "GET", "/status")
    assert left.value.exit_code == NOT_RUNNING
    assert "no engine answers" in " ".join(capsys.readouterr().err.split())
