"""Scenario files: how they read, how they fail, what they cover."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from definitions.problems import Problems
from ivr.loader import Context, load
from ivr.scenario.coverage import coverage
from ivr.scenario.report import as_junit, as_text
from ivr.scenario.runner import read, run

FLOW = """
flow: mini
languages: [es, en]
start: welcome
defaults:
  no_input: {retries: 1, prompt: {es: "No oímos nada.", en: "Nothing."}, then: bye}
  no_match: {retries: 1, prompt: {es: "Opción incorrecta.", en: "Wrong."}, then: bye}
  error: {prompt: {es: "Lo sentimos.", en: "Sorry."}, then: bye}
nodes:
  welcome: {type: play, prompt: {es: "Bienvenido a Acme.", en: "Welcome."}, next: main}
  main:
    type: menu
    prompt: {es: "Marque 1 para ventas.", en: "Press 1 for sales."}
    keys: {"1": sales, "2": ask, "3": record, "4": operator, "9": {language: en}}
    into: choice
  sales: {type: queue, queue: sales, keys: {"1": record}, next: bye}
  ask:
    type: http
    url: "https://crm.example/{{ caller }}"
    into: {name: owner.name}
    next: hello
  hello: {type: play, prompt: {es: "Hola, {{ name }}.", en: "Hello, {{ name }}."}, next: bye}
  record: {type: record, mailbox: m, prompt: [{sound: vm-intro}, {tone: beep}], next: bye}
  operator: {type: transfer, to: "device:1001", next: bye}
  bye: {type: hangup, prompt: {es: "Adiós.", en: "Goodbye."}}
"""
FILE = "flows/mini.test.yaml"


@pytest.fixture(scope="module")
def release():
    loaded = load({"flows/mini.yaml": FLOW}, Context(languages=("es", "en")))
    assert loaded.release is not None, str(loaded.problems)
    return loaded.release


def one(release, test: str, given: str = "{}"):
    """The result of one test, its keys written in one line each."""
    result = run(f"flow: mini\ngiven: {given}\ntests:\n  - name: it\n" + _indented(test), FILE, release)
    assert not result.problems, str(result.problems)
    return result.results[0]


def _indented(text: str) -> str:
    return "".join(f"    {line}\n" for line in text.strip().splitlines())


@pytest.mark.parametrize(
    "test",
    [
        'steps: [press: "1"]\nexpect: {heard: ["Bienvenido", "Marque 1"], reached: [main, sales], ended: completed}',
        'steps: [press: "1"]\nexpect: {reached: [welcome, main, sales], path: exact, variables: {choice: "1"}}',
        'steps: [{press: "1", early: yes}]\nexpect: {not_heard: ["Marque"], reached: [main, sales]}',
        "steps: [silence: 6, silence: 6]\nexpect: {heard: [No oímos, Adiós], ended: completed}",
        'steps: [silence: 5, hang up]\nexpect: {not_heard: ["No oímos"], ended: caller_hung_up}',
        'steps: [press: "9", press: "1"]\nexpect: {heard: [Press 1], language: en}',
        'steps: [press: "3"]\nexpect: {heard: [{sound: vm-intro}, {tone: beep}], commands: [KeepRecording]}',
        'steps: [press: "3"]\nexpect: {heard: [{tone: beep}, {tone: beep}]}',  # the prompt's, and the recording's own
        'given: {record: {duration_s: 1}}\nsteps: [press: "3"]\nexpect: {commands: [{DiscardRecording: {}}]}',
        'steps: [press: "1"]\nexpect: {commands: [{JoinQueue: {queue: sales, priority: 0}}]}',
        'given: {queue: {sales: no_agents}}\nsteps: [press: "1"]\nexpect: {reached: [sales, bye], ended: completed}',
        'steps: [press: "1", {press: "1", after_s: 5}]\nexpect: {reached: [sales, record], commands: [LeaveQueue]}',
        'given: {transfer: {"device:1001": busy}}\nsteps: [press: "4"]\nexpect: {reached: [operator, bye]}',
        'steps: [press: "1", restart, listen]\nexpect: {ended: completed}',
        "steps: []\nexpect: {ended: no, reached: [mini/main], not_reached: [bye]}",
        'given: {language: en, variables: {name: Eve}}\nexpect: {heard: ["Welcome"], variables: {name: Eve}}',
    ],
)
def test_what_can_be_told_and_expected(release, test):
    result = one(release, test)
    assert result.passed, as_text([run_again(release, test)])


def run_again(release, test):
    return run("flow: mini\ntests:\n  - name: it\n" + _indented(test), FILE, release)


def test_web_replies_are_given_in_order_and_the_last_for_ever(release):
    given = (
        '{caller: "+34911234567", http: [{url: "https://crm.example/*", reply: {error: down}},'
        ' {url: "https://crm.example/…", reply: {json: {owner: {name: Ana}}}}]}'
    )
    url = "https://crm.example/%2B34911234567"
    expect = f'steps: [press: "2"]\nexpect: {{heard: ["Lo sentimos"], commands: [{{SendHttp: {{url: "{url}"}}}}]}}'
    assert one(release, expect, given).passed
    good = '{http: [{url: "https://crm.example/*", reply: {json: {owner: {name: Ana}}}}]}'
    assert one(release, 'steps: [press: "2"]\nexpect: {heard: ["Hola, Ana"], variables: {name: Ana}}', good).passed


def test_a_request_without_a_promise_is_said_when_the_test_fails(release):
    result = one(release, 'steps: [press: "2"]\nexpect: {heard: ["Hola, Ana"]}')
    assert any("no reply is given for it" in failure.what for failure in result.failures)


@pytest.mark.parametrize(
    ("expect", "said"),
    [
        ("heard: [Adios]", "mini.test.yaml:7:22: not heard: 'Adios'; there was 'Adiós.'"),
        ('heard: ["Adiós", "Marque"]', "it was heard, but earlier"),
        ("not_heard: [Bienvenido]", "heard all the same"),
        ("reached: [ask]", "not reached: ask"),
        ("not_reached: [main]", "reached all the same"),
        ("reached: [welcome, sales], \n      path: exact", "expected to reach sales next, came to main"),
        ("reached: [welcome], \n      path: exact", "went on to main"),
        ('variables: {choice: "2"}', "choice is '1', expected '2'"),
        ('variables: {nothing: "2"}', "nothing is not set"),
        ("commands: [{JoinQueue: {queue: other}}]", "not ordered: JoinQueue"),
        ("ended: refused", "the call ended as completed"),
        ("language: en", "the language is es"),
    ],
)
def test_a_failure_says_what_and_where(release, expect, said):
    test = f'given: {{queue: {{sales: full}}}}\nsteps:\n  - press: "1"\nexpect: {{{expect}}}'
    text = as_text([run_again(release, test)])
    assert said in text
    assert "→" in text
    assert "FAILED mini: it" in text


def test_a_test_reads_as_a_conversation(release):
    test = (
        'steps:\n  - hears: ["Bienvenido a Acme.", "Marque 1"]\n  - press: "9"\n  - hears: "Press 1 for sales."\n'
        '  - press: "3"\n  - hears: {sound: vm-intro}\n  - hang up'
    )
    assert one(release, test).passed


def test_time_passes_from_when_she_called_in_the_sites_time_zone(release):
    text = "flow: mini\ntests:\n  - name: it\n    steps: [hang up]\n    expect: {ended: no}\n"
    result = run(text, FILE, release, time_zone="America/Bogota").results[0]
    assert 0 <= result.took_s < 60
    assert result.transcript.lstrip().startswith("0.0 s")


def test_what_was_not_heard_by_then_is_said_at_its_step(release):
    test = (
        'steps:\n  - hears: "Marque 1"\n  - press: "7"\n  - hears: "Marque 2"\n  - press: "9"\n  - hears: "Bienvenido"'
    )
    (failure,) = one(release, test).failures
    assert (
        str(failure)
        == "flows/mini.test.yaml:8:16: not heard: 'Marque 2'; there was 'Opción incorrecta. Marque 1 para ventas.'"
    )


def test_the_same_words_must_be_heard_again(release):
    test = 'steps:\n  - hears: "Marque 1 para ventas."\n  - hears: "Marque 1 para ventas."'
    assert "it was heard, but earlier" in str(one(release, test).failures[0])


def test_the_pointer_stands_where_the_call_went_otherwise(release):
    test = 'steps: [silence: 6, silence: 6]\nexpect: {heard: ["No oímos", "Marque 1", "Hasta luego"]}'
    pointed = next(line for line in as_text([run_again(release, test)]).splitlines() if "→" in line)
    assert "“Adiós.”" in pointed


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        (("flow: mini", "flow: mimi"), ":1:7: there is no flow 'mimi': did you mean 'mini'?"),
        (("[welcome]", "[welcom]"), ": there is no node 'welcom': did you mean 'welcome'?"),
        (('press: "1"', 'presss: "1"'), ": unknown key 'presss': did you mean 'press'?"),
        (('press: "1"', "press: one"), "not keys of a phone"),
        (('press: "1"', "shout"), ""),
        (('press: "1"', "silence: 6, press: 1"), "one thing the caller does"),
        (('press: "1"', "hears: Hola, press: 1"), "one thing the caller does"),
        (("    expect: {reached: [welcome], ended: completed}\n", ""), "this test expects nothing"),
        (("ended: completed", "ended: complete"), "did you mean 'completed'?"),
        (
            ("ended: completed", "commands: [{JoinQeue: {}}]"),
            "there is no command 'JoinQeue': did you mean 'JoinQueue'?",
        ),
        (("ended: completed", "commands: [{JoinQueue: {queu: x}}]"), "JoinQueue has no 'queu': did you mean 'queue'?"),
        (("ended: completed", "heard: [{song: x}]"), "unknown key 'song'"),
        (("given: {}", "given: {time: yesterday}"), "is not a date and time"),
        (("given: {}", 'given: {time: "2026-02-30 10:00"}'), "there is no 2026-02-30"),
        (("given: {}", "given: {timezone: Madrid}"), "not a time zone"),
        (("given: {}", "given: {queue: {sales: answred}}"), "did you mean 'answered'?"),
        (("given: {}", "given: {language: fr}"), "does not speak 'fr'"),
        (("tests:", "tests: []\nignored:"), "ignored"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_at_its_place(release, changed, problem):
    text = (
        'flow: mini\ntests:\n  - name: it\n    given: {}\n    steps: [{press: "1"}]\n'
        "    expect: {reached: [welcome], ended: completed}\n"
    )
    assert run(text, FILE, release).passed
    assert changed[0] in text
    result = run(text.replace(*changed), FILE, release)
    assert not result.passed
    assert problem in str(result.problems)
    assert all(found.line for found in result.problems)
    assert not result.results


def test_two_tests_of_one_name_and_broken_yaml_are_said(release):
    twice = "flow: mini\ntests:\n  - {name: it, expect: {}}\n  - {name: it, expect: {}}\n"
    assert "two tests are called 'it'" in str(run(twice, FILE, release).problems)
    assert run("flow: [", FILE, release).problems
    assert run("", FILE, release).problems


def test_tests_can_be_read_without_a_release():
    assert isinstance(read("flow: mini\ntests: [{name: it, expect: {}}]", FILE, None), Problems)
    assert not read("flow: mini\ntests: [{name: it, expect: {}}]", FILE, None)


def test_only_some(release):
    text = "flow: mini\ntests:\n  - {name: one, expect: {}}\n  - {name: two, expect: {}}\n"
    assert [result.name for result in run(text, FILE, release, only="tw").results] == ["two"]


def test_coverage_lists_what_nobody_walked(release):
    text = 'flow: mini\ntests:\n  - {name: it, steps: [press: "1"], expect: {}}\n'
    (mini,) = coverage(release, [run(text, FILE, release)])
    assert mini.untested_nodes == ("ask", "hello", "record", "operator", "bye")
    assert {"main/2", "main/3", "sales/1", "defaults/no_input", "defaults/error"} <= set(mini.untested_branches)
    assert "main/1" not in mini.untested_branches
    assert mini.node_share == 3 / 8
    assert not mini.is_full
    assert "never reached: ask, hello" in str(mini)
    (nothing,) = coverage(release, [])
    assert nothing.node_share == nothing.branch_share == 0


def test_junit_is_what_ci_reads(release):
    text = 'flow: mini\ntests:\n  - {name: good, expect: {}}\n  - {name: "bad <&> \\u0007", expect: {ended: refused}}\n'
    root = ElementTree.fromstring(as_junit([run(text, FILE, release), run("flow: x", "x.test.yaml", release)]))
    good, bad = root.find(f"testsuite[@name='{FILE}']").findall("testcase")
    assert good.find("failure") is None
    assert "still there" in bad.find("failure").get("message")
    assert "Bienvenido" in bad.find("failure").text
    assert bad.get("line") == "4"
    assert root.find("testsuite[@name='x.test.yaml']").get("errors") == "1"


def test_verbose_shows_every_call(release):
    text = "flow: mini\ntests:\n  - {name: good, expect: {}}\n"
    assert "Bienvenido" not in as_text([run(text, FILE, release)])
    assert "Bienvenido" in as_text([run(text, FILE, release)], verbose=True)
