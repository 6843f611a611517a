"""The shipped flows: they load without a word of complaint, and their own tests walk every node and branch."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from acd.skills import Requirement
from core.media import Speech
from engine.config.loader import Configuration, load
from engine.config.sources import read_sources
from ivr.loader import load as load_flows
from ivr.scenario.coverage import coverage
from ivr.scenario.runner import run

ROOT = Path(__file__).parents[3]
SHIPPED = ("after_hours", "agent_phone", "appointments", "collections", "reception", "supervisor_phone", "survey")


@pytest.fixture(scope="module")
def configuration() -> Configuration:
    loaded = load(read_sources(ROOT))
    assert not list(loaded.problems)
    assert loaded.configuration is not None
    return loaded.configuration


def test_the_shipped_flows_are_all_there(configuration: Configuration) -> None:
    assert {name for _, name in configuration.release.flows} >= set(SHIPPED)


@pytest.mark.parametrize("name", SHIPPED)
def test_they_speak_spanish_and_english(configuration: Configuration, name: str) -> None:
    flow = configuration.release.flows["main", name]
    assert flow.languages == ("es", "en")
    assert set(flow.title) == {"es", "en"}


@pytest.mark.parametrize("name", SHIPPED)
def test_their_tests_pass_and_leave_nothing_out(configuration: Configuration, name: str) -> None:
    file = f"flows/{name}.test.yaml"
    result = run((ROOT / file).read_text(), file, configuration.release, time_zone=configuration.site.time_zone)
    failures = [f"{failure}\n{one.transcript}" for one in result.results for failure in one.failures]
    assert not list(result.problems)
    assert not failures, "\n\n".join(failures)
    covered = next(flow for flow in coverage(configuration.release, [result]) if flow.flow == name)
    assert covered.is_full, str(covered)


def test_what_they_say_can_be_recorded_in_one_go(configuration: Configuration) -> None:
    """The sounds of all of it are shipped: they must not grow without notice."""
    texts = set(configuration.static_speech())
    assert len(texts) <= 345
    assert max(len(part.text) for part in texts) <= 300


def test_no_text_is_left_in_the_wrong_language(configuration: Configuration) -> None:
    spanish_signs, english_words = set("áéíóúñ¿¡"), {"the", "your", "please", "press"}

    def looks_wrong(part: Speech) -> bool:
        words = set(part.text.lower().replace(",", " ").replace(".", " ").split())
        return bool(words & english_words) if part.language == "es" else bool(spanish_signs & set(part.text.lower()))

    texts = set(configuration.static_speech())
    assert [part for part in texts if looks_wrong(part)] == []


def test_no_pin_is_shipped(configuration: Configuration) -> None:
    nodes = [node for flow in configuration.release.flows.values() for node in flow.nodes.values()]
    pins = [str(getattr(node, "pin", None) or "") for node in nodes if node.type == "toggle"]
    assert any(pins)
    assert all(pin.startswith("secret:") for pin in pins if pin)


def test_the_agents_phone_offers_the_reasons_there_are(configuration: Configuration) -> None:
    menu = configuration.release.flows["main", "agent_phone"].nodes["reason"]
    reasons = [reason for (tenant, _), reason in configuration.routing.reasons.items() if tenant == "main"]
    keys = {exit_.branch for exit_ in menu.exits() if exit_.target == "not_ready"}
    assert keys == {reason.digits for reason in reasons if reason.chosen}


def test_the_keys_that_queues_speak_of_are_those_of_reception(configuration: Configuration) -> None:
    waits = [node for node in configuration.release.flows["main", "reception"].nodes.values() if node.type == "queue"]
    assert {queue for _, queue in configuration.queue_prompts} == {*(node.queue for node in waits), "collections"}
    called_back = {name for (_, name), queue in configuration.routing.queues.items() if queue.callback is not None}
    assert called_back == {"sales", "support"}
    for node in waits:
        assert node.keys == {"1": "message", "2": "call_me" if node.queue in called_back else "callback"}, node.queue


@pytest.mark.parametrize("queue", ["sales", "support"])
def test_who_waits_long_is_told_of_the_callback_in_both_languages(configuration: Configuration, queue: str) -> None:
    said = configuration.queue_prompts["main", queue]
    assert said.callback is not None
    for language, key in (("es", "marque 2"), ("en", "press 2")):
        (part,) = said.callback.parts({}, language)
        assert key in part.text
        assert not any(key in each.text for comfort in said.comfort for each in comfort.parts({}, language))


@pytest.mark.parametrize("queue", ["sales", "support"])
def test_a_promise_to_call_back_outlives_every_time_the_office_is_closed(
    configuration: Configuration, queue: str
) -> None:
    settings = configuration.routing.queues["main", queue].callback
    assert settings is not None
    assert settings.hours is not None
    at_s, until_s = (datetime(year, 1, 1, tzinfo=UTC).timestamp() for year in (2026, 2028))
    closed_s, longest_s = 0.0, 0.0
    while at_s < until_s:
        next_s = settings.hours.changes_at(at_s)
        closed_s = 0.0 if settings.hours.is_open(at_s) else closed_s + next_s - at_s
        longest_s, at_s = max(longest_s, closed_s), next_s
    assert 3 * 86_400.0 < longest_s < settings.expiry_s


def test_everybody_who_waits_can_be_served_in_both_languages(configuration: Configuration) -> None:
    setup = configuration.routing
    for (tenant, name), queue in setup.queues.items():
        for language in ("es", "en"):
            wanted = Requirement.parse(queue.skills).also(Requirement.parse(f"language.{language}"))
            able = [a for a in setup.agents.values() if a.queues is None or name in a.queues]
            assert [a.agent_id for a in able if a.tenant == tenant and wanted.met(a.skills)], (name, language)


def test_the_example_of_the_readme_works() -> None:
    folder = ROOT / "docs" / "examples"
    loaded = load_flows({"flows/hello.yaml": (folder / "hello.yaml").read_text()})
    assert not list(loaded.problems)
    assert loaded.release is not None
    result = run((folder / "hello.test.yaml").read_text(), "hello.test.yaml", loaded.release)
    assert result.passed, [str(failure) for one in result.results for failure in one.failures]
    assert coverage(loaded.release, [result])[0].is_full


def test_the_phone_to_try_things_with_is_nobodys(configuration: Configuration) -> None:
    trial = {name for name, device in configuration.devices.items() if device.trial}
    assert trial == {"main-1099"}
    assert not trial & {agent.device for agent in configuration.routing.agents.values()}


def test_the_sounds_of_all_of_it_are_shipped(configuration: Configuration) -> None:
    """After a text was changed: centralita flow texts --json | python -m speech ship"""
    index = json.loads((ROOT / "flows" / "sounds" / "rendered" / "index.json").read_text())
    there = {(entry["language"].partition("-")[0], entry["text"]) for entry in index.values()}
    texts = set(configuration.static_speech())
    assert [part.text for part in texts if (part.language, part.text) not in there] == []
