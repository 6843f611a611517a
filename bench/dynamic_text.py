"""The gaps that a caller hears around a text that nobody could know before her call.

    python -m bench.dynamic_text [--calls 10] [--languages es,en] [--json]                 about 12 seconds a call

Real Asterisk, the engine process, the shipped voices, a phone that records. Each call hears a tone (`hello`), then one
`play` of a recorded sound, a text with a number that is new in each call, and a recorded sound; the sounds
are tones, so what is heard when shows in the recording. *before it*: from the end of the tone of the node before to
the first sound of the `play`, in which the text is synthesised; *sound → text* and *text → sound*: within it. *in the
text*: its longest silence, between its own words.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import random
import statistics
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from engine.home import Home
from telephony.softphone import ear
from telephony.softphone.client import Softphone
from tests.callers import Caller, registered
from tests.phone_fixture import tone_wav
from tests.system_fixture import systems

TONES_HZ = {"hello": 700.0, "low": 1000.0, "high": 1400.0}
TONE_S = 0.6
TEXTS = {
    "es": "Buenas tardes. Su expediente {{ called }} está en manos de la señora Echevarría.",
    "en": "Good afternoon. Your file {{ called }} is with Mister Pemberton.",
}
FIRST_DIGITS = {"es": "4", "en": "5"}
FLOW = """flow: {language}
languages: [{language}]
start: hello
nodes:
  hello: {{type: play, prompt: {{sound: hello}}, next: say}}
  say: {{type: play, prompt: [{{sound: low}}, "{text}", {{sound: high}}], next: bye}}
  bye: {{type: hangup}}
"""


@dataclass(frozen=True, slots=True)
class Gaps:
    """Seconds of one call."""

    language: str
    before_s: float
    to_text_s: float
    in_text_s: float
    from_text_s: float


def measured(language: str, sound: ear.Sound) -> Gaps:
    """Raises ValueError: not everything was heard."""
    spans = {name: ear.tone_spans(sound, hz, at_least_s=TONE_S / 4) for name, hz in TONES_HZ.items()}
    if not all(spans.values()):
        raise ValueError(f"{language}: heard {spans}")
    # A phone on a busy machine may stutter within a tone.
    (_, hello_end), (low, low_end), (high, _) = ((spans[name][0][0], spans[name][-1][1]) for name in TONES_HZ)
    said = [
        (each.start_s, each.end_s)
        for each in ear.stretches(sound.between(low_end, high), pause_s=0.02, click_s=0.02)
        if each.is_sound
    ]
    if not said:
        raise ValueError(f"{language}: no text was heard between the tones")
    pauses = [after[0] - before[1] for before, after in itertools.pairwise(said)]
    return Gaps(language, low - hello_end, said[0][0], max(pauses, default=0.0), high - low_end - said[-1][1])


async def calls(count: int, languages: list[str]) -> list[Gaps]:
    """One after another. Raises ValueError: one was not heard whole."""
    found: list[Gaps] = []
    flows = {language: FLOW.format(language=language, text=TEXTS[language]) for language in languages}
    files = {
        f"config/numbers/{language}.yaml": f"range: ['{digit}0000', '{digit}9999']\nflow: {language}\n"
        for language, digit in FIRST_DIGITS.items()
        if language in languages
    }

    def prepare(home: Home) -> None:
        site = home.project / "config" / "site.yaml"
        site.write_text(site.read_text().replace("voices: [fake]\n", ""))
        for language in languages:
            place = home.project / "flows" / "sounds" / language
            place.mkdir(parents=True)
            for name, hz in TONES_HZ.items():
                tone_wav(place / f"{name}.wav", hz, seconds=TONE_S)

    with tempfile.TemporaryDirectory(prefix="texts-") as directory:
        place = Path(directory)
        async with systems(place) as up, Softphone.start(rate_hz=8000) as phone:
            system = await up(flows, files, site=f"languages: [{', '.join(languages)}]", prepare=prepare)
            await registered(system, phone, "main-1001")
            chance = random.Random()
            for number in range(count * len(languages)):
                language = languages[number % len(languages)]
                dialed = f"{FIRST_DIGITS[language]}{chance.randrange(10_000):04}"
                caller = await Caller.dial(system, phone, dialed, place)
                await caller.gone(timeout_s=60.0)
                found.append(measured(language, ear.load(await caller.recording.saved())))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=10, help="in each language")
    parser.add_argument("--languages", default="es,en")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    languages = given.languages.split(",")
    if unknown := [language for language in languages if language not in TEXTS]:
        parser.error(f"no text in {', '.join(unknown)}: {', '.join(TEXTS)}")
    found = asyncio.run(calls(given.calls, languages))
    if given.json:
        print(json.dumps([asdict(gaps) for gaps in found]))
    else:
        _show(found)
    return 0


def _show(found: list[Gaps]) -> None:
    table = Table(title="silence around a text that is new, ms: median / most")
    for name in ("", "calls", "before it", "sound → text", "in the text", "text → sound"):
        table.add_column(name, justify="right")
    for language in dict.fromkeys(gaps.language for gaps in found):
        mine = [gaps for gaps in found if gaps.language == language]
        columns = ("before_s", "to_text_s", "in_text_s", "from_text_s")
        rows = [[1000 * getattr(gaps, column) for gaps in mine] for column in columns]
        table.add_row(language, str(len(mine)), *(f"{statistics.median(row):.0f} / {max(row):.0f}" for row in rows))
    Console().print(table)


if __name__ == "__main__":
    sys.exit(main())
