import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.config.loader import load
from engine.config.models import Number
from engine.config.numbers import NumberPlan, NumberRange, Route


def route(flow: str, tenant: str = "main") -> Route:
    return Route(tenant, flow, "", flow)


PLAN = NumberPlan(
    exact={"34911234567": route("own"), "100": route("reception")},
    ranges=(
        NumberRange("+34911234500", "+34911234599", route("block")),
        NumberRange("+34911230000", "+34911239999", route("area")),
        NumberRange("*460000", "*469999", route("supervision")),
    ),
    defaults={"main": route("default"), "acme": route("acme-default", "acme")},
    entry_tenants={"acme-trunk": "acme"},
)


@pytest.mark.parametrize(
    ("called", "entry", "flow"),
    [
        ("+34911234567", "", "own"),
        ("34911234567", "", "own"),
        ("100", "", "reception"),
        ("+34911234568", "", "block"),
        ("+34911230001", "", "area"),
        ("+34955555555", "", "default"),
        ("+34955555555", "acme-trunk", "acme-default"),
        ("*462001", "", "supervision"),
        ("*46200", "", "default"),
        ("0462001", "", "default"),
        ("anonymous", "", "default"),
        ("", "", "default"),
    ],
)
def test_the_most_exact_entry_wins(called, entry, flow):
    assert PLAN.route(called, entry).flow == flow


SPAIN = load(
    {
        "config/site.yaml": "site: t\nlanguages: [es]\ncountry: ES\n",
        "config/numbers/default.yaml": "default: yes\nflow: f\n",
        "config/numbers/own.yaml": "number: '+34911234567'\nflow: f\n",
        "config/numbers/national.yaml": "number: '922000111'\nflow: f\n",
        "config/numbers/block.yaml": "range: ['+34933000000', '+34933000099']\nflow: f\n",
        "config/numbers/far.yaml": "range: ['944000000', '944000099']\nflow: f\n",
        "config/numbers/short.yaml": "range: ['200', '299']\nflow: f\n",
        "flows/f.yaml": "flow: f\nstart: a\nnodes: {a: {type: hangup}}\n",
    }
).configuration


@pytest.mark.parametrize(
    ("called", "rule"),
    [
        ("911234567", "number +34911234567"),
        ("0034911234567", "number +34911234567"),
        ("34911234567", "number +34911234567"),
        ("+34922000111", "number 922000111"),
        ("922000111", "number 922000111"),
        ("933000050", "range +34933000000-+34933000099"),
        ("+34944000007", "range 944000000-944000099"),
        ("944000007", "range 944000000-944000099"),
        ("250", "range 200-299"),
        ("+250", "range 200-299"),
        ("911234568", "default"),
        ("*911234567", "default"),
        ("+33911234567", "default"),
    ],
)
def test_all_forms_of_a_public_number_are_one(called, rule):
    assert SPAIN is not None
    assert SPAIN.numbers.route(called, "").rule == rule


@given(st.text(), st.text())
def test_nobody_who_reaches_us_goes_unanswered(called, entry):
    assert PLAN.route(called, entry).flow


def test_a_calendar_alone_is_no_opening_hours():
    with pytest.raises(ValueError, match="calendar does nothing alone"):
        Number(number="900", flow="sales", calendar="office")
    assert Number(number="900", flow="sales", calendar="office", closed_flow="closed").calendar == "office"


@pytest.mark.parametrize(
    ("ends", "wrong"),
    [
        (("*460000", "*469999"), False),
        (("*460000", "#469999"), True),
        (("*46*00", "*46*99"), True),
        (("*2", "*1"), True),
    ],
)
def test_a_range_may_begin_with_the_signs_of_a_feature_code(ends, wrong):
    if wrong:
        with pytest.raises(ValueError, match="this is no range"):
            Number(range=ends, flow="sales")
    else:
        assert Number(range=ends, flow="sales").range == ends


FLOW = "flow: {}\nstart: a\nlanguages: [es]\nnodes: {{a: {{type: hangup}}}}\n"
PHONES = "flow: phones\nstart: a\nlanguages: [es]\nnodes: {a: {type: agent, do: log_in, ok: b}, b: {type: hangup}}\n"
SWITCH = """
flow: switch
start: a
languages: [es]
nodes:
  a: {type: toggle, toggle: closure, mode: flip, pin: "4711", prompt: "PIN", next: b, no_input: {then: b}}
  b: {type: hangup}
"""
OUTSOURCER = {
    "config/site.yaml": "site: t\nlanguages: [es]\ncountry: ES\n",
    "config/numbers/default.yaml": "default: yes\nflow: ours\n",
    "config/numbers/100.yaml": "number: '100'\nflow: ours\n",
    "config/numbers/agents.yaml": "number: '*45'\nflow: ours\n",
    "config/numbers/line.yaml": "number: '*455'\nflow: phones\n",
    "config/numbers/follow.yaml": "range: ['*460000', '*469999']\nflow: phones\n",
    "config/numbers/switch.yaml": "number: '*80'\nflow: switch\n",
    "config/numbers/switches.yaml": "range: ['*8100', '*8199']\nflow: switch\n",
    "config/numbers/menu.yaml": "number: '*82'\nflow: ours\n",
    "config/numbers/survey.yaml": "number: '103'\nflow: ours\n",
    "config/trunks/carrier.yaml": "trunk: carrier\nhost: 192.0.2.1\n",
    "flows/phones.yaml": PHONES,
    "flows/switch.yaml": SWITCH,
    "config/devices/1001.yaml": "device: '1001'\n",
    "flows/ours.yaml": FLOW.format("ours"),
    "tenants/acme/config/numbers/100.yaml": "number: '100'\nflow: theirs\n",
    "tenants/acme/config/numbers/agents.yaml": "number: '*45'\nflow: theirs\n",
    "tenants/acme/config/devices/1001.yaml": "device: '1001'\n",
    "tenants/acme/flows/theirs.yaml": FLOW.format("theirs"),
    "tenants/acme/config/numbers/300.yaml": "number: '300'\nflow: theirs\n",
    "tenants/acme/config/numbers/310.yaml": "number: '310'\nflow: theirs\n",
    "tenants/acme/config/numbers/block.yaml": "range: ['400', '499']\nflow: theirs\n",
    "tenants/acme/config/numbers/public.yaml": "number: '911000001'\nflow: theirs\n",
    "tenants/acme/config/numbers/star81.yaml": "number: '*90'\nflow: theirs\n",
    "tenants/acme/config/trunks/carrier.yaml": "trunk: carrier\nhost: 192.0.2.2\n",
    "tenants/zeta/config/numbers/310.yaml": "number: '310'\nflow: hers\n",
    "tenants/zeta/config/numbers/default.yaml": "default: yes\nflow: hers\n",
    "tenants/zeta/config/devices/1001.yaml": "device: '1001'\n",
    "tenants/zeta/config/trunks/carrier.yaml": "trunk: carrier\nhost: 192.0.2.3\n",
    "tenants/zeta/flows/hers.yaml": FLOW.format("hers"),
}


@pytest.mark.parametrize(
    ("entry", "called", "tenant", "flow"),
    [
        ("main-1001", "*45", "main", ("main", "ours")),
        ("acme-1001", "*45", "acme", ("acme", "theirs")),
        ("acme-1001", "100", "acme", ("acme", "theirs")),
        ("", "100", "main", ("main", "ours")),
        ("acme-1001", "*455", "acme", ("main", "phones")),
        ("acme-1001", "*462001", "acme", ("main", "phones")),
        ("acme-1001", "+34911234567", "main", ("main", "ours")),
    ],
)
def test_each_tenant_has_short_numbers_and_codes_of_its_own_and_shares_the_codes_it_lacks(entry, called, tenant, flow):
    loaded = load(OUTSOURCER)
    assert loaded.configuration is not None, str(loaded.problems)
    route = loaded.configuration.numbers.route(called, entry)
    assert (route.tenant, (route.flows_of, route.flow)) == (tenant, flow)


OUTSOURCERS = load(OUTSOURCER).configuration


@pytest.mark.parametrize("called", ["*80", "*8111", "*82", "*90", "300", "400", "310", "100", "103"])
@pytest.mark.parametrize("entry", ["zeta-1001", "zeta-carrier"])
def test_nobody_reaches_what_another_tenant_has_under_a_number_that_is_not_public(entry, called):
    route = OUTSOURCERS.numbers.route(called, entry)
    assert (route.tenant, route.flows_of, route.flow) == ("zeta", "zeta", "hers")


def test_phones_of_the_main_tenant_reach_no_other_tenants_short_numbers():
    assert {OUTSOURCERS.numbers.route(called, "main-1001").rule for called in ("300", "400", "310")} == {"default"}


@pytest.mark.parametrize(("called", "tenant"), [("300", "acme"), ("444", "acme"), ("310", "main"), ("100", "main")])
def test_over_a_carrier_that_tenants_share_a_short_number_reaches_the_one_that_has_it(called, tenant):
    assert OUTSOURCERS.numbers.route(called, "main-carrier").tenant == tenant


@pytest.mark.parametrize("entry", ["zeta-1001", "zeta-carrier", "main-1001", "main-carrier"])
def test_everybody_calls_public_numbers(entry):
    assert OUTSOURCERS.numbers.route("+34911000001", entry).tenant == "acme"


@pytest.mark.parametrize(
    "called", ["+103", "00103", "+300", "00300", "+100", "+444", "00444", "+*80", "+*8111", "+*90", "+*45"]
)
@pytest.mark.parametrize("entry", ["zeta-1001", "zeta-carrier"])
def test_nor_does_writing_it_otherwise_help(entry, called):
    route = OUTSOURCERS.numbers.route(called, entry)
    assert (route.tenant, route.flows_of, route.flow) == ("zeta", "zeta", "hers")
    assert OUTSOURCERS.numbers.exactly(called, "zeta") is None


@pytest.mark.parametrize("called", ["100", "+100", "00100", "*45", "+*45", "+300"])
@pytest.mark.parametrize("entry", ["acme-1001", "acme-carrier"])
def test_however_it_is_written_a_tenants_own_comes_first(entry, called):
    assert OUTSOURCERS.numbers.route(called, entry).flows_of == "acme"


@pytest.mark.parametrize(
    ("entry", "called", "flow"), [("acme-1001", "*455", "theirs"), ("main-carrier", "300", "ours")]
)
def test_ranges_of_ones_own_come_before_what_is_shared(entry, called, flow):
    ranges = {
        "tenants/acme/config/numbers/codes.yaml": "range: ['*450', '*459']\nflow: theirs\n",
        "config/numbers/block.yaml": "range: ['300', '399']\nflow: ours\n",
    }
    loaded = load({**OUTSOURCER, **ranges})
    assert loaded.configuration is not None, str(loaded.problems)
    assert loaded.configuration.numbers.route(called, entry).flow == flow


def test_over_a_carrier_that_tenants_share_nobody_has_what_lies_in_ranges_of_two():
    both = {"tenants/zeta/config/numbers/block.yaml": "range: ['440', '460']\nflow: hers\n"}
    numbers = load({**OUTSOURCER, **both}).configuration.numbers
    found = {called: numbers.route(called, "main-carrier").tenant for called in ("439", "450")}
    assert found == {"439": "acme", "450": "main"}


@pytest.mark.parametrize("country", ["DE", "AT", "CO", "GB"])
def test_extensions_are_extensions_where_public_numbers_may_be_as_short(country):
    site = {
        **OUTSOURCER,
        "config/site.yaml": f"site: t\nlanguages: [es]\ncountry: {country}\n",
        **{
            f"{place}config/numbers/1001.yaml": f"number: '1001'\nflow: {flow}\n"
            for place, flow in (("", "ours"), ("tenants/acme/", "theirs"))
        },
        "tenants/acme/config/numbers/thousands.yaml": "range: ['2000', '2999']\nflow: theirs\n",
    }
    loaded = load(site)
    assert loaded.configuration is not None, str(loaded.problems)
    numbers = loaded.configuration.numbers
    assert [numbers.route("1001", entry).tenant for entry in ("main-1001", "acme-1001", "zeta-1001")] == [
        "main",
        "acme",
        "zeta",
    ]
    assert numbers.route("2500", "zeta-1001").tenant == "zeta"


@pytest.mark.parametrize("other", ["+100", "100"])
def test_a_plus_makes_no_other_number(other):
    again = {"config/numbers/again.yaml": f"number: '{other}'\nflow: ours\n"}
    assert f"{other} is defined twice" in str(load({**OUTSOURCER, **again}).problems)


def test_a_foreign_number_is_public_without_its_plus():
    paris = {"tenants/acme/config/numbers/paris.yaml": "number: '33123456789'\nflow: theirs\n"}
    numbers = load({**OUTSOURCER, **paris}).configuration.numbers
    assert {numbers.route(called, "zeta-1001").tenant for called in ("+33123456789", "0033123456789")} == {"acme"}


def test_whoever_hands_over_to_a_short_number_means_her_own_tenants():
    assert [OUTSOURCERS.numbers.exactly("100", tenant).flow for tenant in ("main", "acme")] == ["ours", "theirs"]
    assert OUTSOURCERS.numbers.exactly("300", "zeta") is None


@pytest.mark.parametrize("number", ["*45", "100"])
def test_a_short_number_is_defined_once_a_tenant(number):
    again = {"tenants/acme/config/numbers/again.yaml": f"number: '{number}'\nflow: theirs\n"}
    assert f"{number} is defined twice" in str(load({**OUTSOURCER, **again}).problems)


@pytest.mark.parametrize("number", ["+34911234567", "911234567"])
def test_a_public_number_is_one_tenants(number):
    both = {
        f"{place}config/numbers/public.yaml": f"number: '{number}'\nflow: {flow}\n"
        for place, flow in (("", "ours"), ("tenants/acme/", "theirs"))
    }
    assert f"{number} is defined twice" in str(load({**OUTSOURCER, **both}).problems)


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("config/agents.yaml", 'agents: {ana: {device: "77"}}\n', "write tenants/acme/config/devices/77.yaml"),
        ("config/agents.yaml", "agents: {ana: {queues: [x]}}\n", "write it under tenants/acme/config/queues/"),
        ("config/queues/q.yaml", "queue: q\ncalendar: x\n", "write it under tenants/acme/config/calendars/"),
        ("config/numbers/7.yaml", "number: '7'\nflow: theirs\ncalendar: x\n", "under tenants/acme/config/calendars/"),
        (
            "flows/more.yaml",
            "flow: more\nlanguages: [es]\nstart: a\nnodes: {a: {type: queue, queue: x, next: b}, b: {type: hangup}}\n",
            "under tenants/acme/config/queues/",
        ),
    ],
)
def test_whoever_makes_a_mistake_in_a_tenants_file_is_sent_to_that_tenants_files(file, text, said):
    device = {name: value for name, value in OUTSOURCER.items() if "acme/config/devices" not in name}
    found = str(load({**device, f"tenants/acme/{file}": text}).problems)
    assert said in found
    assert f"tenants/acme/{file}:" in found
