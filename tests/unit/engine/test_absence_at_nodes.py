"""What each of the site's Asterisks does while the engine is away: set for each, checked, and told."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from engine import absence
from engine.absence import in_words, send_everywhere
from engine.cli.app import app
from engine.commanded import Commanded, local, remote_commanded
from engine.config.absence import absence_at, absence_warnings
from engine.config.configuration import Configuration
from engine.config.loader import load
from engine.home import Home, SecretBox
from engine.node_settings import node_settings, remote_node_settings

FILES = {
    "config/numbers/default.yaml": "default: yes\nflow: f\n",
    "flows/f.yaml": "flow: f\nstart: a\nlanguages: [es]\nnodes: {a: {type: hangup}}\n",
    "config/devices/1001.yaml": 'device: "1001"\n',
    "config/devices/1020.yaml": 'device: "1020"\nnode: far\n',
    "config/trunks/here.yaml": "trunk: here\nhost: 10.0.0.1\n",
    "config/trunks/there.yaml": "trunk: there\nhost: 10.0.0.2\nnode: far\n",
    "config/outbound.yaml": 'emergency: {numbers: ["112"], trunk: here}\n',
}
SITE = """site: near
languages: [es]
sip: {relay_host: 10.9.0.1}
absence: {overflow: {endpoint: "1001"}}
nodes:
  - {node: far, port: 18088, recordings: /srv/far, relay_host: 10.9.0.2%s}
"""
OWN = ', overflow: {endpoint: there, number: "900"}, emergency_trunk: there'


def files(own: str = "", **more: str) -> dict[str, str]:
    return {**FILES, "config/site.yaml": SITE % own, **more}


def loaded(sources: dict[str, str]) -> Configuration:
    read = load(sources)
    assert read.configuration is not None, str(read.problems)
    return read.configuration


def test_a_node_that_names_nothing_reaches_nothing_of_another_node() -> None:
    configuration = loaded(files())
    assert absence_at(configuration, "far").overflow is None
    assert absence_at(configuration, "far").emergency_trunks == ()
    here = absence_at(configuration, "near")
    assert (here.overflow and here.overflow.endpoint, here.emergency_trunks) == ("1001", ("main-here",))
    emergency, callers = sorted(map(str, absence_warnings(configuration)))
    for told, what in (
        (callers, "callers at far hear the apology"),
        (emergency, "112 cannot be dialed from phones at"),
    ):
        assert told.startswith("config/site.yaml:6:")
        assert f"warning: while the engine is away, {what}" in told


def test_what_it_names_of_its_own_is_what_its_dialplan_gets(tmp_path: Path) -> None:
    configuration, box = loaded(files(OWN)), SecretBox(tmp_path / "secrets.json")
    assert not list(absence_warnings(configuration))
    far = remote_node_settings(configuration, "far", box)
    assert far.overflow is not None
    assert (far.overflow.endpoint, far.overflow.number) == ("main-there", "900")
    assert far.emergency is not None
    assert (far.emergency.trunk, far.emergency.numbers) == ("main-there", ("112",))


def test_the_sites_own_is_taken_where_it_happens_to_be(tmp_path: Path) -> None:
    moved = {
        "config/site.yaml": (SITE % "").replace('endpoint: "1001"', 'endpoint: "1020"'),
        "config/outbound.yaml": FILES["config/outbound.yaml"].replace("here", "there"),
    }
    configuration, box = loaded({**FILES, **moved}), SecretBox(tmp_path / "secrets.json")
    far = remote_node_settings(configuration, "far", box)
    assert far.overflow is not None
    assert far.emergency is not None
    (tmp_path / "config").mkdir()
    (tmp_path / "config/site.yaml").write_text(moved["config/site.yaml"])
    near = node_settings(Home.find(tmp_path, tmp_path / "var"), configuration, box)
    assert (near.overflow, near.emergency) == (None, None)
    told = [str(problem) for problem in absence_warnings(configuration)]
    assert [text.partition(" ")[0] for text in told] == ["config/outbound.yaml:1:38:", "config/site.yaml:4:10:"]


@pytest.mark.parametrize(
    ("own", "what"),
    [
        (', overflow: {endpoint: "1001"}', "there is no phone or trunk '1001' at node far"),
        (", overflow: {endpoint: there}", "has no number to dial"),
        (", emergency_trunk: here", "there is no trunk 'here' at node far"),
    ],
)
def test_what_is_elsewhere_cannot_be_named(own: str, what: str) -> None:
    read = load(files(own))
    assert read.configuration is None
    (problem,) = read.problems.errors
    assert str(problem).startswith("config/site.yaml:6:")
    assert what in str(problem)


def test_a_list_says_it_of_every_node(tmp_path: Path) -> None:
    for name, text in files(OWN).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    asked = ["node", "list", "--project", str(tmp_path)]
    rows = json.loads(CliRunner().invoke(app, [*asked, "--json"]).stdout)
    assert [(row["node"], row["overflow"]["endpoint"], row["emergency_trunks"]) for row in rows] == [
        ("near", "1001", ["main-here"]),
        ("far", "there", ["main-there"]),
    ]
    shown = CliRunner().invoke(app, asked)
    assert shown.exit_code == 0
    assert "far" in shown.stdout


# -- the supervisor -----------------------------------------------------------------------------------
NODES = (Commanded("near", "http://near/ari", "a"), Commanded("far", "http://far/ari", "b"))


class Site:
    """Each node has one caller. `silent` does not answer."""

    def __init__(self, silent: str = "") -> None:
        self.silent, self.sent = silent, list[str]()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        host, path = request.url.host, request.url.path.removeprefix("/ari")
        if host == self.silent:
            raise httpx.ConnectTimeout("nobody", request=request)
        if path.startswith("/applications/"):
            return httpx.Response(200, json={"channel_ids": [f"{host}-c1"]})
        if path.endswith("/continue"):
            self.sent.append(f"{host} {request.url.params['context']}")
        return httpx.Response(200, json=[])

    def reached(self, node: Commanded, within_s: float = 3.0) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.MockTransport(self), base_url=node.url)


async def never() -> bool:
    return False


async def test_callers_of_every_node_are_looked_after(monkeypatch: pytest.MonkeyPatch) -> None:
    site = Site()
    monkeypatch.setattr(absence, "reached", site.reached)
    sent = await send_everywhere(NODES, never, {})
    assert sent == {"near": 1, "far": 1}
    assert sorted(site.sent) == ["far overflow", "near overflow"]
    assert in_words(sent) == ("the engine is still away: 2 waiting callers were sent to overflow (1 at near, 1 at far)")
    assert in_words({"near": 1}) == "the engine is still away: 1 waiting caller was sent to overflow"


async def test_a_node_that_is_silent_too_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    site = Site(silent="near")
    monkeypatch.setattr(absence, "reached", site.reached)
    assert await send_everywhere(NODES, never, {}) == {"near": None, "far": 1}
    assert site.sent == ["far overflow"]


def test_the_supervisor_has_a_password_of_its_own_at_every_node(tmp_path: Path) -> None:
    configuration, box = loaded(files()), SecretBox(tmp_path / "secrets.json")
    far = remote_node_settings(configuration, "far", box)
    (reached,) = remote_commanded(configuration, box)
    assert (reached.node, reached.url) == ("far", "http://127.0.0.1:18088/ari")
    assert reached.password == far.secrets.ari_supervisor == local(far).password
    assert reached.password != far.secrets.ari_engine
