"""A real PostgreSQL for tests, from Debian's package: its own directory, a Unix socket, no port on the network.

pytest_plugins = ["tests.postgres_fixture"]

async def test_something(postgres_server): ... postgres_server.create_database("mine") ...
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

_PORT = 25440
"""Only names the socket file: nothing listens on it."""


def find_binaries() -> Path | None:
    """The newest PostgreSQL on this machine; None when there is none."""
    candidates = [*Path("/usr/lib/postgresql").glob("*/bin"), Path(shutil.which("postgres") or "/nowhere").parent]
    usable = [path for path in candidates if (path / "initdb").exists() and (path / "postgres").exists()]
    return max(
        usable, key=lambda path: (path.parent.name.isdigit(), len(path.parent.name), path.parent.name), default=None
    )


class PostgresServer:
    """One cluster in a temporary directory. It may be stopped and started in between.

    Args:
        durable: wait for the disk at every commit, as in production; tests need not.
    """

    def __init__(self, binaries: Path, durable: bool = False) -> None:
        self._binaries = binaries
        self._durable = durable
        self.directory = Path(tempfile.mkdtemp(prefix="centralita-store-pg-", dir="/tmp"))
        self._data = self.directory / "data"
        self._process: subprocess.Popen[bytes] | None = None
        self._user = self._unprivileged()
        if self._user is not None:
            os.chown(self.directory, self._user.pw_uid, self._user.pw_gid)
        self._run("initdb", "-D", str(self._data), "-U", "centralita", "--auth=trust", "--encoding=UTF8", "--no-sync")

    def start(self) -> None:
        """Returns when it answers."""
        options = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.directory),
            "port": str(_PORT),
            "shared_buffers": "16MB",
            "fsync": "on" if self._durable else "off",
            "synchronous_commit": "on" if self._durable else "off",
        }
        arguments = [f"-c{name}={value}" for name, value in options.items()]
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(self._binaries / "postgres"), "-D", str(self._data), *arguments],
                stdout=log,
                stderr=log,
                cwd=self.directory,
                **self._as_user(),
            )
        until_s = time.monotonic() + 60.0
        while time.monotonic() < until_s:
            if self._process.poll() is not None:
                break
            ready = [str(self._binaries / "pg_isready"), "-q", "-h", str(self.directory), "-p", str(_PORT)]
            if subprocess.run(ready, check=False).returncode == 0:
                return
            time.sleep(0.05)
        raise RuntimeError(f"PostgreSQL did not start: {(self.directory / 'log').read_text()[-2000:]}")

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Disconnects everybody at once; by default cleanly on disk."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(60)
            self._process = None

    @contextlib.contextmanager
    def stalled(self) -> Iterator[None]:
        """While the block lasts every process of it stands still; connections stay."""
        held = [self.pid, *(int(pid) for pid in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split())]
        try:
            for pid in held:  # the first one first: it starts no more
                os.kill(pid, signal.SIGSTOP)
            yield
        finally:
            for pid in held:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    def remove(self) -> None:
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.directory, ignore_errors=True)

    def create_database(self, name: str) -> str:
        """An empty database; returns its URL."""
        self._run("createdb", "-h", str(self.directory), "-p", str(_PORT), "-U", "centralita", name)
        return f"postgresql://centralita@/{name}?host={self.directory}&port={_PORT}"

    def _unprivileged(self) -> pwd.struct_passwd | None:
        """PostgreSQL refuses to run as root."""
        if os.geteuid() != 0:
            return None
        names = {entry.pw_name: entry for entry in pwd.getpwall()}
        return names.get("postgres") or names["nobody"]

    def _as_user(self) -> dict[str, object]:
        return {} if self._user is None else {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []}

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self._binaries / program), *arguments],
            capture_output=True,
            text=True,
            cwd=self.directory,
            check=False,
            **self._as_user(),  # type: ignore[call-overload]
        )
        if done.returncode:
            raise RuntimeError(f"{program} failed: {done.stderr}")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    binaries = find_binaries()
    if binaries is None:
        pytest.fail("PostgreSQL is not installed: apt-get install postgresql")
    server = PostgresServer(binaries)
    try:
        server.start()
        yield server
    finally:
        server.remove()
