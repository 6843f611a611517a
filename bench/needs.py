"""What a benchmark needs of the machine is asked for before anything is started."""

from __future__ import annotations

import shutil
import sys


def need_sipp() -> None:
    """Ends the program when it is not there."""
    if shutil.which("sipp") is None:
        sys.exit("sipp, which makes the calls, is missing on this machine: `make test-tools` installs it")
