"""One node's manager interface: is it well, who is registered, how does it sound, read your files again.

    client = AmiClient(AmiSettings("node-1", "centralita", secret), facts.append)
    await client.start()
    await client.health()          # NodeHealth, or an error of core/errors.py
    await client.reload("res_pjsip.so")

It never dials and moves no call. Values with control characters are refused: panoramisk writes them
as they are, and a line break in one would be a second header.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from core.errors import CommandRefused, DeadlineExceeded, NodeUnavailable
from telephony.ami.facts import (
    AmiFact,
    Contact,
    Headers,
    NodeHealth,
    Registration,
    carrier_from,
    contact_from,
    fact_from,
    number,
    registration_from,
)
from telephony.ami.link import Link, lower

log = logging.getLogger(__name__)

RELOADABLE = frozenset(
    {
        "res_pjsip.so",
        "res_pjsip_outbound_registration.so",
        "res_pjsip_endpoint_identifier_ip.so",
        "pbx_config.so",
        "res_musiconhold.so",
        "res_rtp_asterisk.so",
    }
)
ACTIONS = frozenset(
    {
        "CoreSettings",
        "CoreStatus",
        "DBDel",
        "Filter",
        "MixMonitor",
        "MixMonitorMute",
        "PJSIPQualify",
        "PJSIPRegister",
        "PJSIPShowContacts",
        "PJSIPShowEndpoint",
        "PJSIPShowRegistrationsOutbound",
        "Reload",
        "StopMixMonitor",
    }
)
_WANTED_EVENTS = ("FullyBooted", "ContactStatus", "Registry")


@dataclass(frozen=True, slots=True)
class AmiSettings:
    """`deadline_s`: how long an action may take. `reload_within_s`: a reload, while Asterisk asks name servers for each
    carrier, which may not answer. `quality`: whether RTCP reports are told (one each few seconds and leg).
    `reconnect_s`: the pause between attempts.
    """

    node: str
    user: str
    password: str = field(repr=False)
    host: str = "127.0.0.1"
    port: int = 5038
    deadline_s: float = 3.0
    reload_within_s: float = 60.0
    quality: bool = True
    reconnect_s: int = 2


class AmiClient:
    """`on_fact` gets every fact at once and never blocks. After a broken connection it comes back by itself; what
    was asked meanwhile fails and is not sent again.
    """

    def __init__(self, settings: AmiSettings, on_fact: Callable[[AmiFact], None]) -> None:
        _clean({"user": settings.user, "password": settings.password})
        self.node = settings.node
        self._settings = settings
        self._on_fact = on_fact
        self._link: Link | None = None
        self._up = asyncio.Event()
        self._filtering: asyncio.Task[None] | None = None

    @property
    def is_connected(self) -> bool:
        return self._up.is_set()

    async def start(self, timeout_s: float = 5.0) -> bool:
        """Starts connecting; whether we are logged in by now. It goes on trying when not."""
        settings = self._settings
        config = {
            "host": settings.host,
            "port": settings.port,
            "username": settings.user,
            "secret": settings.password,
            "reconnect_timeout": settings.reconnect_s,
            "log": log.getChild("panoramisk"),
        }
        self._link = Link(config, self._take, self._came_up, self._went_down)
        self._link.connect()
        try:
            async with asyncio.timeout(timeout_s):
                await self._up.wait()
        except TimeoutError:
            log.warning("%s: AMI did not let us in within %s s; trying on", self.node, timeout_s)
        return self.is_connected

    async def close(self) -> None:
        link, self._link = self._link, None
        self._up.clear()
        if self._filtering is not None:
            self._filtering.cancel()
            await asyncio.gather(self._filtering, return_exceptions=True)
        if link is not None:
            link.close()

    # -- asking
    async def health(self) -> NodeHealth:
        """By a real action: Asterisk's manager thread answers, and its core counts.

        Raises:
            NodeUnavailable: not connected. DeadlineExceeded: it does not answer.
        """
        began = time.monotonic()
        status = await self._ask("CoreStatus")
        answered_in_s = time.monotonic() - began
        core = await self._ask("CoreSettings")
        return NodeHealth(
            self.node,
            answered_in_s,
            number(status.get("corecurrentcalls", "")),
            number(status.get("coreprocessedcalls", "")),
            core.get("asteriskversion", ""),
        )

    async def contacts(self) -> Sequence[Contact]:
        """Where each device can be reached."""
        return [contact_from(line) for line in await self._list("PJSIPShowContacts", "ContactList")]

    async def forget(self, contact: Contact) -> None:
        """Ends a phone's registration, as if its time were over. Raises CommandRefused when there is none by now."""
        await self._ask("DBDel", Family="registrar", Key=f"contact/{contact.name}")

    async def registrations(self) -> Sequence[Registration]:
        """Ours at carriers."""
        lines = await self._list("PJSIPShowRegistrationsOutbound", "OutboundRegistrationDetail")
        return [registration_from(line) for line in lines]

    async def carrier(self, trunk: str) -> Contact | None:
        """Whether a trunk's own address answers; None when Asterisk knows no such trunk. `contacts` has no carriers."""
        try:
            lines = await self._list("PJSIPShowEndpoint", "ContactStatusDetail", Endpoint=trunk)
        except CommandRefused:
            return None
        return next((carrier_from(line) for line in lines), None)

    async def recognises(self, trunk: str) -> bool:
        """Whether calls from a trunk's address are known to be its; not while Asterisk could not resolve its name."""
        return bool(await self._list("PJSIPShowEndpoint", "IdentifyDetail", Endpoint=trunk))

    async def qualify(self, endpoint: str) -> None:
        """Has it asked whether it is there, now."""
        await self._ask("PJSIPQualify", Endpoint=endpoint)

    async def register(self, registration: str) -> None:
        """Has Asterisk register at a carrier now, whenever it was due."""
        await self._ask("PJSIPRegister", Registration=registration)

    # -- recording conversations
    async def start_mix(self, leg_id: str, file: str) -> None:
        """Both directions of a leg into one raw file of two channels, which keeps time while nothing is heard."""
        await self._ask("MixMonitor", Channel=leg_id, File=file, options="D")

    async def mute_mix(self, leg_id: str, muted: bool) -> None:
        """Silence is written in both channels while muted."""
        await self._ask("MixMonitorMute", Channel=leg_id, Direction="both", State="1" if muted else "0")

    async def stop_mix(self, leg_id: str) -> None:
        """The file is closed when this returns."""
        await self._ask("StopMixMonitor", Channel=leg_id)

    async def reload(self, module: str) -> None:
        """Has Asterisk read a module's files again. Raises CommandRefused for others than `RELOADABLE`."""
        if module not in RELOADABLE:
            raise CommandRefused(f"{module!r} is not reloaded over AMI; only {', '.join(sorted(RELOADABLE))}")
        await self._exchange_well("Reload", {"Module": module}, self._settings.reload_within_s)

    async def _ask(self, action: str, **values: str) -> Headers:
        return await self._exchange_well(action, values, self._settings.deadline_s)

    async def _exchange_well(self, action: str, values: dict[str, str], within_s: float) -> Headers:
        answer = (await self._exchange(action, values, within_s))[0]
        if answer.get("response") != "Success":
            raise CommandRefused(
                f"{self.node}: Asterisk refused {action}: {answer.get('message', 'it did not say why')}"
            )
        return answer

    async def _list(self, action: str, event: str, **values: str) -> list[Headers]:
        answers = await self._exchange(action, values, self._settings.deadline_s)
        if answers[0].get("response") == "Error" and "found" not in answers[0].get("message", ""):
            raise CommandRefused(f"{self.node}: Asterisk refused {action}: {answers[0].get('message', '')}")
        return [answer for answer in answers if answer.get("event") == event]

    async def _exchange(self, action: str, values: dict[str, str], within_s: float) -> list[Headers]:
        if action not in ACTIONS:
            raise CommandRefused(f"{action} is not for AMI here; only {', '.join(sorted(ACTIONS))}")
        _clean(values)
        link = self._link
        if link is None or not self.is_connected:
            raise NodeUnavailable(f"{self.node}: AMI is not connected, {action} was not sent")
        future = link.send_action({"Action": action, **values})
        try:
            async with asyncio.timeout(within_s):
                answers = await future
        except TimeoutError:
            raise DeadlineExceeded(f"{self.node}: AMI did not answer {action} in {within_s:g} s") from None
        return [lower(answer) for answer in (answers if isinstance(answers, list) else [answers])]

    # -- hearing
    def _take(self, headers: Headers) -> None:
        fact = fact_from(self.node, headers)
        if fact is not None:
            self._on_fact(fact)

    def _came_up(self) -> None:
        self._up.set()
        self._filtering = asyncio.create_task(self._filter(), name=f"ami filter {self.node}")

    def _went_down(self) -> None:
        self._up.clear()

    async def _filter(self) -> None:
        """Asterisk tells a hundred kinds of events; parsing them here would cost more than the calls."""
        names = (*_WANTED_EVENTS, "RTCPReceived") if self._settings.quality else _WANTED_EVENTS
        try:
            await self._ask("Filter", Operation="Add", Filter=f"Event: ({'|'.join(names)})")
        except (CommandRefused, DeadlineExceeded, NodeUnavailable) as problem:
            log.warning("%s: AMI events are not filtered: %s", self.node, problem)


def _clean(values: dict[str, str]) -> None:
    for name, value in values.items():
        if not value.isprintable():
            raise CommandRefused(f"the value of {name} has a control character: it would be read as a second header")
