"""`centralita amd try`: what would have been told of a recording, and why, as a picture."""

from __future__ import annotations

import wave
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.common import JsonOption, fail, out, print_json

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from core.live_audio import Ear

app = typer.Typer(help="What answered: people, machines, fax, the network.", no_args_is_help=True)
_BAR = " ▁▂▃▄▅▆▇█"


@app.callback()
def amd() -> None:
    """What answered: people, machines, fax, the network."""


@app.command("try")
def attempt(
    file: Annotated[Path, typer.Argument(help="A WAV from the answer on: mono, or the left of two channels.")],
    limit_s: Annotated[float, typer.Option(min=1, max=30, help="No verdict comes later.")] = 6.0,
    until_beep: Annotated[bool, typer.Option("--until-beep", help="Wait for a machine's beep.")] = False,
    html: Annotated[Path | None, typer.Option(help="Write the picture as a page.", show_default=False)] = None,
    words: Annotated[
        str, typer.Option(metavar="LANGUAGE", help="es or en: recognise its words, too.", show_default=False)
    ] = "",
    json: JsonOption = False,
) -> None:
    """Play a recording to the detectors: the verdict over time, how sure of a person they became, and why."""
    import numpy as np

    from dialer.amd.picture import page
    from dialer.amd.trace import trace

    samples = _samples(file)
    found = trace(samples, limit_s, until_beep, _ear(words), words)
    if html is not None:
        try:
            html.write_text(page(file.name, found), encoding="utf-8")
        except OSError as failure:
            fail(f"{html} cannot be written: {failure.strerror}")
    if json:
        told = [
            {
                "at_s": round(at_s, 2),
                "label": v.label,
                "confidence": round(v.confidence, 3),
                "evidence": v.evidence,
                "final": v.final,
            }
            for at_s, v in found.verdicts
        ]
        sure = [None if np.isnan(each) else round(float(each), 3) for each in found.person[4::5]]
        seconds = round(len(samples) / 8000, 2)
        said = [{"at_s": round(at_s, 2), "phrase": phrase} for at_s, phrase in found.words]
        shown = {"file": file.name, "seconds": seconds, "verdicts": told, "person_each_100_ms": sure}
        print_json({**shown, "words": said} if words else shown)
        return
    width = min(100, out.width - 12)
    out.print(f"{'sound':>9}  {_bars(found.levels, width, -60, -10)}", markup=False)
    out.print(f"{'speech':>9}  {_marks(found.speech, width, '━')}", markup=False)
    out.print(f"{'tones':>9}  {_marks(found.tones, width, '♪')}", markup=False)
    out.print(f"{'person?':>9}  {_bars(np.nan_to_num(found.person), width, 0, 1)}", markup=False)
    end = f"{found.seconds:.1f} s"
    out.print(f"{'':>9}  0{end:>{width - 1}}", markup=False)
    for at_s, phrase in found.words:
        out.print(f"{at_s:5.2f} s  words: \u201c{phrase}\u201d", markup=False)
    for at_s, verdict in found.verdicts:
        text = f"{at_s:5.2f} s  {verdict.label} ({verdict.confidence:.0%}): {verdict.evidence}"
        out.print(text, markup=False, style="bold" if verdict.final else "")
    if html is not None:
        out.print(f"picture: {html}", markup=False)


def _ear(language: str) -> Ear | None:
    """For words in this language; none where nobody asked for words."""
    from dialer.amd.words import LANGUAGES

    if not language:
        return None
    if language.partition("-")[0].lower() not in LANGUAGES:
        fail(f"--words {language}: phrases are known in {', '.join(LANGUAGES)}: choose one of them", 2)
    from engine.ears import PatientEar, loaded
    from speech.errors import RecogniserUnavailable
    from speech.recognisers import make_recogniser

    try:
        return PatientEar(loaded(make_recogniser("whisper-short")))
    except RecogniserUnavailable as missing:
        fail(str(missing))


def _samples(file: Path) -> NDArray[np.int16]:
    """8 kHz, mono."""
    import numpy as np
    import soxr

    try:
        with wave.open(str(file), "rb") as sound:
            channels, width, rate = sound.getnchannels(), sound.getsampwidth(), sound.getframerate()
            raw = sound.readframes(min(sound.getnframes(), rate * 300))
    except (OSError, wave.Error, EOFError) as failure:
        fail(f"{file}: {getattr(failure, 'strerror', None) or failure}: give a WAV file, 16 bit", 2)
    if width != 2:
        fail(f"{file} has {8 * width} bits a sample: give 16", 2)
    left = np.frombuffer(raw, np.int16)[::channels]
    if rate == 8000:
        return left
    return np.asarray(soxr.resample(left, rate, 8000), dtype=np.int16)


def _bars(values: NDArray[np.float64], width: int, low: float, high: float) -> str:
    """The largest of each stretch, between `low` and `high`."""
    import numpy as np

    parts = np.array_split(values, min(width, max(1, len(values))))
    levels = [(float(np.max(part)) - low) / (high - low) if len(part) else 0.0 for part in parts]
    return "".join(_BAR[round(min(max(level, 0.0), 1.0) * (len(_BAR) - 1))] for level in levels)


def _marks(flags: NDArray[np.bool_], width: int, sign: str) -> str:
    import numpy as np

    parts = np.array_split(flags, min(width, max(1, len(flags))))
    return "".join(sign if len(part) and part.mean() >= 0.5 else " " for part in parts)
