"""What the Makefile asks of this room.

python -m telephony.node install              have a suitable Asterisk on this machine
python -m telephony.node where                say which one is used
python -m telephony.node packages NAME ...    have these Debian packages
python -m telephony.node run FILE             run an Asterisk on what `centralita node export` wrote, until a signal
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from pydantic import ValidationError
from rich.console import Console

from core.errors import CentralitaError
from telephony.node.debian import install_missing
from telephony.node.errors import NotRunning
from telephony.node.install import install
from telephony.node.installation import find
from telephony.node.remote import run


def main() -> int:
    """0: done; 1: it could not be done, and why; 130: interrupted."""
    parser = argparse.ArgumentParser(prog="python -m telephony.node")
    parser.add_argument("action", choices=["install", "where", "packages", "console", "run"])
    parser.add_argument("words", nargs="*", help="Debian packages; a console command; the file to run on")
    parser.add_argument("--state", type=Path, default=Path("var/asterisk"), help="the node's state directory (console)")
    asked = parser.parse_args()
    console = Console(stderr=True, highlight=False)
    try:
        if asked.action == "packages":
            install_missing(asked.words, console)
            return 0
        if asked.action == "console":
            return _console(asked.state.resolve(), " ".join(asked.words))
        if asked.action == "run":
            return run(Path(" ".join(asked.words)), console)
        installation = install(console=console) if asked.action == "install" else find()
    except CentralitaError as error:
        console.print(str(error), style="red", markup=False, soft_wrap=True)
        return 1
    except (OSError, ValidationError) as error:
        console.print(f"{' '.join(asked.words)}: {error}", style="red", markup=False, soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        console.print("Interrupted: nothing was installed.")
        return 130
    where = installation.root or "this machine's own"
    console.print(f"Asterisk {installation.version}: {where}", markup=False, soft_wrap=True)
    return 0


def _console(state_dir: Path, command: str) -> int:
    configuration = state_dir / "etc" / "asterisk.conf"
    if not (state_dir / "run" / "asterisk.ctl").is_socket():
        raise NotRunning(f"no Asterisk runs in {state_dir}: start it (make run), or name its directory with --state")
    installation = find()
    asterisk = [str(installation.binary), "-C", str(configuration), *(["-rx", command] if command else ["-r"])]
    return subprocess.run(installation.command(*asterisk, writable=[state_dir])).returncode  # noqa: S603


if __name__ == "__main__":
    sys.exit(main())
