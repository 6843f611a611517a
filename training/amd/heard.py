"""A clip as a telephone lets it be heard: when it begins, how loud, in which room, over what noise, by which codec.

All of it is drawn from the clip's name and the number of the hearing, so a hearing is the same in every run. When a
voice begins and how long it pauses between sentences is drawn alike for people and machines: how real ones differ there
is not known to a synthetic corpus. Noises differ between the sides.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.signal import butter, sosfilt

from training.amd.clips import MACHINES, PEOPLE, Clip, Sound, read, silence, tone
from training.amd.corpus import RATE_HZ
from training.amd.texts import Side

SECONDS = 10.0
BEEPS_HZ = {"train": (440.0, 620.0, 1000.0, 1400.0), "test": (480.0, 850.0, 1004.0, 1209.0)}
BEEP_OF = 0.75
"""So many of the greetings that ask for a message end in a beep."""
SAMPLES = ("-t", "raw", "-r", "8000", "-e", "signed", "-b", "16", "-c", "1")


@dataclass(frozen=True, slots=True)
class Hearing:
    """`onset_s`: when the first sound begins; `beep`: whether one comes; `codec`, `noise`: what was done."""

    samples: NDArray[np.int16]
    onset_s: float
    beep: bool
    codec: str
    noise: str


@dataclass(frozen=True)
class Backgrounds:
    """What is heard behind voices: music and other people's talk, of one side."""

    side: Side
    music: tuple[Path, ...]
    talk: tuple[Path, ...]


def dice_for(name: str, number: int) -> Generator:
    return np.random.default_rng(int.from_bytes(sha256(f"{name}/{number}".encode()).digest()[:8], "big"))


def heard(clip: Clip, number: int, behind: Backgrounds) -> Hearing:
    """`SECONDS` of the line from the answer on."""
    dice = dice_for(clip.name, number)
    onset_s = onset(dice)
    said, beep = _said(clip, dice, behind)
    return on_the_line(said, onset_s, dice, behind, beep)


def heard_tone(sound: Sound, name: str, number: int, behind: Backgrounds) -> Hearing:
    dice = dice_for(name, number)
    return on_the_line(sound, onset(dice), dice, behind, False, quiet=True)


def onset(dice: Generator) -> float:
    """Seconds from the answer to the voice: most within half a second, one in 25 late."""
    if dice.random() < 1 / 25:
        return float(dice.uniform(1.0, 2.2))
    return float(np.clip(dice.lognormal(np.log(0.3), 0.6), 0.04, 1.2))


def _said(clip: Clip, dice: Generator, behind: Backgrounds) -> tuple[Sound, bool]:
    speed = float(dice.uniform(0.92, 1.1))
    parts: list[Sound] = []
    for sound, waits in zip(clip.sounds(), clip.waits, strict=True):
        if parts:
            parts.append(silence(float(dice.uniform(1.0, 2.4)) if waits else pause(dice)))
        parts.append(np.interp(np.arange(0, len(sound) - 1, speed), np.arange(len(sound)), sound))
    if clip.truth == PEOPLE and dice.random() < 0.5:  # nobody answers her: she asks again
        parts += [silence(float(dice.uniform(1.4, 3.0))), parts[0]]
    if clip.kind == "network":  # networks say it again
        parts += [silence(float(dice.uniform(0.4, 1.2))), *parts]
    beep = clip.kind in ("voicemail", "recorded") and dice.random() < BEEP_OF
    if beep:
        parts += [
            silence(float(dice.uniform(0.1, 1.2))),
            tone((dice.choice(BEEPS_HZ[behind.side]),), 0.3),
            silence(2.0),
        ]
    elif clip.truth == MACHINES and clip.kind in ("screener", "voicemail") and dice.random() < 0.2:
        parts += [silence(0.3), _music(dice, behind, 6.0) * 0.5]
    if clip.truth == MACHINES and clip.kind != "network" and dice.random() < 0.06:
        parts.insert(0, np.concatenate([_music(dice, behind, float(dice.uniform(0.5, 2.0))) * 0.5, silence(0.2)]))
    return np.concatenate(parts), beep


def pause(dice: Generator) -> float:
    """Between two sentences, whoever speaks them."""
    return float(np.clip(dice.lognormal(np.log(0.38), 0.4), 0.12, 1.0))


def on_the_line(
    said: Sound, onset_s: float, dice: Generator, behind: Backgrounds, beep: bool, quiet: bool = False
) -> Hearing:
    line = np.zeros(round(SECONDS * RATE_HZ))
    start = round(onset_s * RATE_HZ)
    part = said[: len(line) - start]
    gain = 10 ** (float(dice.uniform(-20, 0)) / 20)
    line[start : start + len(part)] += part * gain
    if dice.random() < 0.4:
        line = _room(line, dice)
    noise, sound = _noise(len(line), dice, behind, quiet)
    line += sound * gain
    if dice.random() < 0.5:
        line = sosfilt(butter(3, (300.0, 3400.0), "band", fs=RATE_HZ, output="sos"), line)
    codec, line = _coded(line, dice)
    line = _lost(line, dice)
    return Hearing((np.clip(line, -1, 1) * 32767).astype(np.int16), onset_s, beep, codec, noise)


def _room(line: Sound, dice: Generator) -> Sound:
    """A room's echo, and the line's."""
    made = line.copy()
    for delay_s, level_db in ((dice.uniform(0.01, 0.04), -12), (dice.uniform(0.06, 0.25), dice.uniform(-34, -20))):
        delay = round(float(delay_s) * RATE_HZ)
        made[delay:] += line[:-delay] * 10 ** (float(level_db) / 20)
    return made


def _noise(length: int, dice: Generator, behind: Backgrounds, quiet: bool) -> tuple[str, Sound]:
    """Its name, and how it sounds beside a voice whose loudest sample is 0.5."""
    lot, white = dice.random(), dice.normal(0, 1, length)
    level = 10 ** (float(dice.uniform(-62, -38)) / 20)
    train = behind.side == "train"
    if lot < 0.35:
        return "hiss", white * level * 0.7
    if lot < 0.7 or quiet:
        taps = 12 if train else 40
        rumble = np.convolve(white, np.ones(taps) / taps, "same") * taps**0.5
        sways_hz = float(dice.uniform(0.2, 2.5)) if train else 0.8
        sway = 1 + 0.6 * np.sin(2 * np.pi * sways_hz * np.arange(length) / RATE_HZ)
        return ("rumble" if train else "traffic"), rumble * level * sway
    if lot < 0.85:
        return "music", _music(dice, behind, SECONDS) * 10 ** (float(dice.uniform(-36, -24)) / 20)
    talk = np.zeros(length)
    for _ in range(6):
        piece = read(behind.talk[int(dice.integers(len(behind.talk)))])
        at = int(dice.integers(0, max(1, length - len(piece))))
        talk[at : at + len(piece)] += piece[: length - at]
    return "talk", talk * 10 ** (float(dice.uniform(-36, -24)) / 20)


def _music(dice: Generator, behind: Backgrounds, seconds: float) -> Sound:
    track = read(behind.music[int(dice.integers(len(behind.music)))])
    length = round(seconds * RATE_HZ)
    at = int(dice.integers(0, len(track) - length))
    piece = track[at : at + length]
    return piece * (0.5 / max(0.05, float(np.max(np.abs(piece)))))


def _coded(line: Sound, dice: Generator) -> tuple[str, Sound]:
    lot = dice.random()
    if lot < 0.2:
        return "gsm", _gsm(line)
    name, mu = ("mu-law", 255.0) if lot < 0.5 else ("a-law", 87.6)
    coded = np.sign(line) * np.log1p(mu * np.abs(np.clip(line, -1, 1))) / np.log1p(mu)
    coded = np.round(coded * 127) / 127
    return name, np.sign(coded) * np.expm1(np.abs(coded) * np.log1p(mu)) / mu


def _gsm(line: Sound) -> Sound:
    raw = (np.clip(line, -1, 1) * 32767).astype(np.int16).tobytes()
    there = subprocess.run(["sox", *SAMPLES, "-", "-t", "gsm", "-"], input=raw, capture_output=True, check=True).stdout
    back = subprocess.run(
        ["sox", "-t", "gsm", "-r", "8000", "-c", "1", "-", *SAMPLES, "-"], input=there, capture_output=True, check=True
    ).stdout
    found = np.frombuffer(back, np.int16)[: len(line)] / 32768.0
    return np.pad(found, (0, len(line) - len(found)))


def _lost(line: Sound, dice: Generator) -> Sound:
    """One line in four loses packets, up to three in a hundred; half of those lines repeat the last one instead."""
    if dice.random() < 0.25:
        share, repeats = dice.uniform(0.002, 0.03), dice.random() < 0.5
        for n in np.flatnonzero(dice.random(len(line) // 160) < share):
            line[n * 160 : (n + 1) * 160] = line[(n - 1) * 160 : n * 160] if repeats and n else 0.0
    return line
