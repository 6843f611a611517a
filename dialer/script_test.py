"""Which of the scripts that a campaign tests a lead gets. Pure.

A lead is drawn by a hash of who she is and of the test's name, and by nothing else: the same lead gets the same script
at every try, after a restart, and when her list is taken out and imported again; another test draws anew. Each script
has a number from 0 to 1 for her; the one with the least -ln(number) / share has her, which gives each its share of the
leads (weighted rendezvous hashing; the race of exponential variables). So the order in the file does not matter, and
when shares change, only those leads move that have to. And none of them if she has been dialed in this test already:
she keeps what her first attempt had.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import blake2b
from math import log

from core.lead_record import LeadRecord
from dialer.records import Attempt, Tried
from dialer.setup import CampaignSetup, Script, ScriptTest

_BITS = 64


def drawn(setup: CampaignSetup, record: LeadRecord, history: Iterable[Tried]) -> str:
    """`test/script`, as it is kept with the attempt; empty: the campaign tests nothing. `history`: her attempts, and
    others' at her numbers."""
    test = setup.script_test
    if test is None:
        return ""
    written = {kept_as(test, script) for script in test.scripts}
    for past in history:
        if past.lead_id == record.lead_id and past.campaign == setup.campaign and past.script in written:
            return past.script
    identity = record.external_id or (record.numbers[0].number if record.numbers else record.lead_id)
    return kept_as(test, min(test.scripts, key=lambda script: (_late(test, script, identity), script.name)))


def kept_as(test: ScriptTest, script: Script) -> str:
    return f"{test.name}/{script.name}"


def name_of(kept: str) -> str:
    """The script's own name, for flows."""
    return kept.partition("/")[2]


def test_of(kept: str) -> str:
    return kept.partition("/")[0]


def text_of(setup: CampaignSetup, attempt: Attempt) -> Mapping[str, str]:
    """What the agent says in this attempt, by language."""
    test = setup.script_test
    if test is None:
        return setup.script
    return next((one.text for one in test.scripts if kept_as(test, one) == attempt.script), setup.script)


def _late(test: ScriptTest, script: Script, identity: str) -> float:
    told = "\0".join((test.name, script.name, identity)).encode()
    number = int.from_bytes(blake2b(told, digest_size=_BITS // 8).digest())
    return -log((number + 1) / (2**_BITS + 1)) / script.share
