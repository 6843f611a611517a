"""Many callers at once with sipp: each types the digits of her own line and waits to be served."""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

TEMPLATE = Path(__file__).parent / "recovery" / "sipp_hold.xml"
_INFO = """  <send retrans="500">
    <![CDATA[
      INFO [next_url] SIP/2.0
      Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
      From: <sip:[field0]@[local_ip]:[local_port]>;tag=[pid]T[call_number]
      To: <sip:[service]@[remote_ip]:[remote_port]>[peer_tag_param]
      [routes]
      Call-ID: [call_id]
      CSeq: {cseq} INFO
      Contact: <sip:caller@[local_ip]:[local_port]>
      Max-Forwards: 70
      Content-Type: application/dtmf-relay
      Content-Length: [len]

      Signal={digit}
      Duration=100
    ]]>
  </send>
  <recv response="200" crlf="true" />
"""
_PATIENCE_S = 8
"""How long a caller who presses 1 waits before she presses it again."""
_runs = itertools.count(1)


def _ask(cseq: int, number: int, of: int) -> str:
    """She presses 1 and waits to be hung up on; the last time for as long as the scenario itself says."""
    pressed = f'  <label id="{number}" />\n' + _INFO.format(cseq=cseq, digit="1")
    if number == of - 1:
        return pressed
    patience = f'timeout="{_PATIENCE_S * 1000}" ontimeout="{number + 1}" next="99"'
    return f'{pressed}  <recv request="BYE" {patience} />\n'


@dataclass(frozen=True, slots=True)
class Served:
    """How sipp's callers fared."""

    ok: int
    failed: int
    output: str


class _Sipp:
    """One run of sipp from the carrier's address."""

    def __init__(self, directory: Path, sip: str, scenario: str, lines: Sequence[str], number: str) -> None:
        name = f"sipp-{next(_runs)}"
        self._csv, self._scenario = directory / f"{name}.csv", directory / f"{name}.xml"
        self._csv.write_text("SEQUENTIAL\n" + "".join(f"{line}\n" for line in lines))
        self._scenario.write_text(scenario)
        self._count = len(lines)
        self._sip, self._number = sip, number
        self._process: asyncio.subprocess.Process | None = None

    async def start(self, rate: float) -> None:
        """`rate`: new calls a second."""
        self._process = await asyncio.create_subprocess_exec(
            "sipp", self._sip, "-i", "127.0.0.2", "-mi", "127.0.0.2", "-sf", str(self._scenario),
            "-inf", str(self._csv), "-s", self._number, "-m", str(self._count), "-r", str(rate), "-l", str(self._count),
            "-p", "0", "-nostdin", "-timeout", "150s", "-timeout_error",
            cwd=self._scenario.parent,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip

    async def served(self) -> Served:
        """Waits for all of them."""
        assert self._process is not None
        output, _ = await self._process.communicate()
        text = output.decode(errors="replace")
        ok = re.findall(r"Successful call\s*\|\s*\d+\s*\|\s*(\d+)", text)
        failed = re.findall(r"Failed call\s*\|\s*\d+\s*\|\s*(\d+)\s*$", text, re.M)
        return Served(int(ok[-1]) if ok else 0, int(failed[-1]) if failed else self._count, text[-4000:])

    async def stop(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()


class Callers(_Sipp):
    """`codes`: what each types, one digit after another, `between_s` apart; then all wait `wait_s` and press 1, `asks`
    times if need be: a key may be pressed while no engine lives to hear of it."""

    def __init__(
        self,
        directory: Path,
        sip: str,
        codes: Sequence[str],
        wait_s: float,
        number: str = "100",
        between_s: float = 0.12,
        asks: int = 1,
    ) -> None:
        digits = max(map(len, codes))
        scenario = _with_digits(TEMPLATE, digits, 1, between_s)
        scenario = scenario.replace("PRESS_1\n", "".join(_ask(digits + 2 + n, n, asks) for n in range(asks)))
        scenario = scenario.replace("WAIT_MS", str(int(wait_s * 1000)))
        lines = [f"{600000000 + n};{';'.join(code)}" for n, code in enumerate(codes)]
        super().__init__(directory, sip, scenario, lines, number)


class Leavers(_Sipp):
    """`calls`: the number each dials and the keys she presses (equally many); she hangs up within `longest_s`, and no
    sooner than after `shortest_s`."""

    def __init__(
        self, directory: Path, sip: str, calls: Sequence[tuple[str, str]], longest_s: float, shortest_s: float = 0.0
    ) -> None:
        scenario = _with_digits(TEMPLATE.with_name("sipp_leave.xml"), max(len(keys) for _, keys in calls), 2, 0.12)
        scenario = scenario.replace("LONGEST_MS", str(int(longest_s * 1000)))
        scenario = scenario.replace("SHORTEST_MS", str(int(shortest_s * 1000)))
        lines = [f"{600000000 + n};{number};{';'.join(keys)}" for n, (number, keys) in enumerate(calls)]
        super().__init__(directory, sip, scenario, lines, "100")


def _with_digits(template: Path, digits: int, first_field: int, between_s: float) -> str:
    pause = f'  <pause milliseconds="{int(between_s * 1000)}" />\n' if between_s else ""
    presses = (_INFO.format(cseq=n + 2, digit=f"[field{n + first_field}]") + pause for n in range(digits))
    return template.read_text().replace("DIGITS\n", "".join(presses))
