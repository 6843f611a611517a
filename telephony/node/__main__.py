"""What the Makefile asks of this room.

python -m telephony.node install              have a suitable Asterisk on this machine
python -m telephony.node where                say which one is used
python -m telephony.node packages NAME ...    have these Debian packages
"""

from __future__ import annotations

import argparse
import sys

from rich.console import Console

from core.errors import CentralitaError
from telephony.node.debian import install_missing
from telephony.node.install import install
from telephony.node.installation import find


def main() -> int:
    """0: done; 1: it could not be done, and why; 130: interrupted."""
    parser = argparse.ArgumentParser(prog="python -m telephony.node")
    parser.add_argument("action", choices=["install", "where", "packages"])
    parser.add_argument("names", nargs="*", help="Debian packages")
    asked = parser.parse_args()
    console = Console(stderr=True, highlight=False)
    try:
        if asked.action == "packages":
            install_missing(asked.names, console)
            return 0
        installation = install(console=console) if asked.action == "install" else find()
    except CentralitaError as error:
        console.print(str(error), style="red", markup=False, soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        console.print("Interrupted: nothing was installed.")
        return 130
    where = installation.root or "this machine's own"
    console.print(f"Asterisk {installation.version}: {where}", markup=False, soft_wrap=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
