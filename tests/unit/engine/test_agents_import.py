"""Agents as a table: read like YAML, every mistake at its cell; `centralita agents import`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from engine.cli.agents import app
from engine.config.loader import load
from engine.config.sources import read_sources
from tests.unit.engine.routing_files import GOOD

ROOT = Path(__file__).parents[3]
TABLE = "agent,name,device,code,queues,skills,languages\n"


def said(table: str) -> list[str]:
    return [str(problem) for problem in load({**GOOD, "config/agents.csv": table}).problems]


def test_a_table_says_what_yaml_says() -> None:
    table = TABLE + '\neva,"Ruiz, Eva",,2010,sales help,language.es=10 billing:4 vip,es en\npau,,,,all,,\n'
    found = load({**GOOD, "config/agents.csv": "\ufeff" + table})
    assert found.configuration is not None, str(found.problems)
    eva, pau = (found.configuration.routing.agents["main", name] for name in ("eva", "pau"))
    assert (eva.name, eva.code, eva.queues) == ("Ruiz, Eva", "2010", frozenset({"sales", "help"}))
    assert eva.skills == {"language.es": 10, "billing": 4, "vip": 1}
    assert eva.languages == ("es", "en")
    assert (pau.name, pau.queues, pau.skills) == ("pau", None, {})
    assert ("main", "ana") in found.configuration.routing.agents


def test_spanish_spreadsheets_divide_by_semicolons() -> None:
    found = load({**GOOD, "config/agents.csv": "agent;name;queues\neva;Ruiz, Eva;sales,help\n"})
    assert found.configuration is not None
    assert found.configuration.routing.agents["main", "eva"].queues == frozenset({"sales", "help"})


def test_every_mistake_of_a_table_is_said_at_once() -> None:
    found = said(f"{TABLE}eva,,,1,sales halp,vip=11,\neva,,,2,,,\n,Nobody,,3,,,\npau,Pau\nlea,,,4,sale,,\n")
    places = [
        problem.removeprefix("config/agents.csv:").split(" ")[0] for problem in found if " warning: " not in problem
    ]
    assert places == ["2:15:", "2:24:", "3:1:", "4:1:", "5:1:", "6:9:"]


def test_lines_under_a_wrong_first_line_are_not_judged_by_it() -> None:
    found = said("agente,name\neva,Eva\npau,Pau\n")
    assert [problem.split(": ")[1] for problem in found] == [
        "the column 'agent' is missing",
        "there is no column 'agente'",
    ]


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ("eva,Eva,1009,,,,", "2:9: there is no device '1009': did you mean '1001'?"),
        ('eva,"Ruiz, Eva",,1,sales halp,,', "2:26: there is no queue 'halp': did you mean 'help'?"),
        ("eva,,,1,,vip=1 biling=3,", "2:16: there is no skill 'biling': did you mean 'billing'?"),
        ("eva,,,1,,vip=11,", "2:14: 11 is out of range: write at most 10"),
        ("eva,,,2001,,,", "2:7: the code 2001 is ana's already: give each agent her own"),
        ("ana,,,1,,,", "2:1: 'ana' is declared in config/agents.yaml already: keep her in one of the two files"),
        ("eva,,,1,,,\neva,,,2,,,", "3:1: 'eva' stands in line 2 too: give each agent one line"),
        (",Eva,,1,,,", "2:1: this line names no agent: give each agent one line"),
        ("eva,Eva", "2:1: this line has 2 values, the first one 7: put values with a comma in double quotes"),
        ('eva,"Eva,,1,,,', "2:1: this line is not CSV (unexpected end of data)"),
        ("Eva Ruiz,,,1,,,", "2:1: 'Eva Ruiz' cannot be a name"),
    ],
)
def test_a_mistake_is_said_at_its_cell(lines: str, problem: str) -> None:
    found = said(f"{TABLE}{lines}\n")
    assert [line for line in found if line.startswith(f"config/agents.csv:{problem}")], found


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ("agent,nome\neva,Eva\n", ":1:7: there is no column 'nome': did you mean 'name'?"),
        ("agent,name,name\n", ":1:12: the column 'name' is named twice: keep one of them"),
        ("name\nEva\n", ":1:1: the column 'agent' is missing: it holds each agent's id"),
        ("", ": this table is empty"),
    ],
)
def test_a_header_that_says_nothing_is_refused(table: str, problem: str) -> None:
    assert said(table)[0].startswith(f"config/agents.csv{problem}")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for folder in ("config", "flows"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("sounds"))
    monkeypatch.setenv("CENTRALITA_HOME", str(tmp_path))
    monkeypatch.setenv("CENTRALITA_STATE", str(tmp_path / "var"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def take(*arguments: str) -> Result:
    return CliRunner(env={"COLUMNS": "200"}).invoke(app, ["import", *arguments])


def test_it_shows_first_and_writes_when_told(project: Path) -> None:
    (project / "new.csv").write_text(
        "agent,name,code,queues,skills\neva,Eva,2010,sales,sales=4\npau,Pau,2011,support,\n"
    )
    shown = take("new.csv")
    assert shown.exit_code == 0, shown.output
    assert "+ eva: Eva, sales" in shown.output
    assert "nothing was written" in shown.output
    assert not (project / "config/agents.csv").exists()
    assert take("new.csv", "--write").exit_code == 0
    configuration = load(read_sources(project)).configuration
    assert configuration is not None
    assert configuration.routing.agents["main", "eva"].skills == {"sales": 4}

    (project / "new.csv").write_text("agent,name,code,pin,queues\neva,Eva Ruiz,2010,4711,sales billing\n")
    changed = take("new.csv", "--write").output
    assert "~ eva: name Eva → Eva Ruiz" in changed
    assert "~ eva: queues sales → billing sales" in changed
    assert "~ eva: another pin" in changed
    assert "4711" not in changed
    assert "- pau: Pau" in changed
    assert "ana" not in changed


def test_a_list_with_mistakes_changes_nothing(project: Path) -> None:
    (project / "new.csv").write_text("agent,queues\neva,salse\n")
    result = take("new.csv", "--write")
    assert result.exit_code == 1
    assert "new.csv:2:5: there is no queue 'salse': did you mean 'sales'?" in " ".join(result.output.split())
    assert not (project / "config/agents.csv").exists()


def test_a_list_that_cannot_be_read_is_said(project: Path) -> None:
    assert take("nowhere.csv").exit_code == 1
    (project / "latin.csv").write_bytes("agent,name\neva,Peña\n".encode("latin-1"))
    assert "save it as CSV UTF-8" in " ".join(take("latin.csv").output.split())


def test_programs_get_json(project: Path) -> None:
    (project / "new.csv").write_text("agent,name,queues,code,pin\neva,Eva,sales,2010,4711\n")
    shown = json.loads(take("new.csv", "--json").output)
    assert (shown["changes"], shown["written"]) == (["+ eva: Eva, sales"], False)
    assert json.loads(take("new.csv", "--write", "--json").output)["written"] is True
    (project / "bad.csv").write_text("agent,queues\neva,salse\npau,suport\n")
    result = take("bad.csv", "--write", "--json")
    told = json.loads(result.output)
    assert (result.exit_code, told["changes"], told["written"]) == (1, [], False)
    wrong = [(each["file"], each["line"], each["column"]) for each in told["problems"] if each["severity"] == "error"]
    assert wrong == [("bad.csv", 2, 5), ("bad.csv", 3, 5)]
    assert "eva,Eva" in (project / "config/agents.csv").read_text(), "nothing was taken over"


def test_the_list_says_where_each_agent_is_from(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    of_the_api = {
        "agent_id": "pau",
        "name": "Pau [x]",
        "device": None,
        "code": "7",
        "queues": "all",
        "skills": {"vip": 3},
    }
    agents = [
        {**of_the_api, "declared": ""},
        {**of_the_api, "agent_id": "ana", "queues": ["sales"], "declared": "config/agents.yaml:12"},
    ]
    monkeypatch.setattr("engine.cli.agents.ask", lambda home, method, path: {"agents": agents})
    runner = CliRunner(env={"COLUMNS": "200"})
    text = runner.invoke(app, ["list"]).output
    assert [line.split()[-1] for line in text.splitlines()[1:]] == ["API", "config/agents.yaml:12"]
    assert "Pau [x]" in text
    assert json.loads(runner.invoke(app, ["list", "--json"]).output) == agents
