"""Reads what pip says and tells in one line how far it is: `pip install … | python pip_progress.py 470`.

The argument is about how many megabytes there are to download. Errors are not ours: pip says them on stderr.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from typing import TextIO

_DOWNLOADING = re.compile(r"\s*Downloading (?P<file>\S+).* \((?P<size>[\d.]+) (?P<unit>kB|MB)\)")
_INSTALLING = re.compile(r"Installing collected packages: (?P<names>.*)")
_LARGE_MB = 10.0


def tell(lines: Iterable[str], out: TextIO, total_mb: float) -> None:
    """On a terminal a line that is written over; elsewhere a line for each large file."""
    live, got_mb = out.isatty(), 0.0
    for line in lines:
        if found := _DOWNLOADING.match(line):
            size_mb = float(found["size"]) / (1000 if found["unit"] == "kB" else 1)
            name = found["file"].partition("-")[0]
            if live or size_mb >= _LARGE_MB:
                words = f"  {got_mb:.0f} of {max(total_mb, got_mb):.0f} MB · {name[:40]} ({size_mb:.1f} MB)"
                out.write(f"\r\033[K{words}" if live else f"{words}\n")
            got_mb += size_mb
        elif found := _INSTALLING.match(line):
            count = found["names"].count(",") + 1
            words = f"  {got_mb:.0f} MB downloaded; installing {count} packages takes about a minute\n"
            out.write(("\r\033[K" if live else "") + (words if count > 1 else ""))
        out.flush()


if __name__ == "__main__":
    tell(sys.stdin, sys.stdout, float(sys.argv[1]))
