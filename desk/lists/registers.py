"""National do-not-call registers, kept as sorted numbers in files of the state directory.

    dnc/lista-robinson.json              {"register", "file", "numbers", "as_of_s", "imported_s", "source"}
    dnc/lista-robinson-18f2c.npy         uint64, sorted, E.164 without the plus

The JSON names the file, and is replaced last, in one step: a reader sees the old register or the new one. Ten million
numbers are 80 MB that several processes map together.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dialer.dnc import DoNotCall, NumberSet

log = logging.getLogger("centralita.leads")

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,40}[a-z0-9])?")


class RegisterUnusable(Exception):
    """The register's files are missing, damaged, or not what they say: import it again."""


@dataclass(frozen=True, slots=True)
class Register:
    """`as_of_s`: of when the register is, by who publishes it; rules ask how old it may be."""

    register: str
    file: str
    numbers: int
    as_of_s: float
    imported_s: float
    source: str = ""


def registers_directory(state: Path) -> Path:
    """`state`: the state directory."""
    return state / "dnc"


def check_name(register: str) -> str:
    """Raises ValueError: no such name can be."""
    if not _NAME.fullmatch(register):
        raise ValueError(f"'{register[:40]}' is no name of a register: write small letters, digits and -")
    return register


def known_registers(directory: Path) -> list[Register]:
    """By name. Raises RegisterUnusable."""
    return [_read(file) for file in sorted(directory.glob("*.json"))]


def usable_registers(directory: Path) -> tuple[dict[str, DoNotCall], list[str]]:
    """Those that can be relied upon, and in words what is wrong with the others. A register that is missing blocks the
    campaigns that need it, so one damaged file harms nobody else."""
    found: dict[str, DoNotCall] = {}
    wrong: list[str] = []
    for file in sorted(directory.glob("*.json")):
        try:
            each = _opened(directory, file)
            found[each.name] = each
        except RegisterUnusable as failure:
            wrong.append(str(failure))
    return found, wrong


def registers_at_hand(state: Path) -> dict[str, DoNotCall]:
    """For the engine: those that can be relied upon; what is wrong with the others is in the log. `state`: the state
    directory. Blocking."""
    found, wrong = usable_registers(registers_directory(state))
    for why in wrong:
        log.error("a do-not-call register is left out, and campaigns that need it stop: %s", why)
    return found


def write_register(
    directory: Path, register: str, keys: NDArray[np.uint64], as_of_s: float, now_s: float, source: str = ""
) -> Register:
    """Replaces a register by these numbers, in any order. Raises ValueError for its name, OSError."""
    check_name(register)
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    numbers = np.unique(keys.astype(np.uint64, copy=False))
    made = Register(register, f"{register}-{int(now_s * 1000):x}.npy", len(numbers), as_of_s, now_s, source)
    with _replacing(directory / made.file) as draft, draft.open("wb") as file:
        np.save(file, numbers)
        file.flush()
        os.fsync(file.fileno())
    with _replacing(directory / f"{register}.json") as draft, draft.open("w", encoding="utf-8") as text:
        json.dump(asdict(made), text)
        text.flush()
        os.fsync(text.fileno())
    _forget_others(directory, made)
    return made


def remove_register(directory: Path, register: str) -> bool:
    """False: there is none of that name."""
    description = directory / f"{check_name(register)}.json"
    if not description.exists():
        return False
    description.unlink()
    _forget_others(directory, Register(register, "", 0, 0.0, 0.0))
    return True


def _opened(directory: Path, file: Path) -> DoNotCall:
    try:
        return _mapped(directory, _read(file))
    except RegisterUnusable:
        # It may have been replaced between its description and its numbers.
        return _mapped(directory, _read(file))


def _mapped(directory: Path, each: Register) -> DoNotCall:
    try:
        keys = np.load(directory / each.file, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as failure:
        raise RegisterUnusable(f"{directory / each.file} cannot be read ({failure}): import it again") from failure
    if keys.dtype != np.uint64 or keys.ndim != 1 or len(keys) != each.numbers:
        raise RegisterUnusable(f"{directory / each.file} is not what its description says: import it again")
    return DoNotCall(each.register, "national", each.as_of_s, NumberSet.of_sorted(keys))


def _read(file: Path) -> Register:
    try:
        body = json.loads(file.read_text(encoding="utf-8"))
        made = Register(**body) if isinstance(body, Mapping) else None
    except (OSError, ValueError, TypeError) as failure:
        raise RegisterUnusable(f"{file} cannot be read ({failure}): import that register again") from failure
    if made is None or made.register != file.stem or "/" in made.file:
        raise RegisterUnusable(f"{file} describes no register: import it again")
    return made


@contextlib.contextmanager
def _replacing(file: Path) -> Iterator[Path]:
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        yield draft
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)


def _forget_others(directory: Path, kept: Register) -> None:
    for file in directory.glob(f"{kept.register}-*.npy"):
        if file.name != kept.file and re.fullmatch(re.escape(kept.register) + r"-[0-9a-f]+\.npy", file.name):
            file.unlink(missing_ok=True)
