"""The least of an engine with live audio, to be killed: it dials a phone, has it listened to, and says so.

python -m tests.recovery.media_engine SOCKET HTTP_PORT PASSWORD TRANSPORT FOLDER
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from core.events import LegFact, LegUp
from core.leg import LegRole
from core.leg_commands import ListenToLeg, OriginateLeg
from telephony.ari.settings import AriSettings
from telephony.control.asterisk import AsteriskCallControl
from telephony.live_audio.workers import MediaWorkers
from tests.media_listeners import KINDS

LEG = "killed.x1"


async def main(socket: Path, port: int, password: str, transport: str, folder: Path) -> None:
    def take(fact: LegFact) -> None:
        if isinstance(fact, LegUp):
            sys.stdout.write("up\n")
            sys.stdout.flush()

    workers = MediaWorkers(socket, KINDS)
    await workers.start()
    while not workers.pids:
        await asyncio.sleep(0.02)
    settings = AriSettings(
        node="node-1",
        user="engine",
        password=password,
        port=port,
        recordings_dir=folder,
        scratch_dir=folder,
        live_audio="rtp" if transport == "rtp" else "websocket",
    )
    control = AsteriskCallControl([settings], take, lambda node, what: None, workers=workers)
    await control.start()
    listen = ListenToLeg(LEG, "l1", "notebook")
    ring = OriginateLeg(LEG, "i1", "node-1", LegRole.CUSTOMER, "device:main-ana", "+34911234567", 10, 60, listen=listen)
    await control.originate(ring)
    await asyncio.sleep(60)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4], Path(sys.argv[5])))
