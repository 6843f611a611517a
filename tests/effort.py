"""What work costs this machine, to be compared with other work on the same machine: never with a number of seconds.

How fast something is, the benches say (bench/). A test may only say that bad input costs no more than so many times
what good input costs; the margin is wide, since other work on the machine may slow the one and not the other.
"""

from __future__ import annotations

import time
from collections.abc import Callable


def cpu_s(work: Callable[[], object]) -> float:
    """Seconds of this process's time that `work` took."""
    began_s = time.process_time()
    work()
    return time.process_time() - began_s
