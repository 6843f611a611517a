"""What an engine that is away was playing to whom, from its snapshots, for the supervisor.

Asterisk lets a leg leave for the dialplan only when its playback has ended, and a ringback never does by itself; it
lists no playbacks. Run as a process of its own, since it needs what the supervisor does not import:

    CENTRALITA_HOME=... CENTRALITA_STATE=... python -m engine.left_playing     {"LEG": "PLAYBACK", ...}
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import sys
from collections.abc import Iterable, Mapping

from engine.home import Home
from engine.interaction import Interaction
from engine.recovery import load_open
from store.cipher import ContactCipher
from store.errors import StoreError
from store.journal_reader import JournalReader

log = logging.getLogger("centralita.supervisor")

WITHIN_S = 10.0


def playing(interactions: Iterable[Interaction]) -> dict[str, str]:
    """Leg -> its playback, of those that hear one. Whoever hears music, or nothing, is held by nothing."""
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
    return heard


async def ask(env: Mapping[str, str]) -> dict[str, str]:
    """Lets another process read it. `env`: what its environment has beyond ours. Empty when it cannot tell: then
    whoever hears something leaves when that ends."""
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "engine.left_playing",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, **env},
        )
    except OSError as failure:
        log.error("what the engine was playing cannot be read: %s", failure)
        return {}
    problems = b""
    try:
        told, problems = await asyncio.wait_for(process.communicate(), WITHIN_S)
        found: dict[str, str] = json.loads(told)
    except (TimeoutError, ValueError):
        last = b"".join(problems.splitlines()[-1:]).decode(errors="replace")
        log.error("what the engine was playing cannot be read: %s", last or f"no answer in {WITHIN_S:.0f} s")
        return {}
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    return found


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
