"""What Asterisk runs on outlives whoever started it: reloads change phones and trunks, never ports."""

import stat

import pytest
from pydantic import ValidationError

from engine import running_node
from engine.home import Home
from telephony.node.settings import Device, Emergency, NodeSettings, Route, Trunk


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path, tmp_path / "var")


@pytest.fixture
def node(home):
    return NodeSettings(
        state_dir=home.asterisk,
        devices=(Device(name="main-ana"),),
        trunks=(Trunk(name="main-carrier", host="10.0.0.1", match=("10.0.0.0/24",)),),
        overflow=Route(endpoint="main-ana"),
        emergency=Emergency(trunk="main-carrier"),
    )


def test_it_is_read_as_it_was_written_by_its_owner_alone(home, node):
    assert running_node.saved(home) is None
    running_node.save(home, node)
    assert running_node.saved(home) == node
    assert stat.S_IMODE(home.running_node.stat().st_mode) == 0o600


@pytest.mark.parametrize("text", ["", "{", '{"name": "x"}', "[]"])
def test_a_damaged_one_is_none(home, node, text):
    running_node.save(home, node)
    home.running_node.write_text(text)
    assert running_node.saved(home) is None


def test_a_reload_brings_phones_and_leaves_ports(home, node):
    wanted = node.model_copy(update={"devices": (*node.devices, Device(name="main-luis")), "sip_port": 5070})
    after = running_node.reloaded(node, wanted)
    assert [device.name for device in after.devices] == ["main-ana", "main-luis"]
    assert after.sip_port == node.sip_port
    assert running_node.waits_for_start(node, wanted) == ["sip_port"]


def test_what_the_running_node_cannot_do_is_refused_and_at_a_start_left_out(node):
    secure = Trunk(name="main-carrier", host="10.0.0.1", transport="tls")
    wanted = node.model_copy(update={"trunks": (secure,), "tls_port": 5061})
    with pytest.raises(ValidationError):
        running_node.reloaded(node, wanted)
    assert running_node.as_far_as_possible(node, wanted) is node


def test_a_benchmarks_carrier_outlives_the_reload_of_files_that_do_not_know_it(node):
    measured = node.model_copy(update={"bench_trunk": Trunk(name="main-bench", host="10.0.0.9", context="bench")})
    assert [trunk.name for trunk in running_node.reloaded(measured, node).carriers] == ["main-carrier", "main-bench"]
