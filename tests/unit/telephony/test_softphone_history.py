"""Waiting for what a phone tells."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest

from telephony.softphone.errors import PhoneDied
from telephony.softphone.events import Event, History


def told(name: str, **fields) -> Event:
    return Event(name, 1.0, fields)


async def test_what_has_already_happened_is_not_awaited():
    history = History()
    history.add(told("registered", account="1000"))
    event = await history.first(lambda event: event.name == "registered", what="it", timeout_s=0.01)
    assert event["account"] == "1000"


async def test_what_happened_before_the_mark_is_not_taken():
    history = History()
    history.add(told("media_state", state="active"))
    since = history.mark()
    with pytest.raises(TimeoutError):
        await history.first(lambda event: event.name == "media_state", what="it", timeout_s=0.01, since=since)


async def test_one_event_wakes_everybody_who_waits_for_it():
    history = History()

    def wait() -> asyncio.Task[Event]:
        return asyncio.ensure_future(history.first(lambda event: event.name == "x", what="x", timeout_s=30))

    waiting = [wait(), wait()]
    await asyncio.sleep(0)
    history.add(told("y"))
    history.add(told("x", n=1))
    history.add(told("x", n=2))
    assert [event["n"] for event in await asyncio.gather(*waiting)] == [1, 1]


async def test_waiting_in_vain_says_for_what_and_shows_what_came_instead():
    history = History()
    history.add(told("call_state", call="c1", state="early"))
    with pytest.raises(
        TimeoutError, match=r"no confirmed of call c1 within 0.01 s\n.*\n.*call_state call=c1 state=early"
    ):
        await history.first(lambda _: False, what="confirmed of call c1", timeout_s=0.01)


async def test_the_end_of_the_phone_ends_every_wait():
    history = History()
    waiting = asyncio.ensure_future(history.first(lambda _: False, what="x", timeout_s=30))
    await asyncio.sleep(0)
    history.close(PhoneDied("gone"))
    with pytest.raises(PhoneDied):
        await waiting
    with pytest.raises(PhoneDied):
        await history.first(lambda _: False, what="x", timeout_s=5)


async def test_a_listener_hears_until_it_stops():
    history, heard = History(), []
    stop = history.listen(lambda event: heard.append(event.name))
    history.add(told("a"))
    stop()
    history.add(told("b"))
    assert heard == ["a"]


def test_the_licence_of_pjsua2_stays_in_its_own_process():
    """Whoever drives phones loads no pjsua2, which is GPL."""
    rooms = (
        "telephony.softphone.client, telephony.softphone.console, telephony.softphone.ear, telephony.softphone.process"
    )
    code = f"import sys; import {rooms}; sys.exit('pjsua2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
