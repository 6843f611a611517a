from dataclasses import replace

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.leg_commands import Way
from engine.config.loader import load
from engine.config.outbound import OutboundRule, OutboundRules, Permitted, Refused

RULES = OutboundRules(
    country="ES",
    rules=(
        OutboundRule("landlines", ("+349", "+348"), "main-carrier", caller="+34910000000"),
        OutboundRule("premium", ("+34803", "+34806", "+34807"), ""),
        OutboundRule("mobiles", ("+346", "+347"), "main-carrier", hourly=2),
    ),
    emergency_numbers=frozenset({"112"}),
    emergency_trunk="main-carrier",
    devices=frozenset({"main-1001", "acme-1001"}),
)


@pytest.mark.parametrize("written", ["911234567", "+34 911 23 45 67", "0034911234567", "(91) 123-45.67"])
def test_every_way_to_write_a_number_is_the_same_number(written):
    assert RULES.permit(written, "main", {}) == Permitted(
        "trunk:main-carrier/+34911234567", "landlines", "+34910000000"
    )


def test_the_longest_prefix_decides_so_premium_numbers_stay_forbidden():
    assert RULES.permit("+34803123456", "main", {}) == Refused("rule premium forbids it")


def test_what_no_rule_names_is_refused():
    assert isinstance(RULES.permit("+15551234567", "main", {}), Refused)


def test_an_hourly_cap_is_a_cap():
    assert isinstance(RULES.permit("612345678", "main", {"mobiles": 1}), Permitted)
    verdict = RULES.permit("612345678", "main", {"mobiles": 2})
    assert isinstance(verdict, Refused)
    assert "2 an hour" in verdict.why


def test_emergency_numbers_pass_whatever_the_rules_say():
    assert RULES.permit("112", "main", {"mobiles": 99}) == Permitted("trunk:main-carrier/112", "emergency")


def test_a_call_shows_the_rules_number_else_the_tenants_else_the_trunks():
    rules = replace(RULES, trunk_callers={"main-carrier": "+34920000000"}, tenant_callers={"acme": "+34930000000"})
    shown = {
        (number, tenant): getattr(rules.permit(number, tenant, {}), "caller", None)
        for number, tenant in (("911234567", "acme"), ("612345678", "acme"), ("612345678", "main"), ("112", "main"))
    }
    assert list(shown.values()) == ["+34910000000", "+34930000000", "+34920000000", "+34920000000"]


def test_the_ways_that_are_left_show_each_its_own_number_unless_one_is_given():
    first, *others = RULES.rules
    rules = replace(
        RULES,
        rules=(replace(first, caller="", failover=("main-spare", "main-last")), *others),
        emergency_failover=("main-spare",),
        trunk_callers={"main-carrier": "+34920000000", "main-spare": "+34940000000"},
    )
    ways = (Way("trunk:main-spare/+34911234567", "+34940000000"), Way("trunk:main-last/+34911234567"))
    permitted = rules.permit("911234567", "main", {})
    assert permitted == Permitted("trunk:main-carrier/+34911234567", "landlines", "+34920000000", ways)
    assert permitted.ways_left("") == ways
    assert [way.caller for way in permitted.ways_left("+34910000001")] == ["+34910000001"] * 2
    help_ = rules.permit("112", "main", {})
    assert (help_.endpoint, help_.failover) == (
        "trunk:main-carrier/112",
        (Way("trunk:main-spare/112", "+34940000000"),),
    )
    theirs = replace(rules, tenant_callers={"main": "+34930000000"}).permit("911234567", "main", {})
    assert {theirs.caller, *(way.caller for way in theirs.failover)} == {"+34930000000"}


def test_a_device_is_rung_in_its_own_tenant_only():
    assert RULES.permit("device:1001", "acme", {}) == Permitted("device:acme-1001", "devices")
    assert isinstance(RULES.permit("device:1001", "other", {}), Refused)
    assert RULES.permit("1001", "main", {}) == Permitted("device:main-1001", "devices")


@given(st.text(max_size=40))
def test_nothing_but_digits_ever_reaches_a_trunk(target):
    verdict = RULES.permit(target, "main", {})
    if isinstance(verdict, Permitted) and verdict.endpoint.startswith("trunk:"):
        assert verdict.endpoint.rpartition("/")[2].removeprefix("+").isdigit()


TRUNKS = {
    "a": "caller: '+34911000111'",
    "b": "registration: {username: '34922000222', password: x}",
    "c": "caller: '+34933000333'\nregistration: {username: '34922000222', password: x}",
    "d": "registration: {username: acme-trunk, password: x}",
    "e": "dtmf: info",
}


def test_the_number_a_trunk_shows_is_its_callers_else_the_one_it_registers_as():
    files = {f"config/trunks/{name}.yaml": f"trunk: {name}\nhost: h.example\n{text}\n" for name, text in TRUNKS.items()}
    configuration = load(
        {
            **files,
            "config/site.yaml": "site: t\nlanguages: [es]\n",
            "config/numbers/default.yaml": "default: yes\nflow: f\n",
            "flows/f.yaml": "flow: f\nstart: a\nnodes: {a: {type: hangup}}\n",
        }
    ).configuration
    assert configuration is not None
    assert configuration.outbound.trunk_callers == {
        "main-a": "+34911000111",
        "main-b": "34922000222",
        "main-c": "+34933000333",
    }


WORLD = OutboundRules(
    country="ES",
    rules=(
        OutboundRule("world", ("+",), "main-carrier"),
        OutboundRule("premium", ("+34803", "+34806", "+34807", "+541"), ""),
        OutboundRule("short", ("118",), "main-carrier"),
    ),
)


@pytest.mark.parametrize(
    "trick",
    [
        "+0034806123456",
        "000034806123456",
        "00 0034806123456",
        "+34 0806 123456",
        "+340806123456",
        "+34806123456789",
        "+3480612",
        "+34 806 12 34 56",
        "0034(806)123456",
        "+0000",
        "++34806123456",
        "+",
        "00",
        "*31#806123456",
        "806123456#",
        "8061234५6",
    ],
)
def test_no_way_of_writing_it_gets_a_forbidden_number_past_a_wider_rule(trick):
    assert isinstance(WORLD.permit(trick, "main", {}), Refused)


@pytest.mark.parametrize("written", ["+34911234567", "0015551234567", "+442079460000", "11888"])
def test_and_possible_numbers_still_pass(written):
    assert isinstance(WORLD.permit(written, "main", {}), Permitted)


@given(st.from_regex(r"\A(\+|00|000|\+0|\+00)?[0-9 ]{2,18}\Z"))
def test_what_goes_to_a_trunk_with_a_plus_is_a_possible_number(target):
    verdict = WORLD.permit(target, "main", {})
    if isinstance(verdict, Permitted) and "/+" in verdict.endpoint:
        assert phonenumbers.is_possible_number(phonenumbers.parse(verdict.endpoint.rpartition("/")[2]))
