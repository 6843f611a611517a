"""From YAML to campaigns: what is wrong is said at its place, all at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from dialer.checks import Around, InFlow, check
from dialer.compliance.abandonment import Reviewed
from dialer.compliance.rules import Cap, Hours, Mode
from dialer.loader import Campaigns, Site, build, read_campaigns
from dialer.setup import CampaignSetup
from tests.unit.dialer.law_case import ROOT, SHIPPED

QUEUES = {("main", "sales"): frozenset({"sold", "sold/new", "other"}), ("main", "bare"): frozenset[str]()}
AROUND = Around(
    queues=QUEUES,
    flows={
        ("main", "harbour"): InFlow(frozenset({"play", "do_not_call"})),
        ("main", "deaf"): InFlow(frozenset({"play"})),
        ("main", "reminder"): InFlow(frozenset({"menu"})),
        ("main", "survey"): InFlow(
            frozenset({"menu", "disposition"}),
            {"confirmed": frozenset(), "paid/later": frozenset({"pay_on"}), "visit": frozenset()},
            frozenset({"sales"}),
        ),
    },
    calendars=frozenset({("main", "office")}),
    packs=SHIPPED.packs,
    hosts={"crm.example": frozenset(), "theirs.example": frozenset({"acme"})},
    wrong_skills=lambda tenant, text: [("there is no skill 'juggling'", "write it")] if "juggling" in text else [],
)
GOOD = """\
campaign: spring
mode: predictive
purpose: sales
packs: [es]
lists: {old: 3, new: 1}
queue: sales
caller_ids:
  - {name: all, numbers: ["+34910000101"]}
drop: {flow: harbour}
"""


def read(**files: str) -> Campaigns:
    found = read_campaigns({f"config/campaigns/{name}.yaml": text for name, text in files.items()})
    check(found, AROUND)
    return found


def wrong(text: str) -> list[str]:
    """`line: what` of every problem."""
    return [f"{one.line}: {one.what}" for one in read(spring=text).problems]


def made(text: str) -> CampaignSetup:
    found = read(spring=text)
    assert not list(found.problems)
    return build(found, SHIPPED.packs, Site()).campaigns["main", "spring"]


def test_what_is_left_out_has_a_sensible_value() -> None:
    setup = made(GOOD)
    assert (setup.mode, setup.pacing.method, setup.ring_s, setup.held_lines) == (
        Mode.PREDICTIVE,
        "predictive",
        30.0,
        True,
    )
    assert [(one.list_id, one.weight) for one in setup.lists] == [("old", 3), ("new", 1)]
    assert (setup.drop_action, setup.drop_flow, setup.language) == ("message", "harbour", "es")
    assert setup.own is None
    assert setup.retry("busy") is not None


def test_its_own_hours_and_caps_are_rules_beside_the_laws() -> None:
    setup = made(GOOD + "hours: {mon-fri: 10:00-14:00}\ncaps: {day: 2, ever: 9, number_day: 1}\n")
    rules = setup.law().overall.rules
    own = [rule for rule in rules if rule.source.pack == "campaign"]
    assert [type(rule) for rule in own] == [Hours, Cap, Cap, Cap]
    assert sum(isinstance(rule, Hours) for rule in rules) == 2
    assert not setup.law().covers("FR"), "a rule of its own allows no country"
    assert setup.law().covers("ES")


def test_lengths_percents_and_short_forms() -> None:
    more = """\
retry: {busy: {after: 10m, most: 2, number: same}, machine: never}
dispositions: {sold: finish, other: {then: retry, after: 2d, means: machine}}
pacing: {target_percent: 2.5, occupancy_ceiling: 85%}
form: [{name: offer, title: {es: Oferta}, choices: [a, b], required: yes}]
"""
    setup = made(GOOD + more)
    assert (setup.retries["busy"].after_s, setup.retries["machine"].most) == (600.0, 0)
    assert setup.after("sold/new").then == "finish"
    assert setup.after("other").after_s == 2 * 86_400.0
    assert (setup.after("other").means, setup.after("sold").means) == ("machine", "person")
    assert (setup.pacing.target_share, setup.pacing.occupancy_ceiling) == (0.025, 0.85)
    assert setup.form[0].choices == ("a", "b")


@pytest.mark.parametrize(
    ("text", "screen", "bridge_first"),
    [
        ("", False, False),
        ("screen: yes", True, False),
        ("screen: off", False, False),
        ("screen: bridge_first", True, True),
    ],
)
def test_ways_to_screen(text: str, screen: bool, bridge_first: bool) -> None:
    setup = made(GOOD + text + "\n")
    assert (setup.screen, setup.bridge_first, setup.on_machine) == (screen, bridge_first, "hang_up")


def test_what_a_machine_gets() -> None:
    assert made(GOOD + "machines_reviewed: {sample: 400, people: 1}\n").reviewed == Reviewed(1, 400)
    assert made(GOOD).reviewed.upper() == 1.0
    setup = made(GOOD + "screen: yes\non_machine: {action: message, flow: harbour, beep_within_s: 12}\n")
    assert (setup.on_machine, setup.machine_flow, setup.beep_within_s) == ("message", "harbour", 12.0)
    assert setup.no_beep == "hang_up"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("mode: predictive", "mode: predictiv", "2: 'predictiv' is not a way of dialing"),
        ("mode: predictive", "mode: callback", "2: a campaign cannot be in mode callback"),
        ("queue: sales", "queue: salse", "6: there is no queue 'salse'"),
        ("queue: sales\n", "", "2: a predictive campaign has no queue"),
        ("packs: [es]", "packs: [es, se]", "4: there is no pack of dialing rules 'se'"),
        ("packs: [es]", "packs: []", "4: this is empty or too short"),
        ("flow: harbour", "flow: nowhere", "9: there is no flow 'nowhere'"),
        (
            "flow: harbour",
            "flow: deaf",
            "9: es/abandoned_message asks for a key not to be called again, and flow 'deaf' has none",
        ),
        ("{flow: harbour}", "{action: hang_up}", "9: es/abandoned_message does not allow the drop action 'hang_up'"),
        ('"+34910000101"', '"+34622000101"', "8: es/no_mobile_identity does not allow +34622000101 to be shown"),
        ('"+34910000101"', '"0911"', "8: '0911' is no public number in E.164"),
        ('"+34910000101"', '"+34112"', "8: 112 is an emergency number"),
        ("drop: {flow: harbour}", "drop: {flow: harbour}\nring_s: 10", "10: it rings 10 s, and es/ring asks for 15"),
        ("drop: {flow: harbour}", "drop: {flow: harbour}\ncalendar: ofice", "10: there is no calendar 'ofice'"),
        ("drop: {flow: harbour}", "drop: {flow: harbour}\nskills: juggling", "10: there is no skill 'juggling'"),
        ("drop: {flow: harbour}", "drop: {flow: harbour}\nretry: {bussy: never}", "10: there is no outcome 'bussy'"),
        (
            "drop: {flow: harbour}",
            "drop: {flow: harbour}\ndispositions: {sould: finish}",
            "10: there is no disposition 'sould'",
        ),
        (
            "drop: {flow: harbour}",
            "drop: {flow: harbour}\npacing: {method: magic}",
            "10: there is no pacing method 'magic'",
        ),
        (
            "drop: {flow: harbour}",
            "drop: {flow: harbour}\npacing: {ratio: 50}",
            "10: 50 lines per ready agent: give 1 to 20",
        ),
        (
            "drop: {flow: harbour}",
            "drop: {flow: harbour}\nwebhooks: [{url: 'https://evil.example/x'}]",
            "10: evil.example is no host that may be asked",
        ),
        (
            "drop: {flow: harbour}",
            "drop: {flow: harbour}\nwebhooks: [{url: 'https://theirs.example/x'}]",
            "10: theirs.example is other tenants'",
        ),
        (
            "drop: {flow: harbour}",
            "drop: {flow: harbour}\nwebhooks: [{url: 'https://crm.example/x', on: [sold, no_answer, attempt_ended]}]",
            "10: there is no disposition 'attempt_ended'",
        ),
        (
            "drop: {flow: harbour}",
            "drop: {flow: harbour}\nmachines_reviewed: {sample: 3, people: 4}",
            "10: 4 people in a sample of 3",
        ),
        ("drop: {flow: harbour}", "drop: {flow: harbour}\nscreen: perhaps", "10: 'perhaps' is no way to screen"),
        (
            "drop: {flow: harbour}",
            "drop: {flow: harbour}\nscreen: yes\non_machine: {action: message, flow: nowhere}",
            "11: there is no flow 'nowhere'",
        ),
        (
            "drop: {flow: harbour}",
            "drop: {flow: harbour}\nscreen: yes\non_machine: message",
            "11: the message has no flow",
        ),
        (
            "drop: {flow: harbour}",
            "drop: {flow: harbour}\non_machine: {action: message, flow: harbour}",
            "10: nobody would know that it is a machine",
        ),
        ("drop: {flow: harbour}", "drop: {flow: harbour}\ncolour: red", "10: unknown key 'colour'"),
        ("lists: {old: 3, new: 1}\n", "", "it has no list"),
        ("purpose: sales", "purpose: fun", "3: 'fun' is not a purpose"),
    ],
)
def test_what_is_wrong_is_said_at_its_line(old: str, new: str, said: str) -> None:
    problems = wrong(GOOD.replace(old, new))
    assert any(said in one for one in problems), problems


def test_where_law_wants_a_number_shown_one_is_needed() -> None:
    text = GOOD.replace('caller_ids:\n  - {name: all, numbers: ["+34910000101"]}\n', "")
    assert wrong(text) == ["4: es/no_mobile_identity asks for a number of ours to be shown, and there is none"]


def test_overdialing_where_nobody_may_be_abandoned_is_warned_of() -> None:
    (problem,) = read(spring=GOOD.replace("packs: [es]", "packs: [es, strict-zero]")).problems
    assert "allows no abandoned call" in problem.what
    assert problem.severity.value == "warning"


def test_a_list_belongs_to_one_campaign() -> None:
    other = GOOD.replace("spring", "autumn")
    found = [f"{one.file}:{one.line}: {one.what}" for one in read(spring=GOOD, autumn=other).problems]
    assert found == [
        "config/campaigns/spring.yaml:5: the list 'old' belongs to campaign autumn already",
        "config/campaigns/spring.yaml:5: the list 'new' belongs to campaign autumn already",
    ]


def test_an_agentless_campaign_needs_a_flow_and_a_pace() -> None:
    text = "campaign: spring\nmode: agentless\npurpose: reminder\npacks: [es]\nlists: [a]\nqueue: sales\n"
    said = " ".join(wrong(text))
    assert "no flow" in said
    assert "no agents" in said
    assert "how fast" in said


def test_broken_files_are_said_and_harm_no_other() -> None:
    found = read(spring=GOOD, broken="campaign: [\n", winter=GOOD)
    assert ("main", "spring") in found.filed
    said = [one.what for one in found.problems]
    assert any("the file is called winter" in one for one in said)
    assert len(said) >= 2


def test_the_shipped_campaigns_are_good_beside_what_is_shipped() -> None:
    files = {
        f"config/campaigns/{path.name}": path.read_text("utf-8") for path in Path(ROOT / "config/campaigns").iterdir()
    }
    found = read_campaigns(files)
    assert not list(found.problems)
    assert {filed.value.mode for filed in found.filed.values()} == {Mode.PREDICTIVE, Mode.PROGRESSIVE, Mode.AGENTLESS}


@pytest.mark.parametrize("broken", ["ring_s: long", "colour: red", "retry: {busy: {most: x}}", "lists: {}", "mode: {}"])
def test_what_is_wrong_in_itself_hides_nothing_else_of_the_file(broken: str) -> None:
    key = broken.partition(":")[0]
    lines = [line for line in GOOD.splitlines() if not line.startswith(f"{key}:")]
    text = (
        "\n".join([*lines, broken, "calendar: ofice", ""]).replace("[es]", "[se]").replace("queue: sales", "queue: x")
    )
    said = " ".join(one.what for one in read(spring=text).problems)
    for expected in ("no pack of dialing rules 'se'", "no queue 'x'", "no calendar 'ofice'"):
        assert expected in said
    assert len(read(spring=text).problems) == 4, said


@pytest.mark.parametrize("gone", ["mode", "purpose", "packs", "campaign", "queue"])
def test_what_is_missing_or_wrong_makes_nothing_else_look_wrong(gone: str) -> None:
    lines = [f"{gone}: {{}}" if line.startswith(f"{gone}:") else line for line in GOOD.splitlines()]
    assert len(wrong("\n".join(lines))) == 1


PROMISING = (
    GOOD
    + """\
form:
  - {name: pay_on, type: date}
  - {name: visit, type: datetime, required: yes}
  - {name: sum, type: money}
  - {name: plan, choices: [one, two]}
  - {name: rest}
dispositions:
  sold: {then: promise, date: pay_on, amount: sum}
  other: {then: appointment, date: visit}
promises: {grace: 36h}
appointments: {remind: 2h}
"""
)


def test_a_disposition_takes_its_date_and_amount_out_of_the_form() -> None:
    setup = made(PROMISING)
    assert [field.kind for field in setup.form] == ["date", "datetime", "money", "choice", "text"]
    after = setup.after("sold/new")
    assert (after.then, after.date, after.amount) == ("promise", "pay_on", "sum")
    assert (setup.grace_s, setup.remind_s) == (36 * 3600.0, 2 * 3600.0)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("date: pay_on,", "date: payon,", "17: the form has no field 'payon'"),
        ("date: pay_on, ", "", "17: nothing says when the promise is"),
        ("date: pay_on,", "date: rest,", "17: the field 'rest' is of type text"),
        ("amount: sum", "amount: plan", "17: the field 'plan' is of type choice"),
        ("appointment, date: visit", "appointment, date: pay_on", "18: the field 'pay_on' is of type date"),
        ("{then: appointment, date: visit}", "{then: retry, date: visit}", "18: a date and an amount are those of a"),
        ("{name: rest}", "{name: plan}", "15: two fields are called 'plan'"),
        ("{name: rest}", "{name: rest, type: choice}", "15: there is nothing to choose from"),
        ("{name: plan, choices", "{name: plan, type: date, choices", "14: a field of type date has choices"),
        ("{name: rest}", "{name: rest, type: colour}", "15: "),
        ("{grace: 36h}", "{grace: ever}", "19: "),
    ],
)
def test_what_is_wrong_with_a_form_is_said_at_its_place(old: str, new: str, said: str) -> None:
    assert old in PROMISING
    found = wrong(PROMISING.replace(old, new, 1))
    assert len(found) == 1, found
    assert found[0].startswith(said)


# -- scripts side by side ---------------------------------------------------------------------------
TEST = """\
script_test:
  name: opening
  goal: [sold]
  scripts:
    - {name: classic, share: 3, text: Le llamo}
    - {name: short, text: {es: Hola, en: Hi}}
"""


def test_scripts_are_tested_side_by_side() -> None:
    text = GOOD + TEST
    assert not wrong(text)
    found = build(read(spring=text), SHIPPED.packs, Site(languages=("es", "en"))).campaigns["main", "spring"]
    assert found.script == {}
    test = found.script_test
    assert test is not None
    assert (test.name, test.goal, test.talk_s) == ("opening", ("sold",), 0.0)
    assert [(one.name, one.share, one.text) for one in test.scripts] == [
        ("classic", 3, {"es": "Le llamo", "en": "Le llamo"}),
        ("short", 1, {"es": "Hola", "en": "Hi"}),
    ]


def test_a_flow_chooses_by_the_scripts_name_and_needs_no_text() -> None:
    text = GOOD.replace("mode: predictive", "mode: agentless\nflow: reminder\npacing: {max_lines: 2}")
    text = (
        text.replace("queue: sales\n", "")
        .replace("drop: {flow: harbour}\n", "")
        .replace("purpose: sales", "purpose: reminder")
    )
    scripts = "script_test: {name: menu, talk: 30s, scripts: [{name: long}, {name: short}]}\n"
    assert not [one for one in wrong(text + scripts) if "script" in one]
    assert any("the flow reminder never says 'sold'" in one for one in wrong(text + TEST))


SURVEY = """\
campaign: spring
mode: agentless
purpose: reminder
packs: [es]
lists: [old]
flow: survey
pacing: {max_lines: 2}
caller_ids:
  - {name: all, numbers: ["+34910000101"]}
form: [{name: pay_on, type: date}]
dispositions:
  confirmed: finish
  paid: {then: promise, date: pay_on}
  sold: finish
"""


def test_an_agentless_campaign_names_what_its_flow_says_or_the_agents_it_leads_to() -> None:
    assert not wrong(SURVEY)
    goal = "script_test: {name: menu, goal: [confirmed], scripts: [{name: long}, {name: short}]}\n"
    assert not wrong(SURVEY + goal)
    quota = "quotas: [{name: enough, result: confirmed, most: 5}]\n"
    assert not wrong(SURVEY + quota)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("confirmed: finish", "confirmd: finish", "12: the flow survey never says 'confirmd'"),
        ("flow: survey", "flow: reminder", "12: the flow reminder never says 'confirmed'"),
        ("[{name: pay_on, type: date}]", "[{name: pay_day, type: date}]", "10: the flow survey fills in 'pay_on'"),
        (
            "confirmed: finish",
            "visit: {then: promise, date: pay_on}",
            "12: nobody fills in 'pay_on', the day of this promise",
        ),
    ],
)
def test_what_a_flow_does_not_say_is_found_at_its_line(old: str, new: str, said: str) -> None:
    problems = wrong(SURVEY.replace(old, new))
    assert any(one.startswith(said) for one in problems), problems


def test_a_name_that_is_nearly_the_flows_is_meant() -> None:
    (problem,) = read(spring=SURVEY.replace("confirmed: finish", "confirmd: finish")).problems
    assert "did you mean 'confirmed'" in problem.hint


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[sold]", "[sould]", "12: there is no disposition 'sould'"),
        ("  goal: [sold]\n", "", "10: nothing says what the scripts are for"),
        ("[sold]", "[sold]\n  talk: 30s", "10: the goal is both a disposition and a length"),
        ("share: 3", "share: 0", "14: 0 is out of range"),
        ("share: 3", "share: half", "14: 'half' is not a whole number"),
        ("name: short", "name: classic", "15: two scripts are called 'classic'"),
        ("name: short", "name: a/b", "15: "),
        ("{name: short, text: {es: Hola, en: Hi}}", "{name: short}", "15: the script 'short' has no text"),
        ("    - {name: short, text: {es: Hola, en: Hi}}\n", "", "13: a test of 1 script compares nothing"),
        ("script_test:", "script: Hola\nscript_test:", "10: it has a script, and a test of scripts"),
        ("  name: opening\n", "", "11: the key 'name' is missing"),
    ],
)
def test_what_is_wrong_with_a_test_of_scripts_is_said_at_its_line(old: str, new: str, said: str) -> None:
    assert old in TEST
    problems = wrong(GOOD + TEST.replace(old, new, 1))
    assert any(one.startswith(said) for one in problems), problems
