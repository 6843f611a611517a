"""The softphone process: JSON lines on stdin (commands), JSON lines on stdout (events); see protocol.py.

    python -m telephony.softphone [--rate-hz 16000] [--rtp-port 30000] [--rtp-ports 2000]
                                  [--codecs PCMA,PCMU,G722] [--log-level 3] [--ca-file FILE]

pjsua2 prints to standard output on its own: the real one is kept aside for events, and what a library prints goes to
standard error. End of input, `quit`, SIGTERM and SIGINT hang everything up and end the process within two seconds.

Exit codes: 0 asked to end, 3 the driver stopped reading, 4 pjsua2 is missing or did not start.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
import traceback
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from telephony.softphone.protocol import MAX_LINE_BYTES, BadLine, decode
from telephony.softphone.wire import LinesIn, LinesOut

if TYPE_CHECKING:
    from telephony.softphone.stack.station import Station

LEAVE_WITHIN_S = 1.0
EXIT_NOT_READ = 3
EXIT_NO_STACK = 4


def main(argv: Sequence[str] | None = None) -> int:
    options = _options(argv)
    events_fd = os.dup(1)
    os.set_inheritable(events_fd, False)
    os.dup2(2, 1)
    out = LinesOut(events_fd)
    asked_to_end: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda signal_number, _frame: asked_to_end.append(signal_number))
    station = _start(options, out)
    if station is None:
        out.flush(within_s=0.5)
        return EXIT_NO_STACK
    lines = LinesIn(0)
    skipped = 0
    while not (station.quitting or asked_to_end or lines.ended or out.broken):
        station.turn()
        arrived = lines.ready()
        if lines.skipped > skipped:
            skipped = lines.skipped
            what = f"a line longer than {MAX_LINE_BYTES} bytes"
            out.emit("error", what=what, hint="commands are short: it was dropped")
        for line in arrived:
            _obey(station, out, line)
        out.flush()
    station.leave(LEAVE_WITHIN_S)
    out.emit("stopped")
    out.flush(within_s=0.3)
    # Destroying pjsua waits for a second and then frees what Python still holds: the kernel does it better.
    os._exit(EXIT_NOT_READ if out.broken and not (asked_to_end or lines.ended) else 0)


def _obey(station: Station, out: LinesOut, line: bytes) -> None:
    from telephony.softphone.stack.host import Refused

    try:
        command = decode(line)
    except BadLine as bad:
        named: dict[str, Any] = {} if bad.command_id is None else {"id": bad.command_id}
        out.emit("error", what=bad.what, hint=bad.hint, **named)
        return
    tags: dict[str, Any] = {"do": str(command.__struct_config__.tag)}
    if command.id is not None:
        tags["id"] = command.id
    at_s = time.monotonic()
    try:
        result = station.do(command)
    except Refused as refused:
        out.emit("error", what=refused.what, hint=refused.hint, **tags)
    except Exception as error:  # a mistake of ours in one command must not hang up every call
        traceback.print_exc()
        out.emit("error", what=f"{tags['do']} failed: {error!r}", hint="please report it, with the phone's log", **tags)
    else:
        out.emit("done", at_s=at_s, **tags, **result)


def _start(options: argparse.Namespace, out: LinesOut) -> Station | None:
    """The phone, or nothing after saying why."""
    try:
        import pjsua2
    except ImportError as error:
        out.emit("error", what=f"pjsua2 cannot be loaded: {error}", hint="pip install 'centralita[phone]'")
        return None
    from telephony.softphone.stack.endpoint import MAX_ACCOUNTS, MAX_CALLS, Endpoint
    from telephony.softphone.stack.host import Refused
    from telephony.softphone.stack.station import Station

    try:
        endpoint = Endpoint(
            rate_hz=options.rate_hz,
            rtp_ports=(options.rtp_port, options.rtp_ports),
            codecs=tuple(name for name in options.codecs.split(",") if name),
            log_level=options.log_level,
            ca_file=options.ca_file,
        )
    except Refused as refused:
        out.emit("error", what=refused.what, hint=refused.hint)
        return None
    except pjsua2.Error as error:
        out.emit("error", what=f"pjsua2 did not start: {error.reason}", hint="see the phone's log")
        return None
    out.emit(
        "ready",
        pid=os.getpid(),
        version=endpoint.version,
        rate_hz=options.rate_hz,
        max_accounts=MAX_ACCOUNTS,
        max_calls=MAX_CALLS,
    )
    return Station(endpoint, out)


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m telephony.softphone", description="A SIP phone driven by JSON lines"
    )
    parser.add_argument("--rate-hz", type=int, choices=(8000, 16000), default=16000, help="of recordings")
    parser.add_argument("--rtp-port", type=int, default=30000, help="the first port for audio")
    parser.add_argument("--rtp-ports", type=int, default=2000, help="how many ports from there")
    parser.add_argument("--codecs", default="PCMA,PCMU,G722", help="best first")
    parser.add_argument("--log-level", type=int, choices=range(6), default=3, help="5 shows every SIP message (stderr)")
    parser.add_argument("--ca-file", default="", help="who signs a TLS server's certificate; unchecked when left out")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
