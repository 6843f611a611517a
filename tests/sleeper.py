"""What a child does in the tests of children, as its environment says."""

import json
import os
import signal
import sys
import time


def main() -> int:
    match os.environ["DOES"]:
        case "fail":
            return 3
        case "ignore":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            sys.stdout.write("deaf\n")
        case "tell":
            told = {"pid": os.getpid(), "session": os.getsid(0), "does": os.environ["DOES"], "stdin": sys.stdin.read()}
            sys.stdout.write(f"{json.dumps(told)}\n")
    sys.stdout.flush()
    time.sleep(60)
    return 0
