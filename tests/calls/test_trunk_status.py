"""Carriers on a real Asterisk: one that refuses our password until it is mended, one that is away and comes back."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

from tests.recovery.test_engine_kill import FLOW
from tests.sip_raw import Registrar, answer


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
