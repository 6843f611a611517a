"""Runs scenario files against a release, in virtual time.

result = run(text, "flows/reception.test.yaml", release)
result.problems      # what is wrong with the file itself; then nothing was run
result.results       # one per test, each with its failures as file:line:column and its transcript
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from core.decisions import NodeLeft
from definitions.faults import did_you_mean
from definitions.models import validate
from definitions.problems import Problem, Problems
from definitions.yaml import Marked, load_marked
from ivr.model import Flow, Release
from ivr.run import Start
from ivr.scenario.caller import Caller
from ivr.scenario.compare import Difference, Ears, compare, nodes_of, show
from ivr.scenario.given import GivenModel
from ivr.scenario.model import ScenarioFile, ScenarioTest, Step
from ivr.scenario.promises import AgentReply, Given, QueueReply, WebReply
from ivr.scenario.transcript import Decided, Line
from ivr.visit import World

Node = tuple[str, str]
Branch = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class TestResult:
    """`failures`: empty when it passed. `nodes`: (flow, node) reached; `branches`: (flow, node, branch) taken.
    `took_s`: virtual seconds."""

    name: str
    place: Problem
    failures: tuple[Problem, ...]
    transcript: str
    nodes: frozenset[Node]
    branches: frozenset[Branch]
    took_s: float

    @property
    def passed(self) -> bool:
        return not self.failures


@dataclass(frozen=True, slots=True)
class FileResult:
    """`problems`: the file could not be read; otherwise every test has a result."""

    file: str
    tenant: str
    flow: str = ""
    problems: Problems = field(default_factory=Problems)
    results: tuple[TestResult, ...] = ()

    @property
    def passed(self) -> bool:
        return not self.problems.errors and all(result.passed for result in self.results)


@dataclass(frozen=True, slots=True)
class Played:
    """A caller as she is at the end. `missed`: the first thing she should have heard on the way and did not.
    `began_s`: when she called."""

    caller: Caller
    promises: Given
    missed: tuple[Difference, ...]
    began_s: float


@dataclass(frozen=True, slots=True)
class Scenarios:
    """A file that could be read, ready to run."""

    marked: Marked
    model: ScenarioFile
    flow: Flow


def read(text: str | bytes, file: str, release: Release | None, tenant: str = "main") -> Scenarios | Problems:
    """The tests of a file, checked against the flow they test. Without a release only the file itself is checked: what
    comes back are its problems, if any."""
    marked = load_marked(text, file)
    if isinstance(marked, Problems):
        return marked
    model = validate(ScenarioFile, marked)
    if isinstance(model, Problems):
        return model
    problems = Problems(marked.problems)
    if release is None:
        return problems
    flow = release.flow(tenant, model.flow)
    if flow is None:
        known = [name for owner, name in release.flows if owner == tenant]
        problems.add(marked.problem(("flow",), f"there is no flow '{model.flow}'", did_you_mean(model.flow, known)))
        return problems
    problems.extend(_unknown_nodes(marked, model, flow, release, tenant))
    return problems if problems.errors else Scenarios(marked, model, flow)


def run(
    text: str | bytes, file: str, release: Release, tenant: str = "main", time_zone: str = "UTC", only: str = ""
) -> FileResult:
    """Runs every test of a file, or those whose name holds `only`. Never raises. `time_zone`: the site's."""
    scenarios = read(text, file, release, tenant)
    if isinstance(scenarios, Problems):
        return FileResult(file, tenant, problems=scenarios)
    results = tuple(
        _run_test(scenarios, index, test, release, tenant, time_zone)
        for index, test in enumerate(scenarios.model.tests)
        if only in test.name
    )
    return FileResult(file, tenant, scenarios.flow.id, Problems(scenarios.marked.problems), results)


def play(
    test: ScenarioTest, flow: Flow, release: Release, given: GivenModel, tenant: str = "main", time_zone: str = "UTC"
) -> Played:
    """Does what the test's caller does."""
    if "timezone" not in given.model_fields_set:
        given = given.model_copy(update={"timezone": time_zone})
    promises = promises_of(given)
    begin = Start(
        interaction_id="i-test",
        leg_id="leg-test",
        tenant=tenant,
        flow_id=flow.id,
        language=given.language or flow.languages[0],
        caller=given.caller,
        called=given.called,
        variables=given.variables,
        time_zone=given.timezone,
        seed=given.seed,
    )
    caller = Caller(world_of(given, release, tenant), begin, given.now_s(), promises)
    ears, missed = Ears(), []
    for number, step in enumerate(test.steps):
        _do(step, caller)
        for index, wanted in enumerate(step.hears):
            if (difference := ears.hear(wanted, caller.transcript, ("steps", number, "hears", index))) is not None:
                missed.append(difference)
    caller.listen()
    return Played(caller, promises, tuple(missed[:1]), given.now_s())


def world_of(given: GivenModel, release: Release, tenant: str) -> World:
    """Toggles and generated PINs as the file says."""
    toggles = {(tenant, name): value for name, value in given.toggles.items()}
    return World(release, toggles, {(tenant, name): pin for name, pin in given.pins.items()})


def promises_of(given: GivenModel) -> Given:
    """What the world answers, from what the file says."""
    return Given(
        web=[
            WebReply(w.url, w.method or "", w.reply.status, w.reply.json_body, w.reply.error, w.reply.after_s)
            for w in given.http
        ],
        queues={name: (outcome.outcome, outcome.after_s) for name, outcome in given.queue.items()},
        statuses={
            name: QueueReply(
                now.status, now.waiting, now.ewt_s, now.longest_wait_s, now.agents_ready, now.agents_logged_in
            )
            for name, now in given.queue_status.items()
        },
        agents={
            action: [AgentReply(one.refused is None, one.refused or "", one.values) for one in says]
            for action, says in given.agent.items()
        },
        transfers={name: (outcome.outcome, outcome.after_s) for name, outcome in given.transfer.items()},
        recordings=[(message.duration_s, message.ended_by) for message in given.record],
        rejected=given.rejected,
    )


def _do(step: Step, caller: Caller) -> None:
    if step.after_s is not None:
        caller.pass_time(step.after_s)
    elif not step.early:
        caller.listen()
    if caller.ended is not None:
        return
    if step.press is not None:
        caller.press(step.press)
    elif step.silence is not None:
        caller.be_silent(step.silence)
    elif step.hang_up:
        caller.hang_up()
    elif step.restart:
        caller.survive_restart()


def _run_test(
    scenarios: Scenarios, index: int, test: ScenarioTest, release: Release, tenant: str, time_zone: str
) -> TestResult:
    given = test.given.over(scenarios.model.given)
    played = play(test, scenarios.flow, release, given, tenant, time_zone)
    caller = played.caller
    differences = (*played.missed, *compare(test.expect, caller))
    first = next((difference.line for difference in differences if difference.line is not None), None)
    if differences and first is None:
        first = len(caller.transcript) - 1
    return TestResult(
        name=test.name,
        place=scenarios.marked.problem(("tests", index, "name"), test.name),
        failures=tuple(_failures(scenarios.marked, index, differences, played.promises)),
        transcript=show(caller.transcript, played.began_s, first),
        nodes=frozenset((entered.flow, entered.node) for _, entered in nodes_of(caller.transcript)),
        branches=frozenset(_branches(caller.transcript)),
        took_s=caller.now_s - played.began_s,
    )


def _failures(marked: Marked, index: int, differences: Sequence[Difference], promises: Given) -> list[Problem]:
    failures = [marked.problem(("tests", index, *difference.path), difference.what) for difference in differences]
    if failures:
        failures += [marked.problem(("tests", index), surprise) for surprise in promises.surprises]
    return failures


def _branches(transcript: Sequence[Line]) -> list[Branch]:
    return [
        (line.decision.flow, line.decision.node, line.decision.branch)
        for line in transcript
        if isinstance(line, Decided) and isinstance(line.decision, NodeLeft)
    ]


def _unknown_nodes(marked: Marked, model: ScenarioFile, flow: Flow, release: Release, tenant: str) -> list[Problem]:
    """A misspelt node would make `not_reached` pass for ever."""
    others = {
        f"{name}/{node}"
        for owner, name in release.flows
        if owner == tenant
        for node in release.flows[owner, name].nodes
    }
    known = {*flow.nodes, *others, *(name.partition("/")[2] for name in others)}
    problems = []
    for index, test in enumerate(model.tests):
        for key, names in (("reached", test.expect.reached), ("not_reached", test.expect.not_reached)):
            for number, name in enumerate(names):
                if name not in known:
                    hint = did_you_mean(name, flow.nodes)
                    path = ("tests", index, "expect", key, number)
                    problems.append(marked.problem(path, f"there is no node '{name}'", hint))
        if test.given.language is not None and test.given.language not in flow.languages:
            what = f"the flow does not speak '{test.given.language}'"
            hint = f"languages: {', '.join(flow.languages)}"
            problems.append(marked.problem(("tests", index, "given", "language"), what, hint))
    return problems
