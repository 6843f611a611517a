"""How fast voices speak, and how long a caller waits for words: `python bench/voices.py` (about a minute).

Two tables: every voice in a worker of its own (start, pace, memory), and `SpeechRenderer.render` by the way it took
(ready, joined from phrases, said by the fallback). Uses a cache of its own, and the shipped prompts for phrases.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from definitions.saying import say_money
from speech.assembly import make_speakers, open_renderer
from speech.audio import duration_s
from speech.client import WorkerSpeaker
from speech.errors import SpeechError
from speech.prepare import Line, prepare

SHIPPED = Path(__file__).parent.parent / "flows" / "sounds" / "rendered"
PROMPTS = {
    "short": "Un momento.",
    "sentence": "Su saldo es ciento veinte euros con cincuenta céntimos.",
    "menu": "Gracias por llamar. Para ventas, marque uno. Para soporte, marque dos. Para otras consultas, espere.",
}
NAMES = ("Echeverría", "Núñez", "Goikoetxea", "Zubizarreta", "Iribarren", "Ocampo", "Quiñones", "Villafañe")


def memory_mb(pid: int | None) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))) / 1024


async def pace(name: str, folder: Path) -> list[str]:
    (speaker,) = make_speakers([name])
    assert isinstance(speaker, WorkerSpeaker)
    try:
        started_s = time.perf_counter()
        await speaker.warm_up("es")
        start_s = time.perf_counter() - started_s
        cells = [name, f"{start_s:.2f} s"]
        for label, text in PROMPTS.items():
            file = folder / f"{name}-{label}.ulaw"
            tries = []
            for _ in range(3):
                started_s = time.perf_counter()
                await speaker.speak(text, "es", file)
                tries.append(time.perf_counter() - started_s)
            took_s = statistics.median(tries)
            cells.append(f"{took_s * 1000:.0f} ms ({took_s * 1000 / duration_s(file):.0f} ms/s)")
        return [*cells, f"{memory_mb(speaker.pid):.0f} MB"]
    except SpeechError as problem:
        return [name, str(problem)]
    finally:
        await speaker.close()


async def waits(folder: Path) -> list[tuple[str, list[float]]]:
    """Seconds a caller waits, by way."""
    renderer = open_renderer(shipped=SHIPPED, cache=folder / "cache")
    found: list[tuple[str, list[float]]] = []

    async def measure(way: str, texts: list[str]) -> None:
        before = renderer.outcomes.copy()
        took = []
        for text in texts:
            started_s = time.perf_counter()
            await renderer.render(text, "es")
            took.append(time.perf_counter() - started_s)
        ways = ", ".join((renderer.outcomes - before).keys())
        found.append((f"{way} [{ways}]", took))

    try:
        await measure("first call of all, workers not started, new words", ["Bienvenido, señor Arrizabalaga."])
        await renderer.warm_up(["es"])  # as the engine does at its start
        await measure("new words", [f"Bienvenida, señora {name}, le atendemos." for name in NAMES])
        # As loading a flow does for the fixed words of a template; the phrases for values are shipped.
        renderer.learn_phrase("Su saldo es", "es")
        await prepare([Line("Su saldo es", "es")], [renderer.speakers], renderer.kept)
        amounts = [f"Su saldo es {words}" for words in _amounts(200)]
        await measure("an amount no caller has heard", amounts)
        await measure("a static prompt", ["Su saldo es"] * 2000)
        kokoro = renderer.speakers[0]
        assert isinstance(kokoro, WorkerSpeaker)
        busy = asyncio.create_task(kokoro.speak(PROMPTS["menu"], "es", folder / "busy.ulaw"))
        await measure("new words while Kokoro renders", [f"Adiós, señor {name}." for name in NAMES])
        await busy
    finally:
        await renderer.close()
    return found


def _amounts(count: int) -> list[str]:
    return [say_money(f"{number * 37 % 5000}.{number % 100:02}", "EUR", "es") for number in range(1, count + 1)]


async def main() -> int:
    console = Console()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        table = Table("voice", "start", *PROMPTS, "memory", title="voices, each in its worker (median of 3)")
        for name in ("kokoro", "espeak"):
            table.add_row(*await pace(name, folder))
        console.print(table)
        table = Table("render()", "prompts", "p50", "p99", "most", title="what a caller waits")
        for way, took in await waits(folder):
            took.sort()
            p50, p99 = took[len(took) // 2], took[min(int(len(took) * 0.99), len(took) - 1)]
            table.add_row(way, str(len(took)), *(f"{value * 1000:.2f} ms" for value in (p50, p99, took[-1])))
        console.print(table)
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
