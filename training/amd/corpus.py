"""Speaks every text: `nice python -m training.amd.corpus`. What is there already is not spoken again.

A sentence is `FOLDER/<side>/<kind>/<language>/<voice>/<text>-<n>.wav`, 8 kHz, as clean as it was spoken; a text is
spoken by espeak-ng's voices first (quick), then by one Kokoro voice more in every round. The prompts that people
recorded for Asterisk come from Debian's packages: French, Italian and Russian for training, English and Spanish (the
ones of the installed node) for the test set.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import wave
from pathlib import Path
from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray

from speech.joined import cache_home
from speech.voices import kokoro
from training.amd.texts import WAIT, Side, Text, texts
from training.amd.voices import ESPEAK, PHONEMES, styles

RATE_HZ = 8000
SIDES: tuple[Side, ...] = ("test", "train")
SPEEDS = (1.0, 1.12, 0.92, 1.22)
RECORDED = {"train": ("fr", "it", "ru"), "test": ("en", "es")}
_LEAST_S, _MOST_S = 3.5, 14.0
"""Prompts shorter than that are pieces of announcements, and no greeting of a machine."""


def default_folder() -> Path:
    """Below the user's cache; `CENTRALITA_AMD_CORPUS` names another place."""
    return Path(os.environ.get("CENTRALITA_AMD_CORPUS") or cache_home() / "amd-corpus")


def place(folder: Path, text: Text, voice: str, n: int) -> Path:
    return folder / text.side / text.kind / text.language / voice / f"{text.name}-{n}.wav"


def say(folder: Path, text: Text, voice: str, spoken: Any) -> None:
    """`spoken(words)` gives samples and their rate."""
    for n, sentence in enumerate(text.sentences):
        path = place(folder, text, voice, n)
        if not path.exists():
            samples, rate = spoken(sentence.removeprefix(WAIT))
            write(path, at_8_khz(samples, rate))


def at_8_khz(samples: NDArray[Any], rate: int) -> NDArray[np.int16]:
    """With its loudest sample at half of full scale."""
    low = np.asarray(soxr.resample(samples.astype(np.float64), rate, RATE_HZ))
    return (low * (0.5 * 32767 / max(1e-9, float(np.max(np.abs(low)))))).astype(np.int16)


def write(path: Path, samples: NDArray[np.int16]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".part")
    with wave.open(str(draft), "wb") as file:
        file.setparams((1, 2, RATE_HZ, 0, "NONE", ""))
        file.writeframes(samples.tobytes())
    draft.replace(path)


def espeak(voice: str, words: str) -> tuple[NDArray[np.int16], int]:
    done = subprocess.run(["espeak-ng", "-v", voice, "--stdout", words], capture_output=True, check=True)
    samples = np.frombuffer(done.stdout[44:], np.int16)
    loud = np.flatnonzero(np.abs(samples) > 300)
    return samples[loud[0] : loud[-1] + 1] if len(loud) else samples, 22050


def take_recorded(folder: Path, sounds: dict[str, Path]) -> None:
    """`sounds`: where each language's prompts are."""
    for side in SIDES:
        for language in RECORDED[side]:
            for path in sorted(sounds[language].glob("*.wav")) if language in sounds else []:
                with wave.open(str(path)) as file:
                    seconds, raw = file.getnframes() / file.getframerate(), file.readframes(file.getnframes())
                if _LEAST_S <= seconds <= _MOST_S:
                    to = folder / side / "recorded" / language / "asterisk" / f"{path.stem}-0.wav"
                    write(to, at_8_khz(np.frombuffer(raw, np.int16), RATE_HZ))


def debian_sounds(folder: Path) -> dict[str, Path]:
    """The languages of training, unpacked from Debian's packages; those that cannot be had are said and left out."""
    found = {}
    for language in RECORDED["train"]:
        unpacked = folder / "debian" / language
        if not unpacked.exists() and shutil.which("apt-get"):
            unpacked.mkdir(parents=True)
            name = f"asterisk-core-sounds-{language}-wav"
            subprocess.run(["apt-get", "download", "-q", name], cwd=unpacked, check=False, capture_output=True)
            for package in unpacked.glob("*.deb"):
                subprocess.run(["dpkg", "-x", str(package), str(unpacked)], check=True)
        where = next((path.parent for path in sorted(unpacked.rglob("vm-intro.wav"))), None)
        if where is None:
            print(f"no recorded prompts in {language}: package asterisk-core-sounds-{language}-wav")
        else:
            found[language] = where
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=default_folder())
    parser.add_argument("--rounds", type=int, default=2, help="Kokoro voices for each text")
    parser.add_argument("--sides", nargs="+", choices=SIDES, default=SIDES, help="what Kokoro speaks")
    parser.add_argument("--node-sounds", type=Path, help="where the node keeps `en` and `es`; its own when not said")
    asked = parser.parse_args()
    if missing := [program for program in ("espeak-ng", "sox") if not shutil.which(program)]:
        parser.error(f"{' and '.join(missing)} cannot be found: apt-get install {' '.join(missing)}")
    every = [text for side in SIDES for text in texts(side)]
    for n, text in enumerate(every):
        voices = ESPEAK[text.side][text.language]
        for voice in {voices[n % len(voices)], voices[(n + 1) % len(voices)]}:
            say(asked.folder, text, f"espeak-{voice}", lambda words, voice=voice: espeak(voice, words))
    take_recorded(asked.folder, {**debian_sounds(asked.folder), **node_sounds(asked.node_sounds)})
    engine = kokoro._load(threads=1)
    own = {(side, language): styles(asked.folder, side, language) for side in SIDES for language in PHONEMES}
    # People and machines, both sides and languages take turns, so that whatever is there when one stops is balanced.
    every.sort(key=lambda text: (text.later, text.name))
    for spoken_round in range(asked.rounds):
        for n, text in enumerate(every):
            if text.side not in asked.sides:
                continue
            known = own[text.side, text.language]
            voice = list(known)[(n + 7 * spoken_round) % len(known)]
            speed = SPEEDS[(n + spoken_round) % len(SPEEDS)]

            def spoken(words: str, style: Any = known[voice], speed: float = speed, text: Text = text) -> Any:
                samples, rate = engine.create(words, voice=style, speed=speed, lang=PHONEMES[text.language], trim=False)
                return kokoro._without_edges(samples, rate), rate

            say(asked.folder, text, f"kokoro-{voice}", spoken)
        print(f"round {spoken_round + 1} of {asked.rounds} is spoken", flush=True)


def node_sounds(given: Path | None) -> dict[str, Path]:
    from telephony.node.install import install

    if given is not None:
        return {language: given / language for language in RECORDED["test"]}
    node = install()
    found = {language: node.sounds(language) for language in RECORDED["test"]}
    return {language: node.outside(where) for language, where in found.items() if where is not None}


if __name__ == "__main__":
    main()
