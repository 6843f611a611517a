"""Texts being spoken in advance, shown: as a bar in a terminal, as a line for each step where nobody watches."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from engine.cli.common import counted

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

_DOING = {"checking": "checking the files", "speaking": "speaking new texts", "taking over": "taking them over"}


class PromptBar:
    """`show` takes the engine's status again and again; None when it did not answer."""

    def __init__(self, console: Console, transient: bool = False) -> None:
        self._console = console
        self._transient = transient
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._said = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def show(self, status: Mapping[str, Any] | None) -> None:
        """`doing`, and of `prompts` how many of how many, and about how long the rest takes."""
        if status is None:
            return
        told = status.get("prompts") or {"done": 0, "total": 0, "remaining_s": 0.0}
        doing = _DOING.get(status.get("doing", ""), "") or (_DOING["speaking"] if told["total"] else "")
        if not doing:
            return
        if self._console.is_terminal:
            self._draw(doing, told)
        else:
            line = f"{doing} ({counted(told['total'], 'text')})" if told["total"] else doing
            if line != self._said:
                self._console.print(line, soft_wrap=True)
            self._said = line

    def done(self) -> None:
        """All that was to be spoken has been."""
        if self._bar is not None and self._task is not None:
            total = self._bar.tasks[0].total
            self._bar.update(self._task, completed=total or 1, total=total or 1, left="")

    def _draw(self, doing: str, told: Mapping[str, Any]) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        if self._bar is None or self._task is None:
            words, left = TextColumn("{task.description}"), TextColumn("{task.fields[left]}")
            self._bar = Progress(
                words, BarColumn(), MofNCompleteColumn(), left, console=self._console, transient=self._transient
            )
            self._task = self._bar.add_task(doing, total=None, left="")
            self._bar.start()
        minutes, seconds = divmod(round(told["remaining_s"]), 60)
        said = " ".join([f"{minutes} min"] * bool(minutes) + [f"{seconds} s left"]) if minutes or seconds else ""
        total = told["total"] or None
        self._bar.update(self._task, description=doing, completed=told["done"], total=total, left=said)
