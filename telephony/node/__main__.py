"""`python -m telephony.node install`: have a suitable Asterisk on this machine."""

from __future__ import annotations

import argparse
import sys

from rich.console import Console

from telephony.node.errors import NodeError
from telephony.node.install import install
from telephony.node.installation import find


def main() -> int:
    """0: there is one; 1: there is none and none could be made."""
    parser = argparse.ArgumentParser(prog="python -m telephony.node", description=__doc__)
    parser.add_argument(
        "action", choices=["install", "where"], help="install: make one if needed; where: say which is used"
    )
    action = parser.parse_args().action
    console = Console(stderr=True, highlight=False)
    try:
        installation = install(console=console) if action == "install" else find()
    except NodeError as error:
        console.print(f"Asterisk: {error}", style="red", markup=False)
        return 1
    except KeyboardInterrupt:
        console.print("Interrupted: nothing was installed.")
        return 130
    where = installation.root or "this machine's own"
    console.print(f"Asterisk {installation.version}: {where}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
