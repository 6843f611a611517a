"""`centralita watch`: queues, agents and who waits, as they change."""

from __future__ import annotations

import contextlib
import json as jsons
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import httpx
import typer

from engine.cli.client import ask, stream
from engine.cli.common import JsonOption, ProjectOption, err, home_of, out, print_json

if TYPE_CHECKING:
    from desk.live.board import Board
    from engine.home import Home

_REFRESH_S = 0.5
_AGAIN_S = 1.0

TenantOption = Annotated[str, typer.Option(help="Only this tenant.", show_default=False)]


def register(app: typer.Typer) -> None:
    app.command("watch")(watch)


def watch(
    project: ProjectOption = None,
    once: Annotated[bool, typer.Option("--once", help="Print the board as it is now, and end.")] = False,
    tenant: TenantOption = "",
    json: JsonOption = False,
) -> None:
    """The live board: queues, agents and who waits. Ctrl-C ends it; an engine that starts again is waited for.

    With --json each line is one change ({seq, kind, id, tenant, value}) after a first line with everything.
    """
    home = home_of(project)
    snapshot = ask(home, "GET", "/acd/snapshot")
    with contextlib.suppress(KeyboardInterrupt):
        if json:
            _print_lines(home, snapshot, once)
        elif once:
            out.print(_drawn(_board(snapshot), tenant, float(snapshot["now_s"])))
        else:
            _follow(home, snapshot, tenant)


def _print_lines(home: Home, snapshot: dict[str, Any], once: bool) -> None:
    if once:
        print_json(snapshot)
        return
    typer.echo(jsons.dumps(snapshot, ensure_ascii=False))
    for line in _changes(home, snapshot["epoch"], snapshot["seq"]):
        if "ping" not in line:
            typer.echo(jsons.dumps(line, ensure_ascii=False))


def _follow(home: Home, snapshot: dict[str, Any], tenant: str) -> None:
    import threading

    from rich.live import Live

    board, lock, ahead_s = _board(snapshot), threading.Lock(), [float(snapshot["now_s"]) - time.time()]

    def listen() -> None:
        """Keeps the board up to date; after a silence or an engine's restart it begins anew."""
        while True:
            for line in _changes(home, board.epoch, board.seq):
                with lock:
                    if "ping" in line:
                        ahead_s[0] = float(line["ping"]) - time.time()
                    elif "seq" in line:
                        board.apply(line)
            time.sleep(_AGAIN_S)
            with contextlib.suppress(httpx.HTTPError, OSError, ValueError, KeyError):
                fresh = _snapshot(home)
                with lock:
                    board.reset(fresh)
                    ahead_s[0] = float(fresh["now_s"]) - time.time()

    threading.Thread(target=listen, daemon=True, name="board").start()
    with Live(console=out, screen=out.is_terminal, auto_refresh=False) as live:
        while True:
            with lock:
                live.update(_drawn(board, tenant, time.time() + ahead_s[0]), refresh=True)
            time.sleep(_REFRESH_S)


def _snapshot(home: Home) -> dict[str, Any]:
    transport = httpx.HTTPTransport(uds=str(home.control_socket))
    with httpx.Client(transport=transport, base_url="http://engine", timeout=5.0) as client:
        body: dict[str, Any] = client.get("/acd/snapshot").json()
        return body


def _changes(home: Home, epoch: str, after: int) -> Iterator[dict[str, Any]]:
    """Until the engine is gone or wants us to begin anew."""
    try:
        for line in stream(home, f"/acd/events?epoch={epoch}&after={after}"):
            body = jsons.loads(line)
            if body.get("reset"):
                return
            yield body
    except (httpx.HTTPError, OSError, ValueError):
        return


def _board(snapshot: dict[str, Any]) -> Board:
    from desk.live.board import Board

    board = Board()
    board.reset(snapshot)
    return board


def _drawn(board: Board, tenant: str, now_s: float) -> Any:
    from engine.cli.board_view import board as drawn

    of = tenant or None
    if not board.agents(of) and not board.queues(of):
        err.print("no agents and no queues are configured: see config/agents.yaml and config/queues/")
    return drawn(board.people(of), board.queues(of), board.stays(of), now_s)
