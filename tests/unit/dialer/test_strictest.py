"""Several packs, one law: who wins, by name; and the packs we ship."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import pytest

from definitions.problems import Severity
from dialer.compliance import rules
from dialer.compliance.definitions import RULES
from dialer.compliance.loader import read_packs, stale
from dialer.compliance.rules import DropAction, Mode, Party, Purpose, Scope
from dialer.compliance.strictest import strictest
from tests.unit.dialer.law_case import DAY_S, ROOT, SHIPPED, abandonment, pack, source

MIAMI = Party("+13055550100", "US")


def test_the_packs_we_ship_load_without_a_word() -> None:
    assert not list(SHIPPED.problems)
    assert set(SHIPPED.packs) == {"us", "uk", "es", "ar", "co", "strict-zero"}
    for one in SHIPPED.packs.values():
        for rule in one.rules:
            assert rule.source.law
            assert rule.source.review_by > date(2026, 11, 22)
            assert rule.source.read is None or rule.source.read <= rule.source.review_by


def test_what_nobody_has_read_is_to_be_read_soon() -> None:
    """An unverified rule that claims a law has half a year at most."""
    for one in SHIPPED.packs.values():
        for rule in one.rules:
            if rule.source.read is None:
                assert rule.source.review_by <= date(2027, 5, 22), rule.source.name


def test_the_winner_is_named() -> None:
    law = strictest([SHIPPED.packs["us"], SHIPPED.packs["strict-zero"]], Purpose.SALES, Mode.PREDICTIVE)
    terms = law.at(MIAMI)
    assert terms.ring.value == 20.0
    assert str(terms.ring.source) == "strict-zero/ring (Our own)"
    assert [(limit.most, limit.source.pack) for limit in terms.abandonment] == [
        (Fraction(0), "strict-zero"),
        (Fraction(3, 100), "us"),
    ]
    assert terms.agent_within[0].source.pack == "strict-zero"
    assert terms.drop_actions.value == {DropAction.MESSAGE}
    assert terms.drop_opt_out.value


def test_a_pack_speaks_for_its_own_countries() -> None:
    law = strictest([SHIPPED.packs["es"], SHIPPED.packs["co"]], Purpose.SALES, Mode.PREDICTIVE)
    assert {rule.source.pack for rule in law.at(Party("+34911234567", "ES")).rules} == {"es"}
    assert {rule.source.pack for rule in law.at(Party("+576012345678", "CO")).rules} == {"co"}
    assert {limit.source.pack for limit in law.overall.abandonment} == {"es", "co"}
    assert law.covers("ES")
    assert not law.covers("FR")


def test_packs_that_contradict_each_other_are_told() -> None:
    drops = [
        rules.Drop(source(f"drop_{action.value}"), Scope(), frozenset({action}))
        for action in (DropAction.MESSAGE, DropAction.QUEUE)
    ]
    law = strictest([pack(*drops, abandonment(3))], Purpose.SALES, Mode.PREDICTIVE)
    assert law.contradictions() == [
        "the packs agree on nothing that may be done with an abandoned call (test/drop_message (a law))"
    ]
    assert strictest([], Purpose.SALES, Mode.MANUAL).contradictions() == [
        "no rule pack is named: a campaign dials under at least one"
    ]
    for one in SHIPPED.packs.values():
        for purpose in Purpose:
            assert strictest([one, SHIPPED.packs["strict-zero"]], purpose, Mode.PREDICTIVE).contradictions() == []


def test_a_rule_is_for_its_purposes_and_ways_of_dialing() -> None:
    us = SHIPPED.packs["us"]
    collections = strictest([us], Purpose.COLLECTIONS, Mode.PREDICTIVE).at(MIAMI)
    assert {cap.source.rule for cap in collections.caps} == {"seven_in_seven"}
    assert {hours.source.rule for hours in collections.hours} == {"calling_hours"}
    agentless = strictest([us], Purpose.REMINDER, Mode.AGENTLESS).at(MIAMI)
    assert [basis.source.rule for basis in agentless.bases] == ["prerecorded"]


def test_the_shortest_consent_wins() -> None:
    bases = [
        rules.BasisNeeded(source(f"b{days}"), Scope(), frozenset({rules.Basis.CONSENT}), days * DAY_S)
        for days in (730, 365)
    ]
    won = strictest([pack(*bases)], Purpose.SALES, Mode.MANUAL).overall.consent_age_s
    assert (won.value, won.source and won.source.rule) == (365 * DAY_S, "b365")


# -- files ------------------------------------------------------------------------------------------
RULE = "law: a law\n    read: 2026-01-01\n    review_by: 2026-06-01"


def problems(text: str, file: str = "config/compliance/x.yaml") -> list[str]:
    return [str(problem) for problem in read_packs({file: text}).problems]


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("type: hours\n    open: {mon-fri: 9-21}", "'9-21' are no hours"),
        ("type: hours\n    open: {mon-fri: 21:00-9:00}", "these hours end before they begin"),
        ("type: hours\n    open: {mon: 9:00-10:00, mon-tue: 9:00-10:00}", "a day of 'mon-tue' has hours twice"),
        ("type: hours\n    open: {}", "the hours of the week are missing"),
        ("type: hours\n    open: {mon: 9:00-10:00}\n    holidays: {country: ES, extra: [15-5]}", "'15-5' is no day"),
        ("type: cap\n    most: 3\n    within: 7", "'7' is no length of time"),
        ("type: abandonment\n    most: 3,5\n    window: {days: 30}", "'3,5' is no percentage"),
        ("type: abandonment\n    most: 3\n    window: {}", "a window has either days or a calendar day"),
        ("type: abandonment\n    most: 3\n    window: {calendar_day: Madrid}", "'Madrid' is no time zone"),
        ("type: drop\n    allowed: [musik]", "'musik' is not something to do with an abandoned call"),
        ("type: basis\n    any_of: [konsent]", "'konsent' is not a basis: did you mean 'consent'?"),
        ("type: ring\n    least_s: 15\n    prefixes: ['305']", "'305' begins no number"),
        ("type: ring", "the key 'least_s' is missing"),
        ("type: rings\n    least_s: 15", "there is no rule of type 'rings': did you mean 'ring'?"),
        ("least_s: 15", "the key 'type' is missing"),
        ("type: [ring]", "there is no rule of type"),
    ],
)
def test_what_is_wrong_is_said_at_its_place(rule: str, said: str) -> None:
    text = f"kind: dialing\npack: x\ncountries: [ES]\nrules:\n  a:\n    {RULE}\n    {rule}\n"
    found = problems(text)
    assert any(said in line for line in found), found
    assert all(line.startswith("config/compliance/x.yaml:") for line in found)


def test_a_pack_is_called_like_its_file_and_belongs_to_nobody() -> None:
    rule = "{type: ring, least_s: 5, law: a, read: unverified, review_by: 2026-06-01}"
    text = f"kind: dialing\npack: x\ncountries: any\nrules:\n  a: {rule}\n"
    assert problems(text) == []
    assert problems(text, "config/compliance/y.yaml") == [
        "config/compliance/y.yaml:2:7: the file is called y and defines pack 'x': rename it to x.yaml"
    ]
    assert "a tenant has no rule packs of its own" in problems(text, "tenants/acme/config/compliance/x.yaml")[0]
    assert "'ZZ' is not a country" in problems(text.replace("any", "[ES, ZZ]"))[0]
    assert problems("pack: x\nrules: {}\n") == [], "another kind of pack, another reader"


def test_the_example_of_the_documentation_is_right() -> None:
    page = (ROOT / "docs/compliance.md").read_text("utf-8")
    example = page.partition("```yaml\n")[2].partition("```")[0]
    assert problems(example, "config/compliance/ours.yaml") == []
    assert all(f"| `{name}` |" in page for name in SHIPPED.packs)
    assert all(f" {name}," in page or f" {name}\n" in page for name in RULES), "every type of rule is named"


def test_a_rule_past_its_review_is_a_warning_at_its_date() -> None:
    text = f"kind: dialing\npack: x\ncountries: any\nrules:\n  a:\n    type: ring\n    least_s: 5\n    {RULE}\n"
    found = read_packs({"config/compliance/x.yaml": text})
    assert stale(found.filed.values(), date(2026, 6, 1)) == []
    (warning,) = stale(found.filed.values(), date(2026, 6, 2))
    assert warning.severity is Severity.WARNING
    assert str(warning).startswith("config/compliance/x.yaml:10:16: warning: rule a was to be reviewed by 2026-06-01")
