"""Which configuration an engine serves when it starts.

`centralita up` starts with the files on disk. An engine that takes over from a dead one goes on with the release that
served: what somebody is just editing becomes live by a reload and by nothing else. Whatever cannot be used falls back:
callers never pay for a typing error.
"""

from __future__ import annotations

import logging
from contextlib import suppress

import msgspec

from engine.config.loader import Configuration, load
from engine.config.sources import read_sources, unpack
from engine.home import Home
from ivr.model import Release
from store.cipher import ContactCipher
from store.errors import StoreError
from store.journal import Journal
from store.journal_reader import JournalReader

log = logging.getLogger("centralita.engine")


class CannotStart(Exception):
    """The engine cannot run: the message says what to mend."""


def serving(home: Home, journal: Journal) -> tuple[Configuration, list[str]]:
    """The configuration, and what is wrong with the files when it is not theirs.

    Raises:
        CannotStart: neither files nor journal hold one that can be used.
    """
    if home.active_release.exists() and (last := _last(journal)) is not None:
        return last, []
    loaded = load(read_sources(home.project))
    if loaded.configuration is not None:
        return loaded.configuration, []
    problems = [str(problem) for problem in loaded.problems]
    if (last := _last(journal)) is not None:
        log.error("the configuration on disk has %d problems; the last good release serves", len(problems))
        return last, problems
    raise CannotStart("the configuration has problems:\n" + "\n".join(problems))


def last_good(home: Home) -> Configuration | None:
    """What the last engine here served; None when nobody knows. Asked while no engine runs."""
    try:
        with ContactCipher.open(home.state, read_only=True) as cipher:
            reader = JournalReader.open(home.journal, cipher)
            try:
                return _last(reader)
            finally:
                reader.close()
    except (StoreError, OSError):
        return None


def note_served(home: Home, configuration: Configuration) -> None:
    """From now on engines take over from this one."""
    with suppress(OSError):  # a full disk must not keep an engine from its callers
        home.active_release.write_text(f"{configuration.release_id}\n", encoding="utf-8")


def rehearse(home: Home) -> None:
    """The first load of a process builds what later ones find ready."""
    with suppress(OSError):
        load(read_sources(home.project))


def pinned(journal: Journal, release_id: str, fallback: Configuration) -> Release:
    """A release that interactions in progress began with."""
    body = journal.load_release(release_id)
    older = load(unpack(body)).configuration if body is not None else None
    if older is None:
        log.error("release %s cannot be loaded again: its calls go on in the present one", release_id)
        return fallback.release
    return older.release


def _last(journal: Journal | JournalReader) -> Configuration | None:
    state = journal.load_state("release")
    if state is None or state.body is None:
        return None
    body = journal.load_release(msgspec.msgpack.decode(state.body, type=str))
    return load(unpack(body)).configuration if body is not None else None
