"""Agents whom no file declares: enrolled over the API, kept in the journal, in force at once.

    asked --checked beside everything that is configured--> journal (durable) --> router --> her own phone to Asterisk
            | refused, with what is wrong with which field

A file that declares the same person wins: she is changed there. Nobody else writes these rows.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import msgspec

from acd.checks import Around, skills_of
from acd.enrolled import OWN, Checked, Fault, Fields, beside, check_enrolled, declared_at, definition_of
from acd.reading import read
from acd.setup import Key, Setup
from core.events import AgentEnrolled, Event
from definitions.layout import in_folder, stem_of
from engine.config.configuration import Configuration
from engine.config.queue_prompts import Queue
from engine.durably import DURABLE_WITHIN_S
from engine.own_phones import OwnPhones, SipAccount, device_of, new_device, own_phones, unfit, with_phones
from store.entry import StateRow

log = logging.getLogger("centralita.agents")

ROWS = "agent:"
"""How the names of their rows in the journal begin: `agent:<tenant>/<id>`."""
Change = Literal["add", "change", "new_phone", "remove"]
"""`new_phone`: one of her own, in the place of the phone she has."""
_DONE: Mapping[Change, Literal["added", "changed", "removed"]] = {
    "add": "added",
    "change": "changed",
    "new_phone": "changed",
    "remove": "removed",
}


class States(Protocol):
    """The journal as this sees it. Each returns the event's seq."""

    def write_state(self, name: str, event: Event, at_s: float, body: object) -> int: ...
    def forget_state(self, name: str, event: Event, at_s: float) -> int: ...


class NotEnrolled(Exception):
    """What was asked is not done; the message says why, for who asked. `kind`: gone, refused or wrong."""

    def __init__(self, why: str, kind: Literal["gone", "refused", "wrong"], faults: Iterable[Fault] = ()) -> None:
        super().__init__(why)
        self.kind = kind
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True)
class Known:
    """An agent as somebody defined her. `declared`: `config/agents.yaml:12`, empty: over the API."""

    tenant: str
    agent_id: str
    fields: Fields
    declared: str = ""


@dataclass(frozen=True, slots=True)
class Written:
    """`account`: of a phone that was made for her now; told this once."""

    warnings: tuple[Fault, ...] = ()
    account: SipAccount | None = None


@dataclass(frozen=True, slots=True)
class Roster:
    """Everybody of a tenant, declared or enrolled, by id; and the names one may give an agent there."""

    agents: tuple[Known, ...]
    queues: tuple[str, ...]
    skills: tuple[str, ...]
    devices: tuple[str, ...]


class Enrolled:
    """`durable(seq)` returns when the disk has it; `apply()` puts all of them in force, or says why not."""

    def __init__(
        self,
        rows: Iterable[StateRow],
        states: States,
        durable: Callable[[int], Awaitable[None]],
        apply: Callable[[], str],
        configuration: Callable[[], Configuration],
        now_s: Callable[[], float],
        phones: OwnPhones,
    ) -> None:
        self._phones = phones
        self._states = states
        self._durable = durable
        self._apply = apply
        self._configuration = configuration
        self._now_s = now_s
        self._alone = asyncio.Lock()
        self._agents = agents_from(rows)
        self.notes: list[str] = []
        """In words."""

    def beside(self, setup: Setup) -> Setup:
        """With everybody who is enrolled. What of them is not in force is in `notes`."""
        made, self.notes = beside(setup, self._agents)
        return made

    def with_phones(self, configuration: Configuration) -> Configuration:
        """With the phones that were made for those who are enrolled."""
        return with_phones(configuration, self._agents)

    async def roster(self, tenant: str) -> Roster:
        """Everybody, and what there is for her. Phones are those that files declare."""
        sources = self._configuration().sources
        found = await asyncio.to_thread(read, sources, Queue)
        declared = {
            name: Known(
                tenant, name, agent.model_dump(mode="json", exclude_unset=True), declared_at(found, tenant, name)
            )
            for name, agent in found.agents_of(tenant).items()
        }
        enrolled = {name: Known(tenant, name, fields) for name, fields in self._of(tenant).items()}
        return Roster(
            tuple(each for _, each in sorted({**enrolled, **declared}.items())),
            tuple(sorted(name for owner, name in found.queue_names if owner == tenant)),
            tuple(sorted(skills_of(found, tenant) or ())),
            tuple(sorted(stem_of(file) for file, owner in in_folder(sources, "devices") if owner == tenant)),
        )

    async def put(self, change: Change, tenant: str, agent_id: str, fields: Mapping[str, Any]) -> Written:
        """Adds her, changes the given fields (None: as if never said), gives her a phone of her own, or removes her.

        Raises:
            NotEnrolled: and why.
            TimeoutError, StoreError: the disk does not take it; nothing was changed.
        """
        async with self._alone:
            key = (tenant, agent_id)
            before = self._agents.get(key)
            after, checked = await self._checked(change, key, before, fields)
            await self._keep(key, before, after, change)
            log.warning("agent %s of %s was %s over the API", agent_id, tenant, _DONE[change])
            told, account = await self._bring_phone(key, before, after)
            return Written((*checked.warnings, *told), account)

    async def _checked(
        self, change: Change, key: Key, before: Fields | None, fields: Fields
    ) -> tuple[Fields | None, Checked]:
        """What is said of her afterwards, and what there is to say about that."""
        tenant, agent_id = key
        if change == "remove" and before is not None:
            return None, Checked()  # also where a file declares her by now: what the API said of her is forgotten
        configuration = self._configuration()
        found = await asyncio.to_thread(read, configuration.sources, Queue)
        if place := declared_at(found, tenant, agent_id):
            raise NotEnrolled(f"{place} declares {agent_id}: change her there, then `centralita reload`", "refused")
        if change == "add" and before is not None:
            raise NotEnrolled(f"there is an agent {agent_id} already: change her, or choose another id", "refused")
        if change != "add" and before is None:
            raise NotEnrolled(f"there is no agent {agent_id} in this tenant", "gone")
        if tenant not in {"main", *(owner for owner, _ in configuration.routing.queues)}:
            raise NotEnrolled(f"there is no tenant {tenant} with queues", "refused")
        faults: list[Fault] = []
        after = _after(change, agent_id, before or {}, fields, faults)
        mine, others = device_of(after), self._of(tenant)
        declared = {(owner, stem_of(file)) for file, owner in in_folder(configuration.sources, "devices")}
        around = Around(
            devices=frozenset(declared | ({(tenant, mine)} if mine else set())), routing=configuration.site.routing
        )
        checked = await asyncio.to_thread(check_enrolled, found, tenant, agent_id, after, others, around)
        faults += checked.faults
        if mine and not faults:
            everybody = {**self._agents, key: after}
            if why := await asyncio.to_thread(unfit, configuration, tenant, mine, everybody):
                faults.append(Fault("phone", why, "choose another id, or a phone of config/devices/"))
        if faults:
            raise NotEnrolled("; ".join(map(str, faults)), "wrong", faults)
        return after, checked

    async def _bring_phone(
        self, key: Key, before: Fields | None, after: Fields | None
    ) -> tuple[tuple[Fault, ...], SipAccount | None]:
        """Asterisk has her own phone, or no longer."""
        old, new = device_of(before), device_of(after)
        if own_phones({key: before or {}}) == own_phones({key: after or {}}):
            return (), None
        account = self._phones.account(key[0], new) if new and new != old else None
        why = await self._phones.bring()
        if old and old != new:
            self._phones.forget(key[0], old)
        hint = "it does when it is started again"
        return ((Fault("phone", f"Asterisk has not read its phones again: {why}", hint),) if why else ()), account

    async def _keep(self, key: Key, before: Fields | None, after: Fields | None, change: Change) -> None:
        """On disk first, then in force; else as it was."""
        seq = self._write(key, after, change)
        try:
            async with asyncio.timeout(DURABLE_WITHIN_S):
                await self._durable(seq)
            self._put(key, after)
            if why := self._apply():
                raise NotEnrolled(why, "refused")
        except BaseException:
            self._put(key, before)
            self._write(key, before, "remove" if before is None else "change")
            raise

    def _put(self, key: Key, fields: Fields | None) -> None:
        others = {each: said for each, said in self._agents.items() if each != key}
        self._agents = others if fields is None else {**others, key: fields}

    def _write(self, key: Key, after: Fields | None, change: Change) -> int:
        event, name = AgentEnrolled(*key, _DONE[change]), f"{ROWS}{key[0]}/{key[1]}"
        if after is None:
            return self._states.forget_state(name, event, self._now_s())
        return self._states.write_state(name, event, self._now_s(), dict(after))

    def _of(self, tenant: str) -> dict[str, Fields]:
        return {name: fields for (owner, name), fields in self._agents.items() if owner == tenant}


def agents_from(rows: Iterable[StateRow]) -> dict[Key, Fields]:
    """As the journal kept them; what cannot be read is left out, and said."""
    found: dict[Key, Fields] = {}
    for row in rows:
        tenant, _, agent_id = row.name.removeprefix(ROWS).partition("/")
        try:
            found[tenant, agent_id] = msgspec.msgpack.decode(row.body or b"", type=dict[str, Any])
        except msgspec.DecodeError as error:
            log.error("agent %s of %s cannot be read again and is left out: %s", agent_id, tenant, error)
    return found


def _after(change: Change, agent_id: str, before: Fields, fields: Fields, faults: list[Fault]) -> dict[str, Any]:
    """Only what is said: None takes it back. A phone of her own is hers until another is said, or none."""
    own, phone, device = device_of(before), fields.get("phone"), fields.get("device")
    after = {name: value for name, value in {**before, **fields}.items() if value is not None}
    if phone not in (None, OWN):
        faults.append(Fault("phone", f"'{phone}' is no kind of phone", f"write `{OWN}`, or `device` and its name"))
    elif phone == OWN and device not in (None, own):
        faults.append(Fault("phone", "she has one phone", "leave `device` or `phone` out"))
    if change == "new_phone" or (phone == OWN and not own):
        return {**after, "phone": OWN, "device": new_device(agent_id)}
    if own and phone == OWN:
        return {**after, "device": own}
    if own and ("phone" in fields or (device != own and "device" in fields)):
        after.pop("phone", None)
        if device in (None, own):
            after.pop("device", None)
    return after


def shown(known: Known) -> dict[str, Any]:
    """For who may see her definition: without her PIN, with every default in its place."""
    said = {name: value for name, value in known.fields.items() if name != "pin"}
    agent = definition_of(known.agent_id, said)
    plain = agent.model_dump(mode="json", exclude={"pin"}) if agent is not None else said
    return {
        **plain,
        "tenant": known.tenant,
        "agent_id": known.agent_id,
        "declared": known.declared,
        "phone": known.fields.get("phone"),
        "has_pin": bool(known.fields.get("pin")),
    }
