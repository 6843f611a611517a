"""The last customer is not the last agent; past contacts can be found without showing anybody's number."""

import asyncio
import json
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from core.commands import AskAgent
from core.decisions import InteractionClosed, InteractionOpened
from core.dialing import DIALER
from core.events import LegArrived, LegUp, TimerFired
from core.queue_facts import QueueJoined
from engine.cli.app import app
from engine.home import Home
from store.cipher import ContactCipher
from store.entry import Entry
from store.journal import Journal

EVA, LUZ = "+34600999999", "+34600123123"
NOON_S = datetime(2026, 11, 22, 11, tzinfo=UTC).timestamp()


def opened(id_, called, caller, flow="reception", direction="inbound", rule="number 100"):
    return InteractionOpened(id_, "main", "voice", direction, called, caller, flow, "r1", "es", rule)


@pytest.fixture
def home(tmp_path):
    (tmp_path / "config").mkdir()
    (tmp_path / "config/site.yaml").write_text("site: test\ntime_zone: Europe/Madrid\ncountry: ES\n")
    found = Home.find(tmp_path, tmp_path / "var")
    found.prepare()
    return found


def write(home, *contacts):
    """Each contact: (its number, what happened to it)."""

    async def write_():
        with ContactCipher.open(home.state) as cipher:
            journal = Journal.open(home.journal, cipher, print)
            for at, (number, id_, event, decisions, commands) in enumerate(contacts):
                key = cipher.contact_key_id("main", number, id_)
                entry = Entry(id_, key, NOON_S + 60 * at, event, decisions=decisions, commands=commands)
                await journal.durable(journal.append(entry))
            await journal.close()

    asyncio.run(write_())


def arrived(number, id_, *, commands=(), **more):
    called = more.pop("called", "100")
    return number, id_, LegArrived(f"{id_}.l", "n1", called, number), [opened(id_, called, number, **more)], commands


HELD = [AskAgent("i-ana", "i-ana.1", "i-ana.l", "hold_line")]
DAY = [
    arrived(EVA, "i-eva"),
    (EVA, "i-eva", QueueJoined("i-eva", "s-1", "main", "sales"), [InteractionClosed("i-eva", "completed")], []),
    arrived("600123123", "i-luz", called="700700700", rule="default"),
    arrived("1001", "i-ana", called="*455", flow="agent_phone", commands=HELD),
    arrived("1001", "i-two", called="1002", flow="", direction="internal"),
    (EVA, "i-eva", LegUp("i-eva.l"), [], []),
]


def run(home, *words):
    environment = {"CENTRALITA_STATE": str(home.state)}
    return CliRunner().invoke(app, [*words, "--project", str(home.project)], env=environment)


def listed(home, *words):
    return json.loads(run(home, "journal", "list", "--json", *words).stdout)


def test_the_last_is_the_customer_who_came_last(home):
    write(home, *DAY)
    assert {record["type"] for record in json.loads(run(home, "journal", "show", "last", "--json").stdout)} == {
        "LegArrived"
    }
    assert "Why, for i-luz" in run(home, "explain", "last").stdout


def test_what_the_dialer_does_by_the_clock_is_no_contact(home):
    write(home, arrived(EVA, "i-eva"), ("", DIALER, TimerFired(DIALER, "dial:pace:main"), [], []))
    assert [row["id"] for row in listed(home, "--own")] == ["i-eva"]
    assert "i-eva" in run(home, "explain", "last").stdout


def test_without_a_customer_there_is_no_last_one(home):
    write(home, *DAY[3:5])
    done = run(home, "explain", "last")
    assert (done.exit_code, "journal list --own" in done.output) == (1, True)


def test_past_contacts_are_listed_newest_first(home):
    write(home, *DAY)
    luz, eva = listed(home)
    assert (luz["id"], luz["called"], luz["open"], luz["at_s"]) == ("i-luz", None, True, NOON_S + 120)
    assert (eva["called"], eva["flow"], eva["queues"], eva["outcome"]) == ("100", "reception", ["sales"], "completed")
    assert [each["id"] for each in listed(home, "--own")] == ["i-two", "i-ana", "i-luz", "i-eva"]
    assert [each["id"] for each in listed(home, "--limit", "1")] == ["i-luz"]


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_numbers_are_shown_to_who_asks(home, words):
    write(home, *DAY)
    quiet = run(home, "journal", "list", *words).stdout
    assert not any(number in quiet for number in (EVA, "600123123", "700700700"))
    asked = run(home, "journal", "list", "--numbers", "--limit", "9", *words).stdout
    assert all(number in asked for number in (EVA, "600123123", "700700700"))


@pytest.mark.parametrize(
    ("words", "ids"),
    [
        (("--number-of", LUZ), ["i-luz"]),
        (("--number-of", "600 99 99 99"), ["i-eva"]),
        (("--since", "2026-11-22T12:01"), ["i-luz"]),
        (("--since", "2026-11-22"), ["i-luz", "i-eva"]),
        (("--since", "2026-11-23"), []),
    ],
)
def test_they_are_found_by_time_and_number(home, words, ids):
    write(home, *DAY)
    assert [each["id"] for each in listed(home, *words)] == ids


def test_a_time_that_is_none_is_refused(home):
    write(home, *DAY)
    done = run(home, "journal", "list", "--since", "yesterday")
    assert (done.exit_code, "2026-11-22" in done.output) == (2, True)


def test_times_have_their_zone(home):
    write(home, *DAY)
    assert "Nov 22 12:00:00 CET" in run(home, "journal", "list").stdout


def test_eighty_columns_hold_both_numbers_and_still_words(home):
    write(home, *DAY)
    shown = run(home, "journal", "list", "--numbers", "--limit", "9").stdout
    head = shown.splitlines()[0]
    assert head.split() == ["id", "when", "caller,", "called", "flow", "queue", "outcome"]
    assert max(map(len, shown.splitlines())) <= 80


def test_a_caller_who_sends_junk_leaves_room_for_the_ids(home):
    long_id = "i-acme-1795446327.14"
    write(home, *DAY, arrived("9" * 400, long_id, called="8" * 400))
    shown = run(home, "journal", "list", "--numbers").stdout
    assert long_id in shown
    assert f"{'9' * 20}" in shown
    assert max(map(len, shown.splitlines())) <= 80
    assert run(home, "journal", "list", "--numbers", "--json").stdout.count("9" * 400) == 1
