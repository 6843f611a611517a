"""Phones that may not be rung any more: one whose secret was replaced, for it may be in a stranger's pocket, and one
that no file names. What they registered would stand for up to an hour, and calls would reach them.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Sequence

from core.errors import CommandRefused
from telephony.ami.client import AmiClient
from telephony.node.settings import Device

log = logging.getLogger("centralita.engine")


def lost(before: Sequence[Device], now: Sequence[Device]) -> frozenset[str]:
    """By their names."""
    secrets = {device.name: device.secret for device in now}
    return frozenset(device.name for device in before if secrets.get(device.name) != device.secret)


async def forget(client: AmiClient, names: frozenset[str]) -> None:
    """Their registrations end; who has the new secret registers again.

    Raises:
        CommandFailed: AMI is away.
    """
    if not names:
        return
    for contact in await client.contacts():
        if contact.device in names:
            with contextlib.suppress(CommandRefused):  # it left by itself meanwhile
                await client.forget(contact)
            log.warning("device %s is registered no more: its secret is another one, or it is gone", contact.device)
