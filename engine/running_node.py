"""What the local Asterisk runs on now. Files under `config/` say what it shall be; ports and addresses follow them at
the next `up`, phones, trunks and the dialplan at a reload. Whoever starts again meanwhile (the engine, the watcher,
Asterisk itself) goes by this.
"""

from __future__ import annotations

import logging
import os

from pydantic import ValidationError

from engine.home import Home
from telephony.node.settings import NodeSettings

log = logging.getLogger("centralita.node")

_RELOADED = (
    "devices",
    "trunks",
    "relays",
    "absolute_limit_s",
    "hold_retry_s",
    "hold_tries",
    "apology",
    "safe_harbour",
    "overflow",
    "emergency",
    "qualify_devices_s",
    "phone_vanished_s",
    "trunk_vanished_s",
    "held_vanished_s",
    "music",
)
"""What a running Asterisk takes without a new start."""


def save(home: Home, node: NodeSettings) -> None:
    """Raises OSError."""
    home.asterisk.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = home.running_node.with_suffix(".new")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(node.model_dump_json())
    draft.replace(home.running_node)


def saved(home: Home) -> NodeSettings | None:
    """None when no Asterisk was started here yet, or by another release."""
    try:
        return NodeSettings.model_validate_json(home.running_node.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as failure:
        log.warning("what the node runs on cannot be read again: %s", type(failure).__name__)
        return None


def reloaded(running: NodeSettings, wanted: NodeSettings) -> NodeSettings:
    """The running node after a reload of what is wanted.

    Raises:
        ValidationError: what is wanted needs something only a new start gives (a TLS trunk needs the port).
    """
    changes = {name: getattr(wanted, name) for name in _RELOADED}
    return NodeSettings.model_validate({**dict(running), **changes})


def as_far_as_possible(running: NodeSettings, wanted: NodeSettings) -> NodeSettings:
    """As `reloaded`; as it runs, where that cannot be."""
    try:
        return reloaded(running, wanted)
    except ValidationError as failure:
        log.error("the node goes on as it is until `centralita up` starts again: %s", failure.errors()[0]["msg"])
        return running


def waits_for_start(running: NodeSettings, wanted: NodeSettings) -> list[str]:
    """The settings that the files have changed and only a new start of `up` takes over."""
    after = reloaded(running, wanted)
    return [name for name, value in dict(wanted).items() if value != getattr(after, name)]
