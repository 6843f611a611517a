"""The one-time link by which the first admin makes an account.

    no account at all --start--> link in `admin_link` of the state directory --used or expired--> gone

Whoever may read the state directory may open it: `centralita up` prints it. `centralita desk link` makes another one
when the last admin has forgotten the password.
"""

from __future__ import annotations

import hmac
import json
import os
import secrets
from pathlib import Path

FILE = "admin_link"
SAID_FILE = "desk_said.json"
"""For whoever started the desk: `{"link": ...}` once it has looked, empty when somebody can log in already."""
HOLDS_S = 24 * 3600.0


class FirstAdmin:
    def __init__(self, state: Path, address: str) -> None:
        self._path = state / FILE
        self._address = address

    def make(self, now_s: float) -> str:
        """A new link; an older one is no longer good."""
        secret = secrets.token_urlsafe(24)
        link = f"{self._address}/first/{secret}"
        self._write(link, now_s + HOLDS_S)
        return link

    def _write(self, link: str, until_s: float) -> None:
        body = json.dumps({"link": link, "until_s": until_s})
        draft = self._path.with_suffix(".new")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(body)
        draft.replace(self._path)

    def link(self, now_s: float) -> str:
        """The one that holds, empty for none."""
        try:
            body = json.loads(self._path.read_text())
            return str(body["link"]) if now_s < float(body["until_s"]) else ""
        except (OSError, ValueError, KeyError, TypeError):
            return ""

    def holds(self, secret: str, now_s: float) -> bool:
        link = self.link(now_s)
        return bool(link) and hmac.compare_digest(link.rpartition("/")[2].encode(), secret.encode())

    def take(self, secret: str, now_s: float) -> bool:
        """Uses it up; of two that come at once, one gets True."""
        if not self.holds(secret, now_s):
            return False
        try:
            self._path.unlink()
        except FileNotFoundError:
            return False
        return True

    def restore(self, secret: str, now_s: float) -> None:
        """What was to be made with it could not be: it may be used again, until the end of its day."""
        self._write(f"{self._address}/first/{secret}", now_s + HOLDS_S)

    def say(self, link: str) -> None:
        """Leaves word for whoever started the desk. `link`: empty when somebody can log in."""
        path = self._path.with_name(SAID_FILE)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w") as file:
            json.dump({"link": link}, file)
