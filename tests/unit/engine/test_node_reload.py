"""New phones and trunks for the local Asterisk: what failed half-way is done again."""

from pathlib import Path

import pytest

from core.errors import CommandFailed, CommandRefused
from engine import running_node
from engine.home import Home
from engine.node_reload import reload_node
from telephony.ami.facts import Contact
from telephony.node.installation import Installation
from telephony.node.settings import Device, NodeSettings, Registration, Secrets, Trunk

ASTERISK = Installation(Path("/asterisk"), "22", Path("/modules"), Path("/data"))
SECRETS = Secrets()


class Ami:
    """Does everything but `broken`."""

    def __init__(self, broken=""):
        self.broken, self.done = broken, []

    async def start(self):
        self._do("start")

    async def reload(self, module):
        self._do("reload")

    async def contacts(self):
        self._do("contacts")
        return [Contact("main-ana", "sip:ana@192.0.2.1", "reachable", 0.0, "main-ana;@1")]

    async def forget(self, contact):
        self._do(f"forget {contact.device}")

    async def register(self, name):
        self._do(f"register {name}")

    def _do(self, what):
        if self.broken and what.startswith(self.broken):
            raise CommandRefused(what)
        self.done.append(what)


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setattr("engine.node_reload.render", lambda node, installation: None)
    return Home(tmp_path, tmp_path / "state")


def node(secret):
    trunk = Trunk(name="carrier", host="192.0.2.9", registration=Registration(username="we", password=secret))
    return NodeSettings(
        state_dir="/nowhere",
        devices=(Device(name="main-ana", secret=f"{secret}-of-ana"),),
        trunks=(trunk,),
        secrets=SECRETS,
    )


@pytest.mark.parametrize("broken", ["start", "reload", "contacts", "register"])
async def test_what_failed_is_done_again_by_whoever_starts_meanwhile_too(place, broken):
    old, new = node("stolen-secret-1"), node("another-secret-2")
    running_node.save(place, old)
    with pytest.raises(CommandFailed):
        await reload_node(place, Ami(broken), ASTERISK, old, new)
    assert running_node.saved(place) == old
    again = Ami()
    await reload_node(place, again, ASTERISK, running_node.saved(place), new)
    assert {"forget main-ana", "register carrier-registration"} <= set(again.done)
    assert running_node.saved(place) == new


async def test_a_phone_that_left_by_itself_is_no_trouble(place):
    await reload_node(place, Ami("forget"), ASTERISK, node("stolen-secret-1"), node("another-secret-2"))
    assert running_node.saved(place) == node("another-secret-2")
