"""An Asterisk to try a phone on: three accounts, a few numbers, and its console."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from telephony.node.installation import Installation
from telephony.node.ports import free_port
from telephony.node.settings import Device
from tests.asterisk_fixture import AsteriskNode, started

# Numbers to try a phone on. The node's own dialplan hands everything to the engine, which is not here.
NUMBERS = {
    "echo": ["Answer()", "Echo()"],
    # Luis's phone is called by the digits that were heard.
    "digits": ["Answer()", "Read(HEARD,,6,,1,3)", "Set(CALLERID(num)=${HEARD})", "Dial(PJSIP/main-luis,20)"],
    "busy": ["Hangup(17)"],
    "ana": ["Dial(PJSIP/main-ana,20)", "Hangup(${HANGUPCAUSE})"],
    "luis": ["Dial(PJSIP/main-luis,20)", "Hangup(${HANGUPCAUSE})"],
}


# The one device that may do what Centralita forbids its phones.
TRANSFERS = "main-boss"


@dataclass(frozen=True, slots=True)
class Exchange:
    node: AsteriskNode

    @property
    def port(self) -> int:
        return self.node.settings.sip_port

    @property
    def tls_port(self) -> int:
        assert self.node.settings.tls_port
        return self.node.settings.tls_port

    def secret(self, name: str) -> str:
        return self.node.device(name).secret

    def command(self, *lines: str) -> str:
        """What Asterisk's console answers."""
        settings, installation = self.node.settings, self.node.launcher.installation
        said = []
        for line in lines:
            program = [str(installation.binary), "-C", str(settings.state_dir / "etc" / "asterisk.conf"), "-rx", line]
            done = subprocess.run(
                installation.command(*program, writable=[settings.state_dir]),
                capture_output=True,
                text=True,
                timeout=60,
                check=True,
            )
            said.append(done.stdout)
        return "\n".join(said)


@pytest.fixture(scope="module")
def exchange(asterisk_installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exchange]:
    node = started(
        asterisk_installation,
        tmp_path_factory.mktemp("exchange"),
        tls_port=free_port(),
        devices=(Device(name="main-ana"), Device(name="main-luis"), Device(name=TRANSFERS)),
    )
    try:
        exchange = Exchange(node)
        for number, steps in NUMBERS.items():
            exchange.command(
                *(f"dialplan add extension {number},{place},{step} into devices" for place, step in enumerate(steps, 1))
            )
        _allow_transfers(exchange)
        yield exchange
    finally:
        node.launcher.stop()


def _allow_transfers(exchange: Exchange) -> None:
    path = exchange.node.settings.state_dir / "etc" / "pjsip.conf"
    before, section, after = path.read_text().partition(f"[{TRANSFERS}]\ntype = endpoint")
    assert section
    path.write_text(before + section + after.replace("allow_transfer = no", "allow_transfer = yes", 1))
    exchange.command("module reload res_pjsip.so")
    for _ in range(200):
        if re.search(r"allow_transfer +: true", exchange.command(f"pjsip show endpoint {TRANSFERS}")):
            return
        time.sleep(0.1)
    raise AssertionError("Asterisk did not take the new configuration")
