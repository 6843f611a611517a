"""`python -m speech`: render, ship, listen and look, without an engine.

    python -m speech voices                                   what speaks and hears on this machine
    python -m speech say "Buenas tardes" -l es -o hola.wav    one text as a wav
    python -m speech prepare prompts.json                     render prompts into the user's cache
    python -m speech ship < prompts.json                      make flows/sounds/rendered hold exactly these
    python -m speech hear call.wav -l es                      what a recording says

Prompts are a JSON list of {"text": …, "language": …}. Exit codes: 0 done, 1 something could not be said, 2 bad input.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from speech.assembly import VOICES, make_speakers, open_renderer
from speech.audio import read_audio, wav_bytes, write_whole
from speech.errors import SpeechError
from speech.hearing import heard
from speech.ports import Voice
from speech.prepare import Line, OnProgress, Prepared
from speech.ship import ship as ship_lines
from speech.speaker import Speaker
from speech.voices import NAMES, make_voice

_out, _err = Console(), Console(stderr=True)
app = typer.Typer(add_completion=False, no_args_is_help=True, help="Voices and recognisers, without an engine.")

LanguageOption = Annotated[str, typer.Option("--language", "-l", help="A tag such as es, es-AR or en-GB.")]
VoiceOption = Annotated[list[str] | None, typer.Option("--voice", help="In preference order; may be given again.")]
JobsOption = Annotated[int, typer.Option(min=1, max=8, help="Voices at work at the same time (0.6 GB each).")]


def _fail(problem: object, code: int = 2) -> typer.Exit:
    _err.print(f"speech: {problem}", style="red", highlight=False)
    return typer.Exit(code)


def read_lines(content: str, source: str) -> list[Line]:
    """The prompts of a JSON list. Raises `ValueError` that names the entry which is wrong."""
    try:
        entries: Any = json.loads(content)
    except ValueError as problem:
        raise ValueError(f"{source} is not JSON ({problem}): give a list of {{'text': …, 'language': …}}") from None
    if not isinstance(entries, list):
        raise ValueError(f"{source}: give a list of {{'text': …, 'language': …}}")
    lines = []
    for number, entry in enumerate(entries, 1):
        if not isinstance(entry, dict) or not all(isinstance(entry.get(key), str) for key in ("text", "language")):
            raise ValueError(f"{source}: entry {number} needs a 'text' and a 'language', both strings")
        lines.append(Line(entry["text"], entry["language"]))
    return lines


def _progress_bar() -> tuple[Progress, OnProgress]:
    words = TextColumn("{task.fields[line]}")
    bar = Progress(BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), words, console=_err)
    task = bar.add_task("", line="")
    return bar, lambda now: bar.update(task, total=now.total, completed=now.done, line=now.line.text[:40])


def _report(prepared: Prepared) -> None:
    _out.print(f"{prepared.rendered} rendered, {prepared.ready} were ready, {len(prepared.failed)} failed")
    for line, problem in prepared.failed:
        _err.print(f"  {line.language} {line.text[:60]!r}: {problem}", highlight=False)
    if prepared.failed:
        raise typer.Exit(1)


@app.command()
def prepare(
    file: Annotated[Path | None, typer.Argument(help="A JSON list of prompts.")] = None,
    text: Annotated[list[str] | None, typer.Option(help="A prompt; may be given again.")] = None,
    language: LanguageOption = "es",
    voice: VoiceOption = None,
    jobs: JobsOption = 1,
    shipped: Annotated[Path | None, typer.Option(help="Where shipped prompts are.")] = None,
) -> None:
    """Render prompts, and the phrases for values in their languages, into the user's cache."""
    try:
        lines = read_lines(file.read_text(encoding="utf-8"), str(file)) if file else []
    except (OSError, ValueError) as problem:
        raise _fail(problem) from None
    lines += [Line(words, language) for words in text or ()]
    if not lines:
        raise _fail("nothing to render: give a file or --text")

    async def work() -> Prepared:
        voices = voice or VOICES
        renderer = open_renderer(shipped=shipped, voices=voices)
        more = [make_speakers(voices) for _ in range(jobs - 1)]
        bar, on_progress = _progress_bar()
        try:
            with bar:
                return await renderer.prepare(lines, on_progress, crews=more)
        finally:
            await renderer.close()
            await _close(more)

    _report(_run(work()))


@app.command()
def ship(
    directory: Annotated[Path, typer.Argument(help="What to fill.")] = Path("flows/sounds/rendered"),
    voice: VoiceOption = None,
    jobs: JobsOption = 1,
) -> None:
    """Make DIRECTORY hold exactly the prompts read from stdin, and the phrases for values in their languages."""
    try:
        lines = read_lines(sys.stdin.read(), "stdin")
    except ValueError as problem:
        raise _fail(problem) from None

    async def work() -> Prepared:
        lanes = [make_speakers(voice or VOICES) for _ in range(jobs)]
        bar, on_progress = _progress_bar()
        try:
            with bar:
                shipped = await ship_lines(lines, directory, lanes, on_progress)
        finally:
            await _close(lanes)
        _out.print(f"{directory}: {shipped.files} files, {shipped.size / 1e6:.1f} MB, {shipped.removed} removed")
        return shipped.prepared

    _report(_run(work()))


@app.command()
def say(
    text: str,
    language: LanguageOption = "es",
    output: Annotated[Path, typer.Option("--output", "-o", help="A wav file.")] = Path("speech.wav"),
    voice: VoiceOption = None,
) -> None:
    """Render one text as the renderer would for a caller, and keep it as a wav."""

    async def work() -> Path:
        renderer = open_renderer(voices=voice or VOICES)
        try:
            return await renderer.render(text, language)
        finally:
            await renderer.close()

    path = _run(work()).with_suffix(".ulaw")
    write_whole(output, wav_bytes(read_audio(path)))
    _out.print(f"{output} from {path}")


@app.command()
def hear(file: Path, language: LanguageOption = "es") -> None:
    """Write down what a recording says."""
    try:
        _out.print(heard(file, language))
    except (OSError, ValueError, SpeechError) as problem:
        raise _fail(problem) from None


@app.command()
def voices() -> None:
    """Which voices speak on this machine, and how fast."""
    table = Table("voice", "languages", "state", "ms per second of speech")
    for name in NAMES:
        if name == "fake":  # it hums, for tests
            continue
        made = make_voice(name)
        state, pace = _try(made)
        table.add_row(name, " ".join(made.languages), state, pace)
    _out.print(table)


def _try(voice: Voice) -> tuple[str, str]:
    try:
        voice.synthesise("uno", voice.languages[0])
        started_s = time.perf_counter()
        audio = voice.synthesise("Gracias por llamar. Para ventas, marque uno.", voice.languages[0])
        return "speaks", f"{(time.perf_counter() - started_s) * 1000 / audio.duration_s:.0f}"
    except SpeechError as problem:
        return str(problem), ""


async def _close(lanes: list[list[Speaker]]) -> None:
    for lane in lanes:
        await asyncio.gather(*(speaker.close() for speaker in lane))


def _run(work: Any) -> Any:
    try:
        return asyncio.run(work)
    except (ValueError, OSError) as problem:
        raise _fail(problem) from None
    except SpeechError as problem:
        raise _fail(problem, 1) from None


if __name__ == "__main__":
    app()
