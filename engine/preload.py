"""What the fork server imports before it forks. For the fork server alone: importing it makes of the process what that
has to be."""

import gc
import importlib
import os
import signal
import sys
from types import FrameType

from setproctitle import setproctitle, setthreadtitle

from telephony.node.installation import default_root

os.setsid()  # keys and hang-ups of the terminal are the supervisor's
_pid = os.getpid()


def _told_to_end(number: int, _frame: FrameType | None) -> None:
    """Who tells all processes at once to end means the supervisor. A process just forked is meant itself."""
    if os.getpid() != _pid:
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)


signal.signal(signal.SIGTERM, _told_to_end)
setproctitle("centralita fork server")
setthreadtitle("fork server")
os.environ["OPENBLAS_NUM_THREADS"] = "1"  # a process that forks has one thread
# A start must not compile anything, whatever the environment says: callers are waiting.
sys.pycache_prefix = str(default_root().parent / "pycache")
sys.dont_write_bytecode = False
gc.disable()  # hardly anything is garbage: looking for it takes a sixth of the time
# The command line too: `multiprocessing` imports the program that starts a child into each.
for _module in ("engine.cli", "engine.process", "engine.projection", "engine.node_watch", "engine.media_worker"):
    importlib.import_module(_module)
gc.freeze()  # what is imported stays in memory that all share
gc.enable()
