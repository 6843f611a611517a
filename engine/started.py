"""What `centralita up` started with and keeps until it ends, whatever config/site.yaml says meanwhile: ports, and where
the data is. An engine that starts again, and commands beside it, go by this: half of the do-not-call list in another
database would be nobody's.
"""

from __future__ import annotations

import fcntl
import json
import os
from typing import Any

from engine.config.models import Site
from engine.home import Home

_FIELDS = (
    "api_port",
    "desk_port",
    "desk_bind",
    "desk_url",
    "upload_mb",
    "database",
    "languages",
    "voices",
    "media_workers",
)
"""Of the site; what Asterisk keeps is in running_node.py."""


def save(home: Home, site: Site) -> None:
    """By who starts. Raises OSError."""
    draft = home.started.with_suffix(".new")
    # The database's URL may hold a password.
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(_of(site), file, indent=1)
    draft.replace(home.started)


def is_up(home: Home) -> bool:
    """Whether a `centralita up` runs on this state directory."""
    try:
        with home.up_lock.open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def database(home: Home) -> str | None:
    """The site's database of what runs, empty: files in the state directory; None: nothing runs."""
    kept = _kept(home)
    return None if kept is None else str(kept.get("database", ""))


def waiting(home: Home, site: Site) -> list[str]:
    """The keys whose new values count when `up` starts again."""
    kept, now = _kept(home), _of(site)
    return [] if kept is None else [name for name in _FIELDS if kept.get(name) != now[name]]


def _kept(home: Home) -> dict[str, Any] | None:
    if not is_up(home):
        return None
    try:
        kept = json.loads(home.started.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return kept if isinstance(kept, dict) else None


def _of(site: Site) -> dict[str, Any]:
    return site.model_dump(mode="json", include=set(_FIELDS))
