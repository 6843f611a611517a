"""docs/flows.md: every example in it loads, and every word of the language is in it."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import indent

import pytest
import yaml

from definitions.models import Definition, keys_of
from definitions.yaml import Marked, load_marked
from engine.config.loader import load as load_configuration
from engine.config.sources import read_sources
from ivr.filters import FILTERS, TESTS
from ivr.flow_file import FlowFile
from ivr.loader import load
from ivr.nodes import VERBS
from ivr.prompts import Prompt
from ivr.scenario.given import GivenModel
from ivr.scenario.model import Expect, Step
from ivr.scenario.runner import run
from ivr.templates import BUILT_IN_VARIABLES, Expression

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docs" / "flows.md").read_text()
FENCES = [
    (match[1], match[2].strip("\n") + "\n")
    for match in re.finditer(r"^```(\w+ ?[\w ]*)\n(.*?)^```$", TEXT, re.M | re.S)
]
IDENTIFY = """flow: identify
languages: [es, en]
start: back
variables: {attempts: "1"}
nodes:
  back: {type: return, branch: unknown, values: {document: x}}
"""
VARIABLES = (
    *("attempts", "balance", "choice", "currency", "document", "name"),
    *("number", "promise", "slots", "spoken", "vip"),
)


def fences(kind: str) -> list[str]:
    found = [body for info, body in FENCES if info == f"yaml {kind}"]
    assert found, f"no example of a {kind}"
    return found


def surroundings() -> dict[str, str]:
    tables = [body for info, body in FENCES if info == "csv"]
    return {
        "config/calendars/office.yaml": fences("calendar")[0],
        "config/tables/vips.csv": tables[0],
        "config/tables/extensions.csv": (ROOT / "config/tables/extensions.csv").read_text(),
        "flows/identify.yaml": IDENTIFY,
    }


def in_a_flow(nodes: str) -> str:
    """The nodes in a flow in which everything they lead to exists."""
    written = yaml.safe_load(nodes)
    head = f"flow: example\nlanguages: [es, en]\nstart: {next(iter(written))}\n"
    head += f"variables: {{{', '.join(f'{name}: x' for name in VARIABLES)}}}\nnodes:\n{indent(nodes, '  ')}"
    problems = load({**surroundings(), "flows/example.yaml": head}).problems
    missing = sorted({found[1] for p in problems if (found := re.match(r"there is no node '([\w-]+)'", p.what))})
    return head + "".join(f"  {name}: {{type: hangup}}\n" for name in missing if name not in written)


@pytest.mark.parametrize("body", fences("flow"), ids=lambda body: yaml.safe_load(body)["flow"])
def test_every_flow_loads(body: str) -> None:
    name = yaml.safe_load(body)["flow"]
    assert not list(load({f"flows/{name}.yaml": body}).problems)


@pytest.mark.parametrize("body", fences("node"), ids=lambda body: yaml.safe_load(body).popitem()[1]["type"])
def test_every_node_loads(body: str) -> None:
    loaded = load({**surroundings(), "flows/example.yaml": in_a_flow(body)})
    assert not list(loaded.problems)


def test_every_prompt_is_one() -> None:
    for body in fences("prompts"):
        marked = load_marked(body, "docs/flows.md")
        assert isinstance(marked, Marked)
        for source in marked.value:
            assert Prompt(source).parts({"balance": "3"}, "es", ("es", "en"))


def test_every_condition_compiles() -> None:
    for body in fences("conditions"):
        for source in yaml.safe_load(body):
            Expression(source)


def test_the_calendar_and_the_table_load() -> None:
    loaded = load(surroundings())
    assert not list(loaded.problems)


def test_the_first_flow_and_its_test_are_the_files_of_the_examples() -> None:
    for name, body in (("hello.yaml", fences("flow")[0]), ("hello.test.yaml", fences("test hello")[0])):
        assert body == (ROOT / "docs" / "examples" / name).read_text()


def test_the_example_of_a_test_passes() -> None:
    configuration = load_configuration(read_sources(ROOT)).configuration
    assert configuration is not None
    result = run(fences("test reception")[0], "docs/flows.md", configuration.release)
    assert result.passed, [str(problem) for problem in (*result.problems, *result.results[0].failures)]


@pytest.mark.parametrize("model", [GivenModel, Step, Expect], ids=lambda model: model.__name__)
def test_every_key_of_a_test_is_explained(model: type[Definition]) -> None:
    reference = TEXT[TEXT.index("## Tests") : TEXT.index("## Traps")]
    assert [key for key in keys_of(model) if not re.search(rf"\b{key}\b", reference)] == []


@pytest.mark.parametrize("verb", VERBS)
def test_every_key_of_every_node_is_explained(verb: str) -> None:
    sections = dict(re.findall(r"^### (\w+)\n(.*?)(?=^###? )", TEXT, re.M | re.S))
    said = sections[verb]
    missing = [key for key in keys_of(VERBS[verb].model) if not re.search(rf"\b{key}\b", said)]
    assert set(missing) <= {"note", "error", "no_input", "no_match"}


def test_every_key_of_the_file_is_explained() -> None:
    assert [key for key in keys_of(FlowFile) if f"| `{key}` |" not in TEXT] == []


def test_every_filter_test_and_variable_is_explained() -> None:
    reference = TEXT[TEXT.index("## Variables") : TEXT.index("## When callers")]
    assert [name for name in FILTERS if not re.search(rf"`{name}[(`]", reference)] == []
    assert [
        name for name in (*TESTS, "defined", "undefined", "none", "matching") if f"is {name}" not in reference
    ] == []
    assert [name for name in BUILT_IN_VARIABLES if f"`{name}`" not in reference] == []
