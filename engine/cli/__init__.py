"""`centralita`: the command line. Exit codes: 0 done · 1 something is wrong with what was asked about ·
2 the command line itself is wrong · 3 nothing runs here · 4 it runs already · 5 it could not start."""

from __future__ import annotations

from engine.cli.app import main

__all__ = ["main"]
