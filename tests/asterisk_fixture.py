"""A real Asterisk for tests: one per test session (and per xdist worker), on loopback ports nobody uses.

    def test_something(asterisk_node):
        phone = asterisk_node.device("main-ana")      # name and secret of a phone account
        asterisk_node.settings.sip_port, .ari_url, .secrets.ari_engine, ...

Its phones are `DEVICES`; `main-carrier` is a trunk known by its address 127.0.0.2 (`sipp -i 127.0.0.2`), so
it needs no password; `main-bench` is one at 127.0.0.3 that reaches the dialplan's own menu. The music `waiting` is a
tone of 2300 Hz. A test that
needs other settings, or kills Asterisk, starts its own: `Launcher(free_settings(tmp_path, …), installation)`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from telephony.node.errors import PortTaken
from telephony.node.install import install
from telephony.node.installation import Installation
from telephony.node.launcher import Launcher
from telephony.node.ports import free_settings
from telephony.node.settings import Device, Music, NodeSettings, Trunk

__all__ = ["AsteriskNode", "asterisk_installation", "asterisk_node", "free_settings", "started"]

DEVICES = ("main-ana", "main-luis", "main-eva", "main-caller", "main-nowhere")
"""The last one's phone is nobody's: it never registers."""
MUSIC_HZ = 2300.0
FLOW_SOUNDS = Path(__file__).resolve().parents[1] / "flows" / "sounds"


@dataclass(frozen=True, slots=True)
class AsteriskNode:
    settings: NodeSettings
    launcher: Launcher

    def device(self, name: str) -> Device:
        return next(device for device in self.settings.devices if device.name == name)

    @property
    def log(self) -> str:
        return self.launcher.log_path.read_text(encoding="utf-8", errors="replace")


def started(installation: Installation, state_dir: Path, **overrides: object) -> AsteriskNode:
    """A running node of the test's own; end it with `node.launcher.stop()`."""
    for attempt in range(3):
        settings = free_settings(state_dir, **({"qualify_devices_s": 0} | overrides))
        launcher = Launcher(settings, installation)
        try:
            launcher.start()
            return AsteriskNode(settings, launcher)
        except PortTaken:  # another test run took it between our look and our start
            if attempt == 2:
                raise
            time.sleep(0.2)
    raise AssertionError("unreachable")


@pytest.fixture(scope="session")
def asterisk_installation() -> Installation:
    return install()


@pytest.fixture(scope="session")
def asterisk_node(
    asterisk_installation: Installation, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[AsteriskNode]:
    from tests.phone_fixture import tone_wav  # later, so that pytest rewrites that plugin's assertions too

    speech, waiting = tmp_path_factory.mktemp("speech"), tmp_path_factory.mktemp("waiting")
    tone_wav(waiting / "tone.wav", MUSIC_HZ, seconds=10.0)
    node = started(
        asterisk_installation,
        tmp_path_factory.mktemp("asterisk"),
        sounds_dirs=(FLOW_SOUNDS, waiting, speech),
        music=(Music(name="waiting", directory=waiting),),
        devices=tuple(Device(name=name) for name in DEVICES),
        trunks=(
            Trunk(name="main-carrier", host="127.0.0.2", qualify_s=0),
            Trunk(name="main-bench", host="127.0.0.3", qualify_s=0, context="bench"),
        ),
    )
    try:
        yield node
    finally:
        node.launcher.stop()
