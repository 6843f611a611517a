"""What the desk's process must know. It reads no configuration of the engine: whoever starts it leaves a small file."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

FILE = "desk.json"
"""In the state directory; keys are those of `Settings`, all of them optional."""


class NotSetUp(Exception):
    """The state directory is not known: start the desk with `centralita up`, or set CENTRALITA_STATE."""


@dataclass(frozen=True, slots=True)
class Settings:
    """`url`: where a TLS front publishes the desk (`https://desk.example.com`), empty for none: cookies are then sent
    over TLS only, and the front's word on a client's address is believed. `languages`: of the site, first the default.
    `upload_mb`: the largest file people may send. `phones`: where each node's HTTP server is (`127.0.0.1:8088`), by
    the node's name, the site's own first. `emergency`: numbers that nobody shall dial by a slip. `country`: of
    numbers that are written without one.
    """

    state: Path
    bind: str = "127.0.0.1"
    port: int = 8009
    url: str = ""
    database: str = ""
    title: str = "Centralita"
    languages: tuple[str, ...] = field(default=("es", "en"))
    time_zone: str = "Europe/Madrid"
    country: str = "ES"
    tenants: tuple[str, ...] = ("main",)
    upload_mb: int = 250
    emergency: tuple[str, ...] = ("112",)
    phones: dict[str, str] = field(default_factory=dict)

    @classmethod
    def find(cls) -> Settings:
        """From CENTRALITA_STATE (or `var` in CENTRALITA_HOME) and the file there.

        Raises:
            NotSetUp: neither is set, or the file cannot be read.
        """
        home, state = os.environ.get("CENTRALITA_HOME"), os.environ.get("CENTRALITA_STATE")
        if not state and not home:
            raise NotSetUp("neither CENTRALITA_STATE nor CENTRALITA_HOME is set: start the desk with `centralita up`")
        return cls.read(Path(state) if state else Path(home or ".") / "var")

    @classmethod
    def read(cls, state: Path) -> Settings:
        """Raises NotSetUp: the file is damaged."""
        path = state / FILE
        try:
            values = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
            for name in ("languages", "tenants", "emergency"):
                if name in values:
                    values[name] = tuple(values[name])
            return cls(state=state, **values)
        except (OSError, ValueError, TypeError) as failure:
            raise NotSetUp(f"{path} cannot be read ({failure}): run `centralita up`, which writes it anew") from None

    @property
    def database_url(self) -> str:
        return self.database or f"sqlite+aiosqlite:///{self.state / 'centralita.db'}"

    @property
    def leads_url(self) -> str:
        """As the engine has it: lists are in the site's database, or in a file of their own."""
        return self.database or f"sqlite+aiosqlite:///{self.state / 'dialer.db'}"

    @property
    def engine_socket(self) -> Path:
        return self.state / "engine.sock"

    @property
    def address(self) -> str:
        """Where people open it in a browser."""
        host = f"[{self.bind}]" if ":" in self.bind else self.bind
        return self.url.rstrip("/") or f"http://{host}:{self.port}"
