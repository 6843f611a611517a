"""Carriers on a real Asterisk: one that refuses our password until it is mended, one that is away and comes back."""

from __future__ import annotations

import asyncio
import socket
import threading
from pathlib import Path

from engine.node_connections import ami_settings
from telephony.ami.client import AmiClient
from tests.recovery.test_engine_kill import FLOW
from tests.sip_raw import RawSip, Registrar, answer, offer


class Answering:
    """A carrier that answers everything, at a port where nobody did before."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def come_back(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                data, peer = self._socket.recvfrom(65535)
                self._socket.sendto(answer(data.decode(errors="replace"), "200 OK"), peer)
            except OSError:
                return


def registering(port: int, password: str) -> str:
    return f"""trunk: other
host: 127.0.0.1
port: {port}
registration: {{username: "34911", password: {password}}}
watch_s: 0
"""


async def test_how_carriers_stand_and_how_soon_a_mended_one_is_back(system, tmp_path: Path):
    registrar, away = Registrar("34911", "right"), Answering()
    serving = threading.Thread(target=registrar.serve, daemon=True)
    serving.start()
    try:
        running = await system(
            {"hold": FLOW},
            {
                "config/trunks/other.yaml": registering(registrar.port, "wrong"),
                "config/trunks/carrier.yaml": f"trunk: carrier\nhost: 127.0.0.1\nport: {away.port}\n",
                "config/trunks/blind.yaml": "trunk: blind\nhost: 127.0.0.9\nwatch_s: 0\n",
            },
            workers=("node_watch",),
        )

        def stand(**wanted: str):
            return lambda body: (
                {name.removeprefix("main-"): trunk["status"] for name, trunk in body["node"].get("trunks", {}).items()}
                == wanted
            )

        await running.until(stand(other="rejected", carrier="unreachable", blind="not watched"), 60)
        away.come_back()
        body = await running.until(stand(other="rejected", carrier="reachable", blind="not watched"), 30)
        assert 0 < body["node"]["trunks"]["main-carrier"]["round_trip_s"] < 3
        (running.home.project / "config/trunks/other.yaml").write_text(registering(registrar.port, "right"))
        assert (await running.reload())["reloaded"]
        await running.until(stand(other="registered", carrier="reachable", blind="not watched"), 30)
    finally:
        registrar.close()
        away.close()


async def test_a_carrier_whose_name_is_resolved_late_is_let_in_by_itself(system):
    """As after a power cut, when name servers are back later than we are."""
    running = await system(
        {"hold": FLOW},
        {"config/trunks/carrier.yaml": "trunk: carrier\nhost: carrier.test\nwatch_s: 0\n"},
        workers=("node_watch",),
    )

    def call() -> RawSip:
        caller = RawSip(running.node.sip_port, "127.0.0.9")
        caller.send(caller.message("INVITE", "sip:100@127.0.0.1", user="+34600111222", body=offer("127.0.0.9")))
        return caller

    with call():
        await asyncio.sleep(1)
        assert not (await running.status())["interactions"], "nobody knows it"
    with (running.node.state_dir / "etc/hosts").open("a") as hosts:
        hosts.write("127.0.0.9 carrier.test\n")
    client = AmiClient(ami_settings(running.node), lambda fact: None)
    await client.start()
    async with asyncio.timeout(60):
        while not await client.recognises("main-carrier"):
            await asyncio.sleep(0.5)
    await client.close()
    with call():
        await running.until(lambda body: body["interactions"])
