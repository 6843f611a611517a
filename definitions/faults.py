"""How a validator says what is wrong: in words, with a hint, and at the very place inside its value."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError
from rapidfuzz import process

FAULT = "fault"
"""The error type that `definitions.models.validate` takes literally: `what` and `hint` are in its context."""

MEANT = "did you mean"
"""How the hint of a misspelt word begins."""

Path = tuple[str | int, ...]


def fault(what: str, hint: str = "", *, at_key: bool = False) -> PydanticCustomError:
    """An error to raise from any pydantic validator. `at_key`: its place is the key, not the value."""
    context = {"what": what, "hint": hint, "at_key": at_key}
    return PydanticCustomError(FAULT, "{what}: {hint}" if hint else "{what}", context)


class Faults:
    """Several faults of one value, each at a path inside it, raised together:

    faults = Faults()
    faults.add(("play", 2), "the sound has no name", "write {sound: welcome}")
    faults.raise_any()
    """

    def __init__(self) -> None:
        self._found: list[InitErrorDetails] = []

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, path: Path, what: str, hint: str = "", *, at_key: bool = False) -> None:
        self.add_error(path, fault(what, hint, at_key=at_key))

    def add_error(self, path: Path, error: PydanticCustomError) -> None:
        self._found.append(InitErrorDetails(type=error, loc=path, input=None))

    def raise_any(self, title: str = "value", value: object = None) -> None:
        """Raises:
        ValidationError: when anything was added; pydantic merges it into the error of the whole file.
        """
        if self._found:
            raise ValidationError.from_exception_data(title, self._found)


def did_you_mean(word: str, known: Iterable[str], *, what: str = "known") -> str:
    """`did you mean 'prompt'?`, else the list of what there is (at most twelve)."""
    names = sorted(known)
    close = process.extractOne(word, names, score_cutoff=60, processor=str.lower) if word else None
    if close:
        return meant(close[0])
    if not names:
        return f"there are no {what}" if what.endswith("s") else f"nothing is {what}"
    return f"{what}: {listed(names)}"


def meant(word: str) -> str:
    """`did you mean 'prompt'?`."""
    return f"{MEANT} '{word}'?"


def listed(names: Sequence[str], most: int = 12) -> str:
    """The names with commas; a long list ends with how many more there are."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")
