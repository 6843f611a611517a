"""A node afar hears the signals meant for it, and goes on when its machine was asleep."""

import signal
import subprocess
import sys
import time

WAITS = """
import signal, sys
from telephony.node.remote import next_signal
watched = {signal.SIGTERM, signal.SIGHUP}
signal.pthread_sigmask(signal.SIG_BLOCK, watched)
for line in sys.stdin:
    print("waits", flush=True)
    print(next_signal(watched, float(line)), flush=True)
"""


def test_stopped_for_longer_than_it_waits_it_heard_nothing():
    with subprocess.Popen(
        [sys.executable, "-c", WAITS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as node:

        def waiting(seconds: float) -> None:
            node.stdin.write(f"{seconds}\n")
            assert node.stdout.readline() == "waits\n"

        for _ in range(3):
            waiting(0.2)
            time.sleep(0.1)
            node.send_signal(signal.SIGSTOP)
            time.sleep(0.3)
            node.send_signal(signal.SIGCONT)
            assert node.stdout.readline() == "None\n"
        for told in (signal.SIGHUP, signal.SIGTERM):
            waiting(60)
            node.send_signal(told)
            assert node.stdout.readline() == f"{told!s}\n"
        node.stdin.close()
