"""Many callers at once with sipp: each types the digits of her own line and waits to be served."""

from __future__ import annotations

import asyncio
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
_BETWEEN = '  <pause milliseconds="120" />\n'


@dataclass(frozen=True, slots=True)
class Served:
    """How sipp's callers fared."""

    ok: int
    failed: int
    output: str


class Callers:
    """`codes`: what each caller types, one digit after another; then all wait `wait_s` and press 1."""

    def __init__(self, directory: Path, sip: str, codes: Sequence[str], wait_s: float, number: str = "100") -> None:
        digits = max(map(len, codes))
        self._count = len(codes)
        self._csv = directory / "callers.csv"
        self._csv.write_text("SEQUENTIAL\n" + "".join(f"{600000000 + n};{';'.join(c)}\n" for n, c in enumerate(codes)))
        scenario = TEMPLATE.read_text()
        scenario = scenario.replace(
            "DIGITS\n", "".join(_INFO.format(cseq=n + 1, digit=f"[field{n}]") + _BETWEEN for n in range(1, digits + 1))
        )
        scenario = scenario.replace("PRESS_1\n", _INFO.format(cseq=digits + 2, digit="1"))
        self._scenario = directory / "caller.xml"
        self._scenario.write_text(scenario.replace("WAIT_MS", str(int(wait_s * 1000))))
        self._sip, self._number = sip, number
        self._process: asyncio.subprocess.Process | None = None

    async def start(self, rate: float) -> None:
        """`rate`: new calls a second."""
        self._process = await asyncio.create_subprocess_exec(
            "sipp", self._sip, "-i", "127.0.0.2", "-mi", "127.0.0.2", "-sf", str(self._scenario),
            "-inf", str(self._csv), "-s", self._number, "-m", str(self._count), "-r", str(rate), "-l", str(self._count),
            "-p", "0", "-nostdin", "-timeout", "90s", "-timeout_error",
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
