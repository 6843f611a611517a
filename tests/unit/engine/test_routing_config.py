"""Queues, skills, agents, dispositions, reasons: what admins write, and every way to get it wrong."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from acd.loader import merge
from acd.setup import AgentSetup
from core.media import Speech
from engine.config.loader import Loaded, load
from engine.home import SecretBox
from tests.unit.engine.routing_files import GOOD


def loaded(**changes: str | None) -> Loaded:
    """`config__queues__sales="…"`: that file instead; `+…` added to it; None: without it."""
    sources = dict(GOOD)
    for name, text in changes.items():
        file = name.replace("__", "/") + ".yaml"
        if text is None:
            del sources[file]
        elif text.startswith("+"):
            sources[file] += text[1:]
        else:
            sources[file] = text
    return load(sources)


def problems(**changes: str | None) -> list[str]:
    return [str(problem) for problem in loaded(**changes).problems]


def test_callbacks_as_they_are_written() -> None:
    told = "+callback: {first: customer, calendar: office, rule: mobils, caller: '+34911234567'}\n"
    (wrong,) = problems(config__queues__help=told)
    assert "there is no outbound rule 'mobils'" in wrong
    found = loaded(config__queues__help=told.replace("rule: mobils, ", ""))
    assert found.configuration is not None
    setup = found.configuration.routing.queues["main", "help"].callback
    assert setup is not None
    assert setup.hours is not None
    assert (setup.first, setup.caller, setup.attempts, setup.rule) == ("customer", "+34911234567", 3, "")
    (wrong,) = problems(config__queues__help="+callback: {calendar: ofice}\n")
    assert "there is no calendar 'ofice': did you mean 'office'?" in wrong
    (wrong,) = problems(config__queues__help="+callback: {caller: 911234567}\n")
    assert "'911234567' is no number to be seen" in wrong


def test_what_is_written_is_what_the_router_gets() -> None:
    found = loaded()
    assert not list(found.problems)
    assert found.configuration is not None
    setup = found.configuration.routing
    ana, luis = setup.agents["main", "ana"], setup.agents["main", "luis"]
    assert (ana.name, ana.device, ana.code, ana.queues) == ("Ana", "main-1001", "2001", frozenset({"sales"}))
    assert ana.skills == {"language.es": 10, "billing": 3}
    assert (luis.name, luis.queues, luis.skills) == ("luis", None, {"vip": 1})
    sales = setup.queues["main", "sales"]
    assert (sales.title, sales.overflow_to, sales.max_wait_s) == ("Ventas", "help", 300.0)
    assert [(step.after_s, step.skills) for step in sales.relaxations] == [(60.0, "language.es or billing")]
    assert [(d.path, d.digits, d.leaf) for d in sales.dispositions] == [
        ("sold", "", False),
        ("sold/new", "11", True),
        ("other", "9", True),
    ]
    assert sales.dispositions[0].title == {"es": "Venta", "en": "Venta"}
    assert setup.queues["main", "help"].title == "help"
    assert setup.fallbacks == {("main", "help"): "sales"}
    reasons = {name: reason.chosen for _, name in setup.reasons for reason in [setup.reasons["main", name]]}
    assert reasons == {"login": False, "rona": False, "unreachable": False, "lunch": True}
    assert setup.skills == {"language.es", "billing", "vip"}
    assert setup.devices == {"main-1001", "main-1002"}
    assert setup.release_id == found.configuration.release_id


def test_hours_are_those_of_the_calendar() -> None:
    configuration = loaded().configuration
    assert configuration is not None
    hours = configuration.routing.queues["main", "sales"].hours
    assert hours is not None

    def at(text: str) -> float:
        return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Madrid")).timestamp()

    assert hours.is_open(at("2026-03-10 11:00"))
    assert hours.changes_at(at("2026-03-10 11:00")) == at("2026-03-10 18:00")
    assert not hours.is_open(at("2026-03-10 18:00"))
    assert hours.changes_at(at("2026-03-10 18:00")) == at("2026-03-11 00:00")
    assert hours.changes_at(at("2026-03-11 00:00")) == at("2026-03-11 09:00")


def test_pins_are_generated_and_kept(tmp_path) -> None:
    configuration = loaded().configuration
    assert configuration is not None
    box = SecretBox(tmp_path / "secrets.json")
    assert configuration.pins_named() == [("main", "ana")]
    pin = configuration.routing_with(box).agents["main", "ana"].pin
    assert len(pin) == 6
    assert pin.isdigit()
    assert configuration.routing_with(box).agents["main", "ana"].pin == pin
    assert configuration.routing.agents["main", "ana"].pin == "secret:ana"


def test_what_is_said_to_who_waits_is_rendered_before() -> None:
    configuration = loaded().configuration
    assert configuration is not None
    said = configuration.static_speech()
    for text in ("Gracias por esperar.", "tres", "tres minutos", "Ventas"):
        assert Speech(text, "es") in said
    sales, help_ = (configuration.queue_prompts["main", name] for name in ("sales", "help"))
    assert sales.position is not None
    assert [part.text for part in sales.position.parts({"position": "3"}, "en") if isinstance(part, Speech)][
        1
    ] == "three"
    assert (help_.position, help_.ewt, help_.comfort) == (None, None, ())
    assert help_.whisper.parts(help_.constants, "es")


def test_agents_of_the_database_stand_beside_the_declared_ones() -> None:
    configuration = loaded().configuration
    assert configuration is not None
    merged = merge(configuration.routing, [AgentSetup("main", "eva"), AgentSetup("main", "ana", name="another")])
    assert set(merged.agents) == {("main", "ana"), ("main", "luis"), ("main", "eva")}
    assert merged.agents["main", "ana"].name == "Ana"


def test_a_tenant_has_its_own() -> None:
    found = load(
        {
            **GOOD,
            "tenants/acme/config/queues/sales.yaml": "queue: sales\nskills: french\n",
            "tenants/acme/config/skills.yaml": "skills: {french: }\n",
            "tenants/acme/config/agents.yaml": "agents: {zoe: {device: 7, skills: {french: 5}}}\n",
            "tenants/acme/config/devices/7.yaml": "device: 7\n",
        }
    )
    assert not list(found.problems)
    assert found.configuration is not None
    setup = found.configuration.routing
    assert setup.agents["acme", "zoe"].device == "acme-7"
    assert setup.devices == {"main-1001", "main-1002", "acme-7"}
    assert setup.queues["acme", "sales"].skills == "french"
    assert ("acme", "rona") in setup.reasons


S, A, D, N = "config__queues__sales", "config__agents", "config__dispositions", "config__not_ready"
SALES, AGENTS = GOOD["config/queues/sales.yaml"], GOOD["config/agents.yaml"]


def sales(old: str, new: str) -> dict[str, str]:
    assert old in SALES
    return {S: SALES.replace(old, new)}


def agents(old: str, new: str) -> dict[str, str]:
    assert old in AGENTS
    return {A: AGENTS.replace(old, new)}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        # -- queues
        (
            sales("or vip)", "or vipp)"),
            "config/queues/sales.yaml:3:48: there is no skill 'vipp': did you mean 'vip'?",
        ),
        (
            sales("(billing >= 2 or vip)", "(billing >= 2 or vip"),
            "config/queues/sales.yaml:3:51: a parenthesis is not closed: add ')'",
        ),
        (
            sales("or billing", "or billing >= 11"),
            "config/queues/sales.yaml:5:54: there is no level 11: levels go from 0 to 10",
        ),
        (
            sales("overflow_to: help", "overflow_to: halp"),
            "config/queues/sales.yaml:9:14: there is no queue 'halp': did you mean 'help'?",
        ),
        (
            {"config__queues__help": "queue: help\nmax_wait_s: 9\noverflow_to: sales\n"},
            "config/queues/help.yaml:3:14: overflow_to leads in a circle: help → sales → help: "
            "let one of them end in its flow instead",
        ),
        (
            sales("overflow_to: help", "overflow_to: sales"),
            "config/queues/sales.yaml:9:14: the queue 'sales' leads to itself: name another queue",
        ),
        (
            sales("calendar: office", "calendar: ofice"),
            "config/queues/sales.yaml:7:11: there is no calendar 'ofice': did you mean 'office'?",
        ),
        (
            sales("dispositions: sales", "dispositions: sale"),
            "config/queues/sales.yaml:6:15: there is no tree of dispositions 'sale': did you mean 'sales'?",
        ),
        (
            {S: "+strategy: longest_idel\n"},
            "config/queues/sales.yaml:13:11: there is no strategy 'longest_idel': did you mean 'longest_idle'?",
        ),
        (
            {S: "+strategy_options: {speed: 3}\n"},
            "config/queues/sales.yaml:13:20: longest_idle has no option 'speed': there are no options",
        ),
        ({S: "+ring_s: 3\n"}, "config/queues/sales.yaml:13:9: 3 is out of range: write at least 5"),
        ({S: "+rona_after: 0\n"}, "config/queues/sales.yaml:13:13: 0 is out of range: write at least 1"),
        (
            {S: "+record_percent: 150%\n"},
            "config/queues/sales.yaml:13:17: '150' is no percentage: write 0 to 100",
        ),
        (
            sales("every_s: 30", "every_s: 2"),
            "config/queues/sales.yaml:10:26: every_s is 2: nobody could hear the music: write 0, or 5 and more",
        ),
        (
            sales(', en: "Thank you for waiting."', ""),
            "config/queues/sales.yaml:12:12: this prompt says nothing in 'en': "
            "callers may speak es, en: add a text for en",
        ),
        (
            sales("Gracias por esperar.", "Gracias, {{ caller }}."),
            "config/queues/sales.yaml:12:12: nobody gives 'caller' to this prompt: variables: language, queue, title",
        ),
        (
            sales("prompts:\n  comfort:", "prompts:\n  whisper:"),
            "config/queues/sales.yaml:10:47: comfort messages are wanted and there are none: "
            "write them under `prompts: comfort:`",
        ),
        (
            {"config__queues__help": "queue: hepl\nfallback: sales\n"},
            "config/queues/help.yaml:1:8: the file is called help and defines queue 'hepl': rename it to hepl.yaml",
        ),
        (
            sales("dispositions: sales\n", "disposition_required: yes\n"),
            "config/queues/sales.yaml:6:23: a disposition is required and there are none: "
            "name a tree: `dispositions: …`",
        ),
        (
            sales("relax:\n", "relax:\n  - {after_s: 90}\n"),
            "config/queues/sales.yaml:5:3: the steps of `relax` are not in order: "
            "write them by `after_s`, each later than the last",
        ),
        (
            {S: "queue: sales\nskills: vip >= 9\n"},
            "config/queues/sales.yaml:2:9: warning: no declared agent of the queue 'sales' has the skills it asks for: "
            "give them to somebody, or add a step to `relax`",
        ),
        # -- agents
        (
            agents("billing: 3", "biling: 3"),
            "config/agents.yaml:7:31: there is no skill 'biling': did you mean 'billing'?",
        ),
        (
            agents("queues: [sales]", "queues: [sales, sails]"),
            "config/agents.yaml:8:21: there is no queue 'sails': did you mean 'sales'?",
        ),
        (
            agents("queues: [sales]", "queues: []"),
            "config/agents.yaml:8:13: 'ana' serves no queue: name one, or leave `queues` out for all of them",
        ),
        (
            agents("device: 1001", "device: 1003"),
            "config/agents.yaml:4:13: there is no device '1003': did you mean '1001'?",
        ),
        (
            agents('"1002"', '"1001"'),
            "config/agents.yaml:9:18: the device 1001 is ana's already: "
            "who shares a phone logs in with code and PIN: leave `device` out",
        ),
        (
            agents('device: "1002"', "code: 2001"),
            "config/agents.yaml:9:16: the code 2001 is ana's already: give each agent her own",
        ),
        (
            agents('device: "1002", ', ""),
            "config/agents.yaml:9:3: warning: 'luis' can log in nowhere with a phone: no device, and no code with a "
            "pin: add `device: …`, or `code:` and `pin:`",
        ),
        (
            agents("billing: 3", "billing: 11"),
            "config/agents.yaml:7:40: 11 is out of range: write at most 10",
        ),
        (
            agents("pin: secret:ana", "pin: 12"),
            "config/agents.yaml:6:10: this is no PIN: write secret:NAME for a generated one, or 4 to 16 digits",
        ),
        (
            agents("name: Ana", "units: {chat: 200, fax: 3}"),
            "config/agents.yaml:3:19: one chat takes 200 units and she has 100: "
            "she would never get one: lower it, or raise `capacity`",
        ),
        # -- dispositions and reasons
        (
            {D: GOOD["config/dispositions.yaml"].replace("digits: 9", "digits: 11")},
            "config/dispositions.yaml:7:34: the digits 11 are those of 'sold/new' too: "
            "give each of the choices its own",
        ),
        (
            {D: GOOD["config/dispositions.yaml"].replace("other:", "not_given:")},
            "config/dispositions.yaml:7:5: 'not_given' is what stands where nothing was chosen: call it something else",
        ),
        (
            {D: GOOD["config/dispositions.yaml"].replace("title: Venta\n", "title: Venta\n      digits: 1\n")},
            "config/dispositions.yaml:5:15: 'sold' is a group and cannot be chosen: give the digits to what is in it",
        ),
        (
            {N: "+  dinner: {digits: 1}\n"},
            "config/not_ready.yaml:3:20: the digits 1 are those of 'lunch' too: give each of the reasons its own",
        ),
        # -- elsewhere
        (
            {"flows__f": GOOD["flows/f.yaml"].replace("skills: vip", "skills: 'billing and vap'")},
            "flows/f.yaml:4:55: there is no skill 'vap': did you mean 'vip'?",
        ),
        (
            {"flows__f": GOOD["flows/f.yaml"].replace("skills: vip", "skills: billing >")},
            "flows/f.yaml:4:51: 'billing >' is not compared with a level: write a level from 0 to 10",
        ),
        (
            {"flows__f": GOOD["flows/f.yaml"].replace("skills: vip", 'skills: "language.{{ language }}"')},
            "flows/f.yaml:4:43: there is no skill 'language.en': did you mean 'language.es'?",
        ),
        (
            {"flows__f": GOOD["flows/f.yaml"] + "  said: {type: disposition, value: sold/now, next: bye}\n"},
            "flows/f.yaml:6:36: there is no disposition 'sold/now': did you mean 'sold/new'?",
        ),
        (
            {"flows__f": GOOD["flows/f.yaml"] + "  said: {type: disposition, value: sold, next: bye}\n"},
            "flows/f.yaml:6:36: the disposition 'sold' is a group: choose among sold/new",
        ),
        (
            {"config__site": "+routing: {removed_queues: {old: salse}}\n"},
            "config/site.yaml:3:33: there is no queue 'salse' to take who waits in 'old': did you mean 'sales'?",
        ),
        (
            {"config__site": "+routing: {channels: {call: {interrupts: [fax]}}}\n"},
            "config/site.yaml:3:42: 'fax' is no channel: channels: call, chat, email",
        ),
    ],
)
def test_what_is_wrong_is_said_at_its_place(changes: dict[str, str], expected: str) -> None:
    assert expected in problems(**changes)


def test_who_supervises_need_not_serve_any_queue() -> None:
    changes = agents("queues: [sales]", "queues: []\n    supervises: yes")
    assert not [said for said in problems(**changes) if "warning" not in said]


def test_everything_that_is_wrong_is_said_at_once() -> None:
    said = problems(**sales("or vip)", "or vipp)"), **agents("[sales]", "[sails]"), **{N: "+  b: {digits: 1}\n"})
    assert len(said) >= 3


def test_what_is_broken_is_not_missing_as_well() -> None:
    said = problems(config__queues__help="queue: help\nring: 3\n", config__skills="skills: [billing]\n")
    assert not [line for line in said if "there is no queue" in line or "there is no skill 'billing'" in line]


def test_a_site_may_have_no_agents_at_all() -> None:
    assert problems(config__agents=None) == []


def test_channels_and_rest_are_the_sites() -> None:
    found = loaded(config__site="+routing: {rest_s: 2, channels: {chat: {units: 50}, sms: {interrupts: [chat]}}}\n")
    assert found.configuration is not None
    setup = found.configuration.routing
    assert setup.rest_s == 2.0
    assert (setup.channels["chat"].units, setup.channels["sms"].interrupts) == (50, frozenset({"chat"}))
    assert setup.channels["chat"].interrupts == {"email", "chat"}


def test_what_is_wrong_in_itself_hides_nothing_else_of_the_file() -> None:
    queue = SALES.replace("or vip)", "or vipp)").replace("calendar: office", "calendar: ofice")
    said = problems(
        **{
            S: queue + "ring_s: soon\nstrategy: {}\nstrategy_options: {speed: 3}\n",
            A: AGENTS.replace("code: 2001", "code: []").replace("[sales]", "[sales, sails]"),
            D: GOOD["config/dispositions.yaml"].replace("title: Venta", "titel: Venta"),
            "config__skills": GOOD["config/skills.yaml"] + "  extra: [1]\n",
        }
    )
    places = [":".join(line.split(":")[:2]) + ":" + ":".join(line.split(":")[3:4]) for line in said]
    assert places == [
        "config/agents.yaml:5: a list stands where keys of a phone belongs",
        "config/agents.yaml:8: there is no queue 'sails'",
        "config/dispositions.yaml:4: unknown key 'titel'",
        "config/queues/sales.yaml:3: there is no skill 'vipp'",
        "config/queues/sales.yaml:7: there is no calendar 'ofice'",
        "config/queues/sales.yaml:13: 'soon' is not a number of seconds",
        "config/queues/sales.yaml:14: a map stands where a name belongs",
        "config/skills.yaml:5: a list stands where a map belongs",
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"config__skills": "skills: [billing]\n"},
        {"config__skills": "skills: {billing: , language.es: [], vip: }\n"},
        {"config__skills": "skills: {\n"},
        {D: "dispositions: [sales]\n"},
        {D: "dispositions: {\n"},
        {D: "dispositions: {sales: [], b: {}}\n"},
        {A: "agents: {ana: {skills: none}}\n"},
        {A: "agents: {\n"},
        {"config__calendars__office": "hours: {mon-fri: 9}\n"},
        {"config__devices__1001": "device: []\n"},
        {"config__devices__1001": "{\n"},
        {"config__queues__help": "queue: help\nfallback: []\n"},
        {"config__queues__help": "{\n"},
        {S: SALES.replace('comfort: {es: "Gracias por esperar."', "comfort: {es: []")},
    ],
)
def test_what_is_wrong_makes_nothing_else_look_wrong(changes: dict[str, str]) -> None:
    (file,) = changes
    said = [line for line in problems(**changes) if not line.startswith(file.replace("__", "/"))]
    assert said == []
