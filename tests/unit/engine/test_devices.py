"""Which phones can be reached: told once per change, asked anew when one contact of several is gone."""

import asyncio
import contextlib

from core.agent_facts import DeviceChanged
from core.errors import NodeUnavailable
from engine.devices import Devices
from telephony.ami.facts import Contact, ContactChanged, NodeBooted
from tests.virtual_time import run


class Ami:
    """A manager interface whose contacts a test sets."""

    def __init__(self, there):
        self.there, self.asked, self.away = there, 0, False

    async def contacts(self):
        self.asked += 1
        if self.away:
            raise NodeUnavailable("away")
        return [Contact(device, "sip:x", status, 0.0) for device, status in self.there.items()]

    def says(self, device, status):
        self.on_fact(ContactChanged("node-1", device, status))


@contextlib.asynccontextmanager
async def listening(known, **there):
    ami, told = Ami(there), []
    watch = Devices(ami.contacts, told.append, lambda: known)
    ami.on_fact = watch.heard
    task = asyncio.create_task(watch.keep())
    await asyncio.sleep(1)
    try:
        yield ami, told, watch
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def test_every_known_phone_is_told_at_the_start_and_then_only_changes():
    async def main():
        async with listening(["a", "b", "c"], a="reachable", b="unreachable") as (ami, told, _):
            assert told == [DeviceChanged("a", True), DeviceChanged("b", False), DeviceChanged("c", False)]
            told.clear()
            ami.there["c"] = "created"
            ami.says("c", "created")
            ami.says("c", "reachable")
            assert told == [DeviceChanged("c", True)]

    run(main())


def test_one_of_two_contacts_that_goes_says_nothing():
    async def main():
        async with listening(["a"], a="reachable") as (ami, told, _):
            told.clear()
            ami.says("a", "removed")
            await asyncio.sleep(1)
            assert told == []
            del ami.there["a"]
            ami.says("a", "removed")
            await asyncio.sleep(1)
            assert told == [DeviceChanged("a", False)]

    run(main())


def test_what_was_told_stays_while_nobody_answers_and_a_restart_is_looked_at():
    async def main():
        async with listening(["a"], a="reachable") as (ami, told, _):
            told.clear()
            ami.away = True
            ami.on_fact(NodeBooted("node-1", 1))
            await asyncio.sleep(7)
            assert told == []
            assert ami.asked >= 2
            ami.away, ami.there = False, {}
            await asyncio.sleep(6)
            assert told == [DeviceChanged("a", False)]

    run(main())


def test_new_phones_are_asked_for_when_the_configuration_has_changed():
    async def main():
        known = ["a"]
        async with listening(known, a="reachable", b="reachable") as (_, told, watch):
            told.clear()
            known.append("b")
            watch.look_again()
            await asyncio.sleep(1)
            assert told == [DeviceChanged("b", True)]

    run(main())
