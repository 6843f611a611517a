"""What the engine was playing to whom, from its snapshots. Run by the supervisor (left_playing.py) as a process of its
own, for it needs what the supervisor does not import:

    CENTRALITA_HOME=... CENTRALITA_STATE=... python -m engine.last_played      {"LEG": "PLAYBACK", ...}
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterable

from engine.home import Home
from engine.interaction import Interaction
from engine.recovery import load_open
from store.cipher import ContactCipher
from store.errors import StoreError
from store.journal_reader import JournalReader


def playing(interactions: Iterable[Interaction]) -> dict[str, str]:
    """Leg -> its playback, of those that hear one of which they or others must be freed. Whoever hears music, or
    nothing, is held by nothing; two who are about to be put together are told something short first."""
    return {leg_id: playback_id for each in interactions for leg_id, playback_id in _heard(each) if playback_id}


def _heard(interaction: Interaction) -> list[tuple[str, str]]:
    heard = []
    if interaction.waiting is not None:
        heard.append((interaction.customer.leg_id, interaction.waiting.playing))
    if interaction.run is not None:
        heard.append((interaction.run.leg_id, interaction.run.playing))
    elif interaction.transfer is not None:
        heard.append((interaction.customer.leg_id, interaction.transfer.transfer_id))
    if interaction.talk is not None and interaction.talk.ring is not None:
        heard.append(interaction.talk.ring)
    if interaction.line is not None:
        heard.append((interaction.customer.leg_id, interaction.line.ringback))
    return heard


def main() -> int:
    home = Home.find()
    try:
        with ContactCipher.open(home.state, read_only=True) as cipher:
            reader = JournalReader.open(home.journal, cipher)
            with contextlib.closing(reader):
                open_now, _ = load_open(reader.open_snapshots())
    except StoreError as failure:
        sys.stderr.write(f"{failure}\n")
        return 1
    sys.stdout.write(json.dumps(playing(open_now)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
