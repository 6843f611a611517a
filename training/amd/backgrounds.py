"""What is heard behind voices: the music that comes with Asterisk, and the talk of the side's own voices."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from telephony.node.install import install
from training.amd.clips import PEOPLE, Clip
from training.amd.heard import Backgrounds
from training.amd.texts import Side

MUSIC: dict[Side, tuple[str, ...]] = {
    "train": ("macroform-cold_day", "macroform-the_simplicity", "reno_project-system"),
    "test": ("macroform-robot_dity", "manolo_camp-morning_coffee"),
}
_TALKERS = 60


def backgrounds(folder: Path, side: Side, clips: Sequence[Clip]) -> Backgrounds:
    """`folder`: of the corpus. Talk comes from espeak-ng's voices, which are complete before any other.

    Raises:
        RuntimeError: the music of a node is not there.
    """
    node = install()
    sounds = node.sounds("en")
    place = None if sounds is None else next(iter(node.outside(sounds).parents[1].glob("moh")), None)
    music = tuple(path for name in MUSIC[side] if place and (path := place / f"{name}.wav").exists())
    if not music:
        raise RuntimeError("the node has no music on hold: install its package asterisk-moh-opsound-wav")
    talk = [path for clip in clips if clip.truth == PEOPLE and "espeak" in clip.voice for path in clip.parts]
    return Backgrounds(side, music, tuple(talk[:_TALKERS]))
