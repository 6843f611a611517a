"""`centralita campaign simulate`: from attempts in the database to a table and a page, or what is wrong in words."""

import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from core.lead_record import AttemptRecord
from core.lead_store import Save
from engine.cli.app import app
from engine.home import Home
from store.sql.database import LEADS, Database
from store.sql.leads import SqlLeadStore

PROJECT = Path(__file__).resolve().parents[3]
CAMPAIGN = """campaign: spring
mode: predictive
purpose: service
packs: [{pack}]
lists: [spring]
queue: sales
caller_ids: [{{name: a, numbers: ["+34910100101"]}}]
drop: {{action: message, flow: sorry}}
"""
FLOW = """flow: sorry
languages: [es]
start: stop
nodes:
  stop: {type: menu, prompt: {es: "Pulse nueve."}, keys: {"9": never}, no_input: {then: bye}, no_match: {then: bye}}
  never: {type: do_not_call, next: bye}
  bye: {type: hangup}
"""


@pytest.fixture
def home(tmp_path):
    files = {
        "config/site.yaml": "site: test\n",
        "config/queues/sales.yaml": "queue: sales\n",
        "config/campaigns/spring.yaml": CAMPAIGN.format(pack="us"),
        "config/campaigns/zero.yaml": CAMPAIGN.format(pack="strict-zero").replace("spring", "zero"),
        "config/numbers/default.yaml": "default: yes\nflow: sorry\n",
        "flows/sorry.yaml": FLOW,
    }
    for pack in ("us", "strict-zero"):
        files[f"config/compliance/{pack}.yaml"] = (PROJECT / f"config/compliance/{pack}.yaml").read_text()
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Home.find(tmp_path)


def simulated(home, *words, campaign="spring"):
    quick = ["--hours", "1", "--days", "2", "--agents", "3", "--project", str(home.project)]
    return CliRunner(env={"COLUMNS": "80"}).invoke(app, ["campaign", "simulate", campaign, *quick, *words])


def dialed(home, attempts, talk_s):
    """One in four answers."""

    async def write():
        database = Database(home.leads_url, LEADS)
        await database.upgrade()
        saves = []
        for n in range(attempts):
            person, at_s = n % 4 == 0, 1.79e9 + 30.0 * n
            times = {"answered_s": at_s + 9, "connected_s": at_s + 9, "ended_s": at_s + 9 + talk_s}
            state = "completed" if person else "no_answer"
            one = AttemptRecord(
                f"a{n}", f"i{n}", "main", "spring", "spring", f"l{n}", "+34911000001", "", "predictive", state, at_s,
                **(times if person else {"ended_s": at_s + 25}),
            )  # fmt: skip
            saves.append(Save(f"a{n}", 1, attempt=one))
        await SqlLeadStore(database).save(saves)
        await database.close()

    home.prepare()
    asyncio.run(write())


def test_before_anybody_was_dialed_it_says_what_it_assumes(home):
    shown = simulated(home)
    assert shown.exit_code == 0, shown.output
    assert "too few to learn from" in shown.output
    assert "predictive" in shown.output
    assert "progressive" in shown.output
    assert "3.0%" in shown.output


def test_it_learns_from_attempts_and_tries_other_ways(home, tmp_path):
    dialed(home, 400, 45.0)
    file = tmp_path / "what-if.html"
    shown = simulated(home, "--methods", "progressive,adaptive_ratio", "--json", "--html", str(file))
    told = json.loads(shown.stdout)
    assert told["attempts"] == 400
    assert "45 s on average" in told["world"]
    assert told["cap"] == 0.03
    assert [row["method"] for row in told["rows"]] == ["progressive", "adaptive_ratio"]
    assert all(row["conversations"]["mean"] > 0 for row in told["rows"])
    assert "3 agents, progressive" in file.read_text()
    replayed = json.loads(simulated(home, "--replay", "--json", "--methods", "progressive").stdout)
    assert replayed["rows"][0]["dials"]["most"] <= 400


def test_the_cap_is_that_of_the_packs(home):
    shown = simulated(home, "--json", campaign="zero")
    assert json.loads(shown.stdout)["cap"] == 0.0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--agents", "0"), "1 to 300"),
        (("--agents", "a few"), "5,10,15"),
        (("--methods", "magic"), "choose from"),
        (("--from", "9am"), "09:00"),
        (("--replay",), "0 attempts to replay: it takes 100"),
        (("--since", "monday"), "2026-11-22"),
    ],
)
def test_what_makes_no_sense_is_said(home, words, told):
    shown = simulated(home, *words)
    assert shown.exit_code != 0
    assert told in " ".join(shown.output.split())


def test_a_campaign_that_is_not_there(home):
    assert "config/campaigns/nobody.yaml" in simulated(home, campaign="nobody").output
