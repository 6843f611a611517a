"""Music for callers who wait: each directory below `flows/sounds/music/` is a class that a queue may name."""

from __future__ import annotations

import re
from pathlib import Path

from engine.home import Home
from engine.media import EXTENSIONS

DEFAULT = "default"
"""Always there: Asterisk's own, unless the project brings a directory of that name."""
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,62}[A-Za-z0-9])?")


def music_of(home: Home) -> dict[str, Path]:
    """Class -> its directory. One without anything that Asterisk can play is none."""
    place = home.sounds / "music"
    if not place.is_dir():
        return {}
    found = {}
    for directory in sorted(place.iterdir()):
        playable = directory.is_dir() and any(file.suffix in EXTENSIONS for file in directory.iterdir())
        if playable and _NAME.fullmatch(directory.name) and directory.name != "general":
            found[directory.name] = directory
    return found


def known_music(home: Home) -> frozenset[str]:
    """For the checks."""
    return frozenset({DEFAULT, *music_of(home)})
