"""What the commands say to a person who meets the system for the first time."""

import contextlib
import json
import socket
import stat

import pytest
import typer
import yaml
from typer.testing import CliRunner

from engine.cli import lazy
from engine.cli.app import app
from engine.home import Home, SecretBox
from telephony.node.ports import free_port, free_settings


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A site whose SIP port is another program's."""
    ports = free_settings(tmp_path / "ports")
    site = {
        "site": "acme",
        "languages": ["es"],
        "sip": {"port": ports.sip_port},
        "asterisk_http_port": ports.http_port,
        "asterisk_manager_port": ports.ami_port,
        "api_port": free_port(),
        "desk_port": free_port(),
    }
    files = {
        "config/site.yaml": yaml.safe_dump(site),
        "config/devices/1001.yaml": 'device: "1001"\ntitle: "Ana"\n',
        "config/numbers/default.yaml": "default: yes\nflow: bye\n",
        "flows/bye.yaml": "flow: bye\nstart: bye\nnodes:\n  bye: {type: hangup}\n",
    }
    for name, text in files.items():
        file = tmp_path / "project" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    monkeypatch.setenv("CENTRALITA_HOME", str(tmp_path / "project"))
    monkeypatch.setenv("CENTRALITA_STATE", str(tmp_path / "var"))
    monkeypatch.chdir(tmp_path)
    return site


@pytest.fixture
def encrypted(project, tmp_path):
    """Besides 1001 one that encrypts all it says, and a browser."""
    config = tmp_path / "project" / "config"
    site = {**project, "sip": {**project["sip"], "tls_port": free_port()}}
    (config / "site.yaml").write_text(yaml.safe_dump(site))
    (config / "devices" / "1008.yaml").write_text('device: "1008"\ntransport: tls\nsrtp: yes\ntrial: yes\n')
    (config / "devices" / "1009.yaml").write_text('device: "1009"\nwebrtc: yes\n')
    return site["sip"]


def said(*words):
    result = CliRunner().invoke(app, words, env={"COLUMNS": "80"})
    return result.exit_code, result.output


def test_ports_that_are_taken_are_all_named_by_their_keys(project, asterisk_installation, tmp_path):
    taken = ("asterisk_http_port", "api_port", "desk_port")
    with contextlib.ExitStack() as held:
        sip = held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        sip.bind(("127.0.0.1", project["sip"]["port"]))
        for key in taken:
            other = held.enter_context(socket.socket())
            other.bind(("127.0.0.1", project[key]))
            other.listen()
        code, words = said("up")
    assert code == 5
    assert "another sip.port in config/site.yaml" in words
    for key in taken:
        assert f"another {key} in config/site.yaml" in words
    assert "asterisk_manager_port" not in words
    assert stat.S_IMODE((tmp_path / "var").stat().st_mode) == 0o700


def test_accounts_shows_each_phone_with_its_password(project, tmp_path):
    code, words = said("accounts", "1001")
    secret = SecretBox(Home.find().state / "secrets.json").named("device/")["main-1001"]
    assert code == 0
    assert f"user main-1001  password {secret}  Ana" in words
    assert "sip:main-1001@127.0.0.1" in words
    assert said("accounts", "9")[0] == 1


def test_an_account_says_what_its_phone_must_be_set_to(encrypted):
    words = said("accounts", "1008")[1]
    assert "TLS, SRTP" in words
    assert f"sip:main-1008@127.0.0.1:{encrypted['tls_port']};transport=tls" in words
    words = said("accounts", "1009")[1]
    assert "in a browser, through" in words
    assert "sip:" not in words
    told = {one["user"]: one for one in json.loads(said("accounts", "--json")[1])}
    assert (told["main-1008"]["transport"], told["main-1008"]["srtp"]) == ("tls", True)
    assert (told["main-1009"]["webrtc"], told["main-1001"]["srtp"]) == (True, False)


def test_the_terminals_phone_is_set_to_what_its_account_must_have(encrypted):
    assert said("accounts")[0] == 0
    found = lazy._account(None)
    assert (found.account, found.transport, found.srtp) == ("main-1008", "tls", True)
    assert found.registers_at == encrypted["tls_port"]
    plain = lazy._account("1001")
    assert (plain.transport, plain.registers_at, plain.srtp) == ("udp", encrypted["port"], False)
    with pytest.raises(typer.Exit):
        lazy._account("1009")


def test_a_lost_phone_is_named_in_full_where_two_companies_have_one_of_its_name(project, tmp_path):
    other = tmp_path / "project" / "tenants" / "beta" / "config" / "devices"
    other.mkdir(parents=True)
    (other / "1001.yaml").write_text('device: "1001"\n')
    assert said("accounts")[0] == 0
    box = Home.find().state / "secrets.json"
    before = SecretBox(box).named("device/")
    assert before.keys() == {"main-1001", "beta-1001"}
    code, words = said("accounts", "1001", "--new-password")
    assert (code, SecretBox(box).named("device/")) == (2, before)
    assert "which of them?" in words
    assert said("accounts", "main-1001", "--new-password")[0] == 0
    after = SecretBox(box).named("device/")
    assert [name for name in before if before[name] != after[name]] == ["main-1001"]


def test_a_phone_named_in_short_is_the_main_tenants_where_others_have_one_too(project, tmp_path):
    other = tmp_path / "project" / "tenants" / "beta" / "config" / "devices"
    other.mkdir(parents=True)
    (other / "1001.yaml").write_text('device: "1001"\n')
    assert said("accounts")[0] == 0
    assert [lazy._account(name).account for name in ("1001", "beta-1001")] == ["main-1001", "beta-1001"]


def test_one_thing_is_not_several(project):
    assert "1 flow, 4 files, 1 warning" in said("check")[1]


def test_who_may_not_read_the_state_is_told_what_is_wrong_with_the_files(project, monkeypatch):
    def closed(state):
        raise PermissionError(13, "Permission denied", str(state / "dnc"))

    monkeypatch.setattr("desk.lists.registers.registers_at_hand", closed)
    code, words = said("check")
    assert code == 0
    assert "nobody knows here which campaigns miss a do-not-call register" in words
    assert "all right: 1 flow" in words


def test_check_says_what_is_wrong_with_tests_too(project, tmp_path):
    flow = next((tmp_path / "project" / "flows").glob("*.yaml")).stem
    tests = tmp_path / "project" / "flows" / f"{flow}.test.yaml"
    tests.write_text(f"flow: {flow}\ntests:\n  - name: a\n    steps: [{{presss: 1}}]\n    expect: {{ended: yes}}\n")
    code, words = said("check")
    assert code == 1
    assert f"flows/{flow}.test.yaml:4:" in words
    assert "press" in words


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, "main-1001"),
        ({"1007": 'device: "1007"\n'}, "main-1007"),
        ({"1007": 'device: "1007"\n', "1099": 'device: "1099"\ntrial: yes\n'}, "main-1099"),
    ],
)
def test_the_phone_that_tries_things_is_no_agents_where_there_is_another(project, tmp_path, more, expected):
    config = tmp_path / "project" / "config"
    (config / "agents.yaml").write_text('agents:\n  ana: {name: Ana, device: "1001"}\n')
    (config / "queues").mkdir()
    (config / "queues" / "sales.yaml").write_text("queue: sales\n")
    for name, text in more.items():
        (config / "devices" / f"{name}.yaml").write_text(text)
    assert said("accounts")[0] == 0
    assert lazy._account(None).account == expected
    assert lazy._account("1001").account == "main-1001"
