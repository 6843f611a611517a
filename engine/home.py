"""Where everything of one installation lives.

The *project* holds what people write (`config/`, `flows/`); the *state directory* holds what the system keeps
(`var/` in the project unless `CENTRALITA_STATE` says otherwise). Nothing is written anywhere else.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Home:
    project: Path
    state: Path

    @classmethod
    def find(cls, project: Path | None = None, state: Path | None = None) -> Home:
        """`project`: else `CENTRALITA_HOME`, else the nearest directory upwards with `config/site.yaml`.

        Raises:
            FileNotFoundError: there is no such project.
        """
        if project is None and (named := os.environ.get("CENTRALITA_HOME")):
            project = Path(named)
        if project is None:
            here = Path.cwd()
            project = next((p for p in (here, *here.parents) if (p / "config" / "site.yaml").is_file()), None)
        if project is not None and not (project / "config").is_dir():
            raise FileNotFoundError(f"there is no project in {project}: no directory config/")
        if project is None:
            raise FileNotFoundError(
                "no project here: run this inside a directory with config/site.yaml, or set CENTRALITA_HOME"
            )
        return cls.at(project, state)

    @classmethod
    def at(cls, project: Path, state: Path | None = None) -> Home:
        """There, whatever it holds. `state`: else `CENTRALITA_STATE`, else `var/` in it."""
        if state is None:
            state = Path(os.environ.get("CENTRALITA_STATE") or project / "var")
        return cls(project.resolve(), state.resolve())

    def prepare(self) -> None:
        """Makes the state directory and its rooms, readable by nobody else."""
        for directory in (self.state, self.logs, self.recordings, self.voicemail, self.prompts):
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        with suppress(PermissionError):
            # Whoever made it: what is in there is about people.
            self.state.chmod(0o700)

    @property
    def environment(self) -> dict[str, str]:
        """What a process that works here has in its environment, beyond ours."""
        return {"CENTRALITA_HOME": str(self.project), "CENTRALITA_STATE": str(self.state)}

    @property
    def bind_file(self) -> Path:
        """The address the running node listens on, as `centralita up` chose it."""
        return self.state / "bind"

    @property
    def up_lock(self) -> Path:
        """Held by the `centralita up` that runs here."""
        return self.state / "up.lock"

    @property
    def started(self) -> Path:
        """What it started with."""
        return self.state / "started.json"

    @property
    def engine_lease(self) -> Path:
        """Held by the engine that serves, and names its process."""
        return self.state / "engine.lease"

    @property
    def node_file(self) -> Path:
        """What the node's watcher saw last."""
        return self.state / "node.json"

    @property
    def running_node(self) -> Path:
        """What the local Asterisk runs on: secrets included."""
        return self.asterisk / "running.json"

    @property
    def active_release(self) -> Path:
        """There since the first engine of this `centralita up` has served: the next ones take over from it."""
        return self.state / "active_release"

    @property
    def logs(self) -> Path:
        return self.state / "log"

    @property
    def engine_log(self) -> Path:
        return self.logs / "engine.log"

    @property
    def journal(self) -> Path:
        return self.state / "journal.db"

    @property
    def database_url(self) -> str:
        """The SQL database unless the site names another."""
        return f"sqlite+aiosqlite:///{self.state / 'centralita.db'}"

    @property
    def leads_url(self) -> str:
        """Lists and leads, unless the site names a database: a file of their own, so an import locks nobody out."""
        return f"sqlite+aiosqlite:///{self.state / 'dialer.db'}"

    @property
    def recordings(self) -> Path:
        return self.state / "recordings"

    @property
    def voicemail(self) -> Path:
        return self.state / "voicemail"

    @property
    def prompts(self) -> Path:
        return self.state / "prompts"

    @property
    def sounds(self) -> Path:
        return self.project / "flows" / "sounds"

    @property
    def shipped_prompts(self) -> Path:
        """Prompts that come rendered with the flows."""
        return self.sounds / "rendered"

    @property
    def asterisk(self) -> Path:
        return self.state / "asterisk"

    @property
    def media_socket(self) -> Path:
        """Where media workers find the engine that serves."""
        return self.state / "media.sock"

    @property
    def control_socket(self) -> Path:
        return self.state / "engine.sock"


class SecretBox:
    """Generated secrets by name, made once and kept in a file only the owner reads. Several processes may have it
    open: who needs one that it does not know looks again, and alone, before making it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._values = self._read()

    def get(self, name: str, make: object = None) -> str:
        """The secret of that name; made (`make()` or 32 random URL-safe bytes) and saved when it is new."""
        value = self._values.get(name)
        if value is not None:
            return value
        with self._alone():
            self._values = self._read()
            if name not in self._values:
                self._values[name] = str(make()) if callable(make) else secrets.token_urlsafe(24)
                self._save()
        return self._values[name]

    def forget(self, name: str) -> None:
        """There is no such secret any more; who asks for it gets a new one."""
        with self._alone():
            self._values = self._read()
            if self._values.pop(name, None) is not None:
                self._save()

    def read_again(self) -> None:
        """What somebody wrote into the file meanwhile counts from now on.

        Raises:
            OSError: it cannot be read; what was known stays.
        """
        self._values = self._read()

    def named(self, prefix: str) -> dict[str, str]:
        """The secrets whose names begin so, by what follows."""
        return {name.removeprefix(prefix): value for name, value in self._values.items() if name.startswith(prefix)}

    def _read(self) -> dict[str, str]:
        if not self._path.exists():
            return {}
        try:
            values = json.loads(self._path.read_text())
        except ValueError as failure:
            raise OSError(f"{self._path} is no JSON: {failure}: mend it, or take it from a backup") from failure
        if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
            raise OSError(f"{self._path} must be names and texts: mend it, or take it from a backup")
        return values

    @contextmanager
    def _alone(self) -> Iterator[None]:
        handle = os.open(self._path.with_suffix(".lock"), os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def _save(self) -> None:
        temporary = self._path.with_suffix(".new")
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w") as file:
            json.dump(self._values, file, indent=1, sort_keys=True)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._path)
