"""The pack es-clientela: flows that break it do not load, and the shipped ones keep it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from engine.config.compliance import stale
from engine.config.loader import load
from engine.config.sources import read_sources

ROOT = Path(__file__).parents[3]
PACK = (ROOT / "config/compliance/es-clientela.yaml").read_text()
HEAD = "flow: f\nlanguages: [es]\nstart: menu\nvariables: {code: x}\nnodes:\n"
PERSON = "  person: {type: queue, queue: q, next: menu, error: bye}\n  bye: {type: hangup}\n"
TICKET = "  ticket: {type: ticket, subject: s, into: code, error: bye, next: say}\n"
SAY = "  say: {type: play, prompt: {digits: '{{ code }}'}, next: person}\n"


def menu(keys: str) -> str:
    return f"  menu: {{type: menu, prompt: p, keys: {keys}, no_input: bye, no_match: bye, error: bye}}\n"


GOOD = HEAD + menu('{"1": ticket, "0": person}') + TICKET + SAY + PERSON


def said(flow: str = GOOD, *, queue: str = "", number: str = "", site: str = "", pack: str = PACK) -> list[str]:
    """What is said about a site with this flow, without what is no error."""
    sources = {
        "config/site.yaml": f"site: t\nlanguages: [es]\nvoices: [fake]\ncompliance: [es-clientela]\n{site}",
        "config/compliance/es-clientela.yaml": pack,
        "config/numbers/default.yaml": f"default: yes\nflow: f\n{number}",
        "config/queues/q.yaml": f"queue: q\n{queue}",
        "config/queues/other.yaml": "queue: other\nmax_wait_s: 60\n",
        "config/queues/patient.yaml": "queue: patient\nno_agents: wait\n",
        "config/queues/staffed.yaml": "queue: staffed\n",
        "config/queues/small.yaml": "queue: small\nno_agents: wait\nmax_waiting: 5\n",
        "flows/f.yaml": flow,
    }
    return [str(problem) for problem in load(sources).problems.errors]


def test_a_flow_that_keeps_it_loads() -> None:
    assert said() == []


@pytest.mark.parametrize(
    "keys",
    [
        '{"1": ticket}',  # its ticket leads to a person, but another menu comes first
        '{"1": bye, "9": {language: es}}',
        '{"1": ask}',
    ],
)
def test_a_main_menu_offers_a_person(keys: str) -> None:
    second = "  second: {type: menu, prompt: p, keys: {'0': person}, no_input: bye, no_match: bye, error: bye}\n"
    ask = "  ask: {type: collect, prompt: p, digits: 4, into: code, no_input: bye, no_match: bye, next: person}\n"
    flow = HEAD + menu(keys) + TICKET + SAY.replace("next: person", "next: second") + second + ask + PERSON
    (problem,) = said(flow)
    assert problem.startswith("flows/f.yaml:6:1: the main menu 'menu' offers no person: Ley 10/2025")
    assert "article 8" in problem


def test_a_menu_of_languages_is_not_the_main_menu() -> None:
    languages = (
        "  menu: {type: menu, prompt: p, keys: {'1': {language: es, next: main}}, no_input: bye, no_match: bye}\n"
    )
    main = menu('{"1": ticket, "0": person}').replace("  menu:", "  main:")
    assert said(HEAD + languages + main + TICKET + SAY + PERSON) == []
    (problem,) = said(
        HEAD + languages + main.replace(', "0": person', ', "0": bye').replace("ticket", "bye") + TICKET + SAY + PERSON
    )
    assert "the main menu 'main' offers no person" in problem


def test_while_it_is_closed_a_message_is_enough() -> None:
    toggle = "  menu: {type: toggle, toggle: closure, on: shut, off: person, error: bye}\n"
    shut = "  shut: {type: menu, prompt: p, keys: {'1': bye}, no_input: bye, no_match: bye, error: bye}\n"
    assert said(HEAD + toggle + shut + TICKET + SAY + PERSON) == []


def test_a_flow_without_menus_leads_to_a_person() -> None:
    flow = HEAD + "  menu: {type: ticket, subject: s, into: code, error: bye, next: say}\n" + SAY + PERSON
    assert said(flow) == []
    (problem,) = said(
        flow.replace("next: person", "next: bye").replace(
            "  person: {type: queue, queue: q, next: menu, error: bye}\n", ""
        )
    )
    assert problem.startswith("flows/f.yaml:6:1: this flow offers no person")


@pytest.mark.parametrize(
    ("queue", "end", "outcomes"),
    [
        ("", "bye", []),
        ("max_wait_s: 300\n", "bye", ["overflowed"]),
        ("max_waiting: 10\n", "bye", ["full"]),
        ("max_waiting: 10\nmax_wait_s: 300\n", "bye", ["full", "overflowed"]),
        ("max_wait_s: 300\noverflow_to: other\n", "bye", ["overflowed"]),
        ("max_wait_s: 300\noverflow_to: patient\n", "bye", []),
        ("max_wait_s: 300\noverflow_to: staffed\n", "bye", ["overflowed"]),
        ("max_wait_s: 300\noverflow_to: staffed\n", "message", []),
        ("max_wait_s: 300\noverflow_to: small\n", "bye", ["overflowed"]),
        ("max_waiting: 10\n", "message", []),
        ("max_waiting: 10\n", "menu", []),
        ("max_waiting: 10\n", "sorry", ["full"]),
    ],
)
def test_a_wait_does_not_end_in_a_hangup(queue: str, end: str, outcomes: list[str]) -> None:
    message = "  message: {type: record, mailbox: m, error: bye, no_input: bye, next: bye}\n"
    message += "  sorry: {type: play, prompt: p, next: bye}\n"
    problems = said(GOOD.replace("next: menu", f"next: {end}") + message, queue=queue)
    assert [
        f"wait ends as '{outcome}' is hung up on" in problem
        for outcome, problem in zip(outcomes, problems, strict=True)
    ] == [True] * len(outcomes)


def test_somewhere_a_code_is_given_and_said() -> None:
    for flow in (GOOD.replace("into: code, ", ""), GOOD.replace("{digits: '{{ code }}'}", "nothing")):
        (problem,) = said(flow)
        assert problem.startswith("config/compliance/es-clientela.yaml:1:1: no flow gives callers a code")


def test_a_number_may_serve_no_customers() -> None:
    bad = HEAD + menu('{"1": bye}') + PERSON
    assert said(bad)
    assert said(bad, number="compliance: []\n") == []


def test_a_pack_that_is_not_there() -> None:
    assert said(number="compliance: [es-clientele]\n") == [
        "config/numbers/default.yaml:3:14: there is no rule pack 'es-clientele': did you mean 'es-clientela'?"
    ]


def test_a_pack_says_when_it_was_read() -> None:
    (problem,) = said(pack=PACK.replace("read: 2026-11-22", "read: last week"))
    assert "'last week' is not a date: write it like 2026-12-28" in problem


def test_the_shipped_pack_holds_and_says_what_was_not_verified() -> None:
    configuration = load(read_sources(ROOT)).configuration
    assert configuration is not None
    assert configuration.site.compliance == ("es-clientela",)
    _, pack = configuration.packs["es-clientela"]
    assert "not the text in the BOE" in pack.read_from
    assert (pack.rules["answered_within"].percent, pack.rules["answered_within"].within_s) == (95.0, 180.0)
    assert stale(configuration.packs, date(2026, 12, 28)) == []
    (problem,) = stale(configuration.packs, date(2026, 12, 29))
    assert "was to be reviewed by 2026-12-28" in str(problem)


def test_what_is_wrong_elsewhere_does_not_hide_it() -> None:
    sources = {
        "config/site.yaml": "site: t\nlanguages: [es]\nvoices: [fake]\ncompliance: [es-clientela]\n",
        "config/compliance/es-clientela.yaml": PACK,
        "config/numbers/default.yaml": "default: yes\nflow: f\n",
        "config/queues/q.yaml": "queue: q\n",
        "flows/f.yaml": HEAD + menu('{"1": bye}') + PERSON,
        "flows/g.yaml": "flow: g\nlanguages: [es]\nstart: nowhere\nnodes:\n  bye: {type: hangup}\n",
    }
    told = [str(problem) for problem in load(sources).problems.errors]
    assert any("flows/g.yaml:3:8: there is no node 'nowhere' to start at" in each for each in told)
    assert any("the main menu 'menu' offers no person" in each for each in told)


def test_what_cannot_be_read_is_not_said_to_be_missing() -> None:
    calls = HEAD + menu('{"1": sub, "0": person}') + "  sub: {type: subflow, flow: g, next: person}\n" + PERSON
    sub = "flow: g\nlanguages: [es]\nstart: ticket\nvariables: {code: x}\nnodes:\n" + TICKET
    sub += "  say: {type: play, prompt: {digits: '{{ code }}'}, next: NEXT}\n  bye: {type: return}\n"

    def told(next_: str) -> list[str]:
        sources = {
            "config/site.yaml": "site: t\nlanguages: [es]\nvoices: [fake]\ncompliance: [es-clientela]\n",
            "config/compliance/es-clientela.yaml": PACK,
            "config/numbers/default.yaml": "default: yes\nflow: f\n",
            "config/queues/q.yaml": "queue: q\n",
            "flows/f.yaml": calls,
            "flows/g.yaml": sub.replace("NEXT", next_),
        }
        return [str(problem) for problem in load(sources).problems.errors]

    assert told("bye") == []
    (problem,) = told("nowhere")
    assert "there is no node 'nowhere'" in problem
