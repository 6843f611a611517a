"""The life of one Asterisk: started as our child, ready when ARI answers, gone when we go.

    new --spawn--> starting --wait_ready--> ready --stop--> stopped
                      |  died, or not ready in time (StartFailed)  ^
                      +--------------------------------------------+

The kernel kills Asterisk when the *thread* that spawned it ends: spawn from the main thread (`spawn` does
not block) and wait wherever you like. An exclusive lock on the state directory keeps a second one out.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import http.client
import os
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import IO

from telephony.node import output
from telephony.node.entered import note
from telephony.node.errors import AlreadyRunning, StartFailed
from telephony.node.installation import Installation
from telephony.node.ports import require_free
from telephony.node.render import render
from telephony.node.settings import NodeSettings

_POLL_S = 0.02


class Launcher:
    """Runs one node's Asterisk; not for several threads at once.

        launcher = Launcher(settings, installation)
        launcher.start()          # or: launcher.spawn(); await asyncio.to_thread(launcher.wait_ready)
        ...
        launcher.stop()

    After `stop`, or after Asterisk died, `start` runs it again.
    """

    def __init__(self, settings: NodeSettings, installation: Installation) -> None:
        self.settings = settings
        self.installation = installation
        self.log_path = settings.state_dir / "log" / "asterisk.log"
        self.ready_after_s: float | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._asterisk_pid: int | None = None
        self._lock: IO[str] | None = None
        self._output: threading.Thread | None = None
        self._spawned_at = 0.0
        self._gone_s: float | None = None
        """When the last one was seen to be gone (wall clock)."""

    # -- starting --------------------------------------------------------------------------------
    def start(self, timeout_s: float = 30.0) -> float:
        """Spawns Asterisk and waits until it is ready; returns the seconds that took.

        Raises: as `spawn` and `wait_ready` do.
        """
        self.spawn()
        return self.wait_ready(timeout_s)

    def spawn(self) -> None:
        """Renders the configuration and starts the process, without waiting for it.

        Raises:
            AlreadyRunning: the state directory is in use, by this launcher or by another process.
            PortTaken: a port is in use by another program.
            UnsafeValue: a setting cannot be written into Asterisk's files.
            StartFailed: the program could not be run at all.
        """
        if self.alive:
            raise AlreadyRunning(f"Asterisk already runs in {self.settings.state_dir}")
        time.sleep(self.pause_s())
        self._forget()
        self.settings.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._take_lock()
        try:
            require_free(self.settings)
            configuration = render(self.settings, self.installation)
            for directory in self.settings.sounds_dirs:
                directory.mkdir(parents=True, exist_ok=True)
            self._remove_sockets()
            self._run(configuration)
        except BaseException as error:
            self._forget()
            if isinstance(error, FileNotFoundError):
                raise StartFailed(f"{error.filename} is missing: run `make install-asterisk`") from error
            raise

    def pause_s(self) -> float:
        """How long `spawn` waits first (blocking): Asterisk counts its channels from 0 within the second of their
        birth, so one that comes back within a second would give a new call the name of an old one.
        """
        if self._process is not None and self._gone_s is None and not self.alive:
            self._gone_s = time.time()
        return 0.0 if self._gone_s is None else max(0.0, self._gone_s // 1 + 1 - time.time())

    def wait_ready(self, timeout_s: float = 30.0) -> float:
        """Blocks until Asterisk has booted fully and ARI answers; returns the seconds since `spawn`.

        Raises:
            StartFailed: it died, or is not ready in time; it is stopped then.
        """
        until = self._spawned_at + timeout_s
        while time.monotonic() < until:
            if not self.alive:
                last_words = self._last_words()
                self.stop()
                raise StartFailed(f"Asterisk ended while starting. {last_words}")
            if self._ari_answers():
                self.ready_after_s = time.monotonic() - self._spawned_at
                return self.ready_after_s
            time.sleep(_POLL_S)
        last_words = self._last_words()
        self.stop()
        raise StartFailed(f"Asterisk was not ready after {timeout_s:.0f} s. {last_words}")

    # -- running ---------------------------------------------------------------------------------
    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        """Asterisk's own process id on this machine, for CPU and memory figures; None unless it runs."""
        return self._asterisk_pid if self.alive else None

    def wait(self, timeout_s: float | None = None) -> int | None:
        """Blocks until Asterisk has ended; its exit code (negative: a signal), or None after `timeout_s`."""
        if self._process is None:
            return None
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None

    # -- stopping --------------------------------------------------------------------------------
    def stop(self, grace_s: float = 5.0) -> None:
        """Ends Asterisk: asks first, kills after `grace_s`. Calls on it end. Legal in every state, also twice."""
        if self.alive and self._process is not None:
            if self._asterisk_pid is not None:
                _signal(self._asterisk_pid, signal.SIGTERM)
            if self.wait(grace_s) is None:
                self.kill()
        self._forget()

    def kill(self) -> None:
        """Ends Asterisk at once, as a crash would. `stop` or `start` afterwards cleans up."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            if self._asterisk_pid is not None:
                _signal(self._asterisk_pid, signal.SIGKILL)
            self._process.wait()

    def _forget(self) -> None:
        if self._process is not None:
            self._process.wait()
            self._gone_s = self._gone_s or time.time()
            if self._output is not None:
                self._output.join(timeout=2)
            self._remove_sockets()
        self._process = self._asterisk_pid = self._output = self.ready_after_s = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    # -- details ---------------------------------------------------------------------------------
    def _run(self, configuration: Path) -> None:
        settings = self.settings
        information, theirs = os.pipe()
        wrapped = self.installation.is_wrapped
        command = self.installation.command(
            str(self.installation.binary),
            "-f",
            "-C",
            str(configuration),
            read_only=settings.sounds_dirs,
            writable=[settings.state_dir, *([settings.recordings_dir] if settings.recordings_dir else [])],
            over=[(settings.state_dir / "etc/hosts", Path("/etc/hosts"))],
            wrapper_options=["--as-pid-1", "--info-fd", str(theirs)],
        )
        note(settings.state_dir, settings.sounds_dirs if wrapped else ())
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(settings.state_dir), "LANG": "C.UTF-8"}
        self._spawned_at = time.monotonic()
        self._gone_s = None
        try:
            self._process = subprocess.Popen(  # noqa: S603
                command,
                cwd=settings.state_dir,
                env=environment if wrapped else os.environ | environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=(theirs,) if wrapped else (),
                # A Ctrl-C in the terminal is ours to turn into an orderly end.
                start_new_session=True,
            )
        finally:
            os.close(theirs)
            told = b"" if not wrapped or self._process is None else _read_all(information)
            os.close(information)
        self._asterisk_pid = _child_pid(told) if wrapped else self._process.pid
        assert self._process.stdout is not None
        self._output = output.keep(self._process.stdout, self.log_path)

    def _take_lock(self) -> None:
        path = self.settings.state_dir / "lock"
        lock = path.open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            lock.close()
            raise AlreadyRunning(
                f"an Asterisk already runs in {self.settings.state_dir} (process {holder}): "
                "stop it, or set another state_dir"
            ) from None
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        self._lock = lock

    def _remove_sockets(self) -> None:
        for name in ("asterisk.ctl", "asterisk.pid"):
            (self.settings.state_dir / "run" / name).unlink(missing_ok=True)

    def _ari_answers(self) -> bool:
        user = base64.b64encode(f"engine:{self.settings.secrets.ari_engine}".encode()).decode()
        connection = http.client.HTTPConnection("127.0.0.1", self.settings.http_port, timeout=2)
        try:
            # 503 until every module is loaded.
            connection.request("GET", "/ari/asterisk/ping", headers={"Authorization": f"Basic {user}"})
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _last_words(self) -> str:
        if self._output is not None and not self.alive:
            self._output.join(timeout=1)
        return output.last_words(self.log_path)


def _child_pid(told: bytes) -> int | None:
    text = told.decode(errors="replace").partition('"child-pid"')[2].lstrip(": ")
    digits = text[: next((index for index, character in enumerate(text) if not character.isdigit()), len(text))]
    return int(digits) if digits else None


def _read_all(descriptor: int) -> bytes:
    parts = []
    while part := os.read(descriptor, 4096):
        parts.append(part)
    return b"".join(parts)


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
