"""What the doctor found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["ok", "warning", "wrong"]


@dataclass(frozen=True, slots=True)
class Finding:
    """`mend`: a command to type, or what to do; empty when all is well."""

    what: str
    verdict: Verdict
    says: str
    mend: str = ""
