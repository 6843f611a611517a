"""An Asterisk on a machine without an engine: it runs on what the site exported, and is commanded from afar."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

from rich.console import Console

from telephony.node.install import install
from telephony.node.launcher import Launcher
from telephony.node.render import RELOADED_MODULES, render
from telephony.node.settings import NodeSettings

_POLL_S = 1.0


def run(file: Path, console: Console) -> int:
    """Until SIGTERM or SIGINT (0), or until Asterisk dies (1: whoever keeps services starts it again). A SIGHUP reads
    the file again: phones, trunks and relays change, calls go on.

    Raises:
        OSError: the file cannot be read.
        ValidationError: it is no export of this release.
        NodeError: Asterisk cannot be had, or does not start.
    """
    installation = install(console=console)
    launcher = Launcher(_read(file), installation)
    watched = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
    signal.pthread_sigmask(signal.SIG_BLOCK, watched)
    launcher.start()
    settings = launcher.settings
    console.print(f"node {settings.name}: SIP at {settings.bind}:{settings.sip_port}", markup=False)
    try:
        while launcher.alive:
            told = next_signal(watched, _POLL_S)
            if told is not None and told != signal.SIGHUP:
                return 0
            if told is not None:
                _read_again(file, launcher, console)
        console.print(f"node {settings.name}: Asterisk has died", style="red", markup=False)
        return 1
    finally:
        launcher.stop()


def next_signal(watched: set[signal.Signals], within_s: float) -> signal.Signals | None:
    """The next one of these, which are blocked; None when none comes in time."""
    told = signal.sigtimedwait(watched, within_s)
    # Of a wait that ran out while the process itself was stopped (SIGSTOP, a machine put to sleep) CPython returns what
    # lay in memory: `sigtimedwait` leaves its loop after EINTR without a signal.
    return next((each for each in watched if told is not None and told.si_signo == each), None)


def _read(file: Path) -> NodeSettings:
    return NodeSettings.model_validate_json(file.read_text(encoding="utf-8"))


def _read_again(file: Path, launcher: Launcher, console: Console) -> None:
    """What is wrong with the file changes nothing."""
    try:
        settings = _read(file)
        if settings.state_dir != launcher.settings.state_dir:
            raise ValueError("state_dir has changed: that needs a new start")
        configuration = render(settings, launcher.installation)
    except (OSError, ValueError) as refused:
        console.print(f"{file}: {refused}; nothing was changed", style="red", markup=False, soft_wrap=True)
        return
    asterisk = [str(launcher.installation.binary), "-C", str(configuration)]
    for module in RELOADED_MODULES:
        command = launcher.installation.command(
            *asterisk, "-rx", f"module reload {module}", writable=[settings.state_dir]
        )
        subprocess.run(command, check=False, stdout=subprocess.DEVNULL)  # noqa: S603
    console.print(f"node {settings.name}: phones, trunks and relays were read again", markup=False)
