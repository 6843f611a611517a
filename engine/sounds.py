"""Which recorded sounds exist, for the checks: the project's own, and Asterisk's where one is installed."""

from __future__ import annotations

from collections.abc import Mapping

from engine.home import Home
from engine.media import SoundDirectory, Sounds
from engine.node_settings import sound_directories
from telephony.node.errors import NodeError
from telephony.node.installation import find


def known_sounds(home: Home) -> Mapping[str, frozenset[str]] | None:
    """Language -> names; None when no Asterisk is installed, whose sounds flows may use."""
    try:
        installation = find()
    except NodeError:
        return None
    directories = [d for d in sound_directories(home, installation) if d.seen_at.is_relative_to(home.project)]
    for language, voices in (("es", ("es", "es_MX_f_Allison")), ("en", ("en", "en_US_f_Allison"))):
        for voice in voices:
            place = installation.data_dir / "sounds" / voice
            if (seen := installation.outside(place)).is_dir():
                directories.append(SoundDirectory(language, seen, place))
                break
    return Sounds(directories).names()
