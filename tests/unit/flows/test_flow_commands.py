"""`centralita flow …` as an admin types it."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest
from typer.testing import CliRunner, Result

from core.decisions import Decision, InteractionOpened, NodeEntered, NodeLeft
from core.events import DigitPressed, LegArrived
from engine.cli.flow import app
from engine.config.loader import load
from engine.config.sources import pack, read_sources
from store.cipher import ContactCipher
from store.entry import Entry
from store.journal import Journal

ROOT = Path(__file__).parents[3]
DAY = "2026-03-10 11:00"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of its own, with the shipped flows."""
    for folder in ("config", "flows"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("sounds"))
    (tmp_path / "var").mkdir()
    monkeypatch.setenv("CENTRALITA_HOME", str(tmp_path))
    monkeypatch.setenv("CENTRALITA_STATE", str(tmp_path / "var"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def flow(*arguments: str, typed: str = "") -> Result:
    return CliRunner().invoke(app, list(arguments), input=typed, terminal_width=200)


def plain(text: str) -> str:
    return " ".join(text.split())


# -- try ---------------------------------------------------------------------------------------------
def test_a_walk_shows_what_is_heard_and_where(project: Path) -> None:
    walk = flow("try", "reception", "--time", DAY, typed="9\n1\ns\n")
    assert walk.exit_code == 0
    said = plain(walk.output)
    for words in (
        "Recepción",
        "“Le damos la bienvenida a Acme.”",
        "reception/main",
        "For sales, press 1.",
        "JoinQueue",
    ):
        assert words in said
    assert "the call is over (completed" in said


def test_a_walk_that_is_left_hangs_up(project: Path) -> None:
    walk = flow("try", "reception", "--time", DAY)
    assert walk.exit_code == 0
    assert "caller_hung_up" in walk.output


def test_circumstances_can_be_given(project: Path) -> None:
    walk = flow("try", "reception", "--time", DAY, "--queue", "sales=no_agents", "--language", "en", typed="1\nv\nh\n")
    said = plain(walk.output)
    assert "We cannot take your call right now." in said
    assert "topic = sales" in said


def test_night_and_toggles_can_be_tried(project: Path) -> None:
    assert "Nuestro horario" in plain(flow("try", "reception", "--time", "2026-03-10 23:00").output)
    closed = flow("try", "reception", "--time", DAY, "--toggle", "closure=on", typed="#9\n0000#\n")
    assert "El cierre de emergencia está desactivado." in plain(closed.output)


def test_what_no_caller_does_is_answered_with_help(project: Path) -> None:
    assert "press keys" in flow("try", "reception", "--time", DAY, typed="hello\nh\n").output


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("try", "receptoin"), "did you mean 'reception'?"),
        (("try", "reception", "--language", "fr"), "it speaks es, en"),
        (("try", "reception", "--time", "tomorrow"), "write it like 2026-03-10 11:00"),
        (("try", "reception", "--queue", "sales"), "write name=value"),
        (("try", "reception", "--queue", "sales=nobody"), "not one of the choices"),
        (("test", "receptoin"), "did you mean 'reception'?"),
        (("draw", "receptoin"), "did you mean 'reception'?"),
        (("draw",), "write centralita flow draw NAME"),
    ],
)
def test_a_wrong_command_line_is_explained(project: Path, arguments: tuple[str, ...], says: str) -> None:
    result = flow(*arguments)
    assert result.exit_code == 2
    assert says in plain(result.output)


def test_broken_flows_are_not_tried(project: Path) -> None:
    (project / "flows" / "reception.yaml").write_text("flow: reception\nstart: nowhere\nnodes: {a: {type: hangup}}\n")
    result = flow("try", "reception")
    assert result.exit_code == 1
    assert "flows/reception.yaml:2:8: there is no node 'nowhere'" in plain(result.output)


def break_a_flow(project: Path, name: str) -> None:
    (project / "flows" / f"{name}.yaml").write_text(f"flow: {name}\nstart: nowhere\nnodes: {{a: {{type: hangup}}}}\n")


def test_a_flow_is_tried_and_tested_while_another_is_broken(project: Path) -> None:
    break_a_flow(project, "reminder")
    with (project / "config" / "queues" / "sales.yaml").open("a") as file:
        file.write("colour: red\n")
    walk = flow("try", "reception", "--time", DAY, typed="h\n")
    assert walk.exit_code == 0, walk.output
    assert "reception/main" in walk.output
    aside = "not looked at, for something is wrong there: config/queues/sales.yaml, flows/reminder.yaml"
    assert aside in plain(walk.stderr)
    tested = flow("test", "reception", "--json")
    assert tested.exit_code == 0, tested.output
    assert [each["flow"] for each in json.loads(tested.stdout)["files"]] == ["reception"]
    assert aside in plain(tested.stderr)
    for broken in (("test",), ("test", "reminder"), ("try", "reminder"), ("try", "nothing")):
        result = flow(*broken)
        assert result.exit_code == 1
        assert "flows/reminder.yaml:2:8: there is no node 'nowhere'" in plain(result.output)


@pytest.mark.parametrize("needed", ["flows/after_hours.yaml", "config/calendars/office.yaml", "config/site.yaml"])
def test_a_flow_is_not_tried_while_what_it_needs_is_broken(project: Path, needed: str) -> None:
    (project / needed).write_text("what: is this\n")
    for command in ("try", "test"):
        result = flow(command, "reception")
        assert result.exit_code == 1
        assert needed in plain(result.output)


def test_the_keys_of_a_list_are_shown(project: Path) -> None:
    (project / "flows" / "pick.yaml").write_text("""flow: pick
start: ask
variables: {days: "lunes|martes"}
languages: [es]
nodes:
  ask:
    type: menu
    prompt: "Elija."
    options: {from: days, prompt: "Para {{ option }}, marque {{ key }}.", into: day, next: bye}
    keys: {"0": bye}
  bye: {type: hangup}
""")
    assert "pick/ask [1 2 0]>" in plain(flow("try", "pick", typed="2\n").output)


# -- test --------------------------------------------------------------------------------------------
def test_the_shipped_tests_pass(project: Path) -> None:
    result = flow("test", "--coverage")
    assert result.exit_code == 0, result.output
    assert "tests passed" in result.output
    assert "never" not in result.output


def break_a_test(project: Path) -> None:
    file = project / "flows" / "after_hours.test.yaml"
    file.write_text(file.read_text().replace("Hoy es festivo", "Hoy es fiesta"))


def test_a_failure_shows_its_place_and_the_call(project: Path) -> None:
    break_a_test(project)
    result = flow("test", "after_hours")
    assert result.exit_code == 1
    said = plain(result.output)
    assert re.search(r"flows/after_hours.test.yaml:\d+:\d+: not heard: 'Hoy es fiesta'", said)
    assert "Hoy es festivo" in said
    assert "1 of 10 tests failed" in said


def test_json_and_junit_tell_machines_the_same(project: Path) -> None:
    break_a_test(project)
    result = flow("test", "after_hours", "--json", "--junit", "out/report.xml")
    assert result.exit_code == 1
    told = json.loads(result.output)
    assert told["ok"] is False
    assert [test["name"] for test in told["files"][0]["tests"] if not test["passed"]] == ["on a holiday"]
    assert told["coverage"][0]["nodes"] == 1
    suite = Xml.parse(project / "out" / "report.xml").getroot()[0]
    assert (suite.get("tests"), suite.get("failures")) == ("10", "1")


def test_some_tests_only(project: Path) -> None:
    result = flow("test", "after_hours", "--only", "disk", "--verbose")
    assert "1 tests passed" in result.output
    assert "llame más tarde" in plain(result.output)


def test_what_nobody_tests_is_named(project: Path) -> None:
    result = flow("test", "after_hours", "--only", "on a holiday", "--coverage")
    assert "never reached: closed" in plain(result.output)


def test_nothing_to_test_is_no_success(project: Path) -> None:
    assert flow("test", "--only", "no such test").exit_code == 1


# -- draw --------------------------------------------------------------------------------------------
def svg(path: Path) -> str:
    text = path.read_text()
    Xml.fromstring(text)
    return text


def test_a_flow_is_drawn(project: Path) -> None:
    assert flow("draw", "collections").exit_code == 0
    assert "Pagos pendientes" in svg(project / "collections.svg")


def test_it_can_be_drawn_in_english_to_the_terminal(project: Path) -> None:
    result = flow("draw", "collections", "--language", "en", "--out", "-")
    assert "Payments due" in result.output
    Xml.fromstring(result.output)


def test_coverage_is_drawn(project: Path) -> None:
    assert flow("draw", "after_hours", "--coverage", "-o", "x.svg").exit_code == 0
    assert re.search(r'class="node [^"]*\bvisited\b', svg(project / "x.svg"))


def test_the_way_of_a_call_is_drawn_over_the_flow_it_went_through(project: Path) -> None:
    """Even when the flow has changed since."""
    sources = read_sources(project)
    configuration = load(sources).configuration
    assert configuration is not None
    asyncio.run(keep_a_call(project / "var", configuration.release_id, pack(sources)))
    file = project / "flows" / "reception.yaml"
    file.write_text(file.read_text().replace("Recepción", "Portería"))
    result = flow("draw", "--interaction", "last", "--output", "way.svg")
    assert result.exit_code == 0, result.output
    drawn = svg(project / "way.svg")
    assert "Recepción" in drawn
    assert "walked" in drawn
    missing = flow("draw", "collections", "--interaction", "i-7")
    assert missing.exit_code == 1
    assert "it was in reception" in plain(missing.output)


def test_the_way_of_another_tenants_phone_through_a_flow_of_the_main_one_is_drawn(project: Path) -> None:
    sources = read_sources(project)
    configuration = load(sources).configuration
    assert configuration is not None
    asyncio.run(keep_a_call(project / "var", configuration.release_id, pack(sources), "acme"))
    result = flow("draw", "--interaction", "last", "--output", "way.svg")
    assert result.exit_code == 0, result.output
    assert "walked" in svg(project / "way.svg")


async def keep_a_call(state: Path, release_id: str, body: bytes, tenant: str = "main") -> None:
    arrived = LegArrived("leg-7", "main", "100", "+34911234567")
    opened = InteractionOpened(
        "i-7", tenant, "voice", "in", "100", "+34911234567", "reception", release_id, "es", "number 100"
    )
    decisions: list[Decision] = [
        opened,
        NodeEntered("reception", "welcome", 1),
        NodeLeft("reception", "welcome", 1, "next", "main"),
        NodeEntered("reception", "main", 2),
    ]
    journal = Journal.open(state / "journal.db", ContactCipher.open(state), lambda _: None)
    try:
        journal.append(Entry("i-7", "k", 1_773_136_800.0, arrived, decisions))
        pressed: list[Decision] = [
            NodeLeft("reception", "main", 2, "1", "to_sales"),
            NodeEntered("reception", "to_sales", 3),
        ]
        seq = journal.append(Entry("i-7", "k", 1_773_136_803.0, DigitPressed("leg-7", "1"), pressed))
        await journal.save_release(release_id, body)
        await journal.durable(seq)
    finally:
        await journal.close()


# -- texts and schema ------------------------------------------------------------------------------------------
def test_texts_are_listed_for_a_voice_artist(project: Path) -> None:
    assert "es  Le damos la bienvenida a Acme." in flow("texts").output
    assert {"text": "Welcome to Acme.", "language": "en"} in json.loads(flow("texts", "--json").output)


def test_schemas_are_written(project: Path) -> None:
    result = flow("schema", "--out", "schemas")
    assert result.exit_code == 0
    schema = json.loads((project / "schemas" / "flow.json").read_text())
    assert "menu" in schema["$defs"]["Node"]["properties"]["type"]["enum"]


def test_the_files_point_to_schemas_that_are_there() -> None:
    for file in [*ROOT.glob("flows/*.yaml"), *ROOT.glob("config/**/*.yaml")]:
        found = re.match(r"# yaml-language-server: \$schema=(\S+)\n", file.read_text())
        assert found, f"{file} has no schema in its first line"
        assert (file.parent / found[1]).resolve().is_file(), file
