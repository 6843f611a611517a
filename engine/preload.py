"""What the fork server imports before it forks. For the fork server alone: importing it makes of the process what that
has to be."""

import gc
import importlib
import os
import sys

from setproctitle import setproctitle

from telephony.node.installation import default_root

os.setsid()  # keys and hang-ups of the terminal are the supervisor's
setproctitle("centralita fork server")
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
