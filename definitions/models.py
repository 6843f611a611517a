"""What every definition is built from: strict, frozen models whose errors point into the file and speak plainly.

    marked = load_marked(text, "config/trunks/main.yaml")
    trunk = validate(Trunk, marked)          # a Trunk, or Problems with file, line, column and hint

Docstrings under fields become the descriptions an editor shows (JSON Schema).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    ModelWrapValidatorHandler,
    ValidationError,
    ValidationInfo,
    model_validator,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from definitions.faults import FAULT, MEANT, Faults, did_you_mean, fault, listed, meant
from definitions.fields import (
    Count,
    Digits,
    Flag,
    LanguageTag,
    LongSeconds,
    Name,
    PhoneNumber,
    Seconds,
    TenantName,
    Text,
    TimeOfDay,
    Variable,
    Weekdays,
)
from definitions.problems import Problem, Problems
from definitions.yaml import Marked, load_marked

__all__ = [
    "Count",
    "Definition",
    "Digits",
    "Flag",
    "LanguageTag",
    "LongSeconds",
    "Name",
    "PhoneNumber",
    "Salvaged",
    "Seconds",
    "TenantName",
    "Text",
    "TimeOfDay",
    "Variable",
    "Weekdays",
    "load",
    "salvage",
    "validate",
]


_KEY = "[key]"
"""pydantic's own step for a bad key of a map."""
_UNKNOWN_KEY = "unknown key"


class Definition(BaseModel):
    """A part of a definition: unknown keys are refused, and it never changes."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
        coerce_numbers_to_str=True,
        arbitrary_types_allowed=True,
    )

    @model_validator(mode="wrap")
    @classmethod
    def _in_words(cls, data: Any, handler: ModelWrapValidatorHandler[Any], info: ValidationInfo) -> Any:
        """Says every error in words here, where the keys that would have been right are known."""
        try:
            value = handler(data)
            if isinstance(info.context, _Salvage):
                info.context.built = value
            return value
        except ValidationError as error:
            faults = Faults()
            for detail in _telling(error, cls):
                faults.add_error(detail["loc"], _say(detail, cls))
            faults.raise_any(cls.__name__)
            raise


D = TypeVar("D", bound=BaseModel)
_ROUNDS = 12
"""A part that is left out can make what it stands in wrong, up to the root."""


class _Salvage(dict[str, Any]):
    """A context that keeps the last value of which every field is right, whatever is wrong between its fields."""

    built: Any = None


@dataclass(frozen=True, slots=True)
class Salvaged(Generic[D]):
    """What is right of a file. `value` None: too little. `marked`: without what is wrong; it knows what that was."""

    value: D | None
    marked: Marked
    problems: Problems


def validate(model: type[D], marked: Marked, context: Any = None) -> D | Problems:
    """The definition, or every problem found in it. `context` is handed to validators that ask for it."""
    problems = Problems(marked.problems)
    try:
        definition = model.model_validate(marked.value, context=context)
    except ValidationError as error:
        problems.extend(_problems(error, model, marked))
        return problems
    return problems if problems.errors else definition


def salvage(
    model: type[D],
    marked: Marked,
    context: Mapping[str, Any] | None = None,
    stand_ins: Mapping[str, Any] | None = None,
) -> Salvaged[D]:
    """Every problem of a file, and the definition without the parts that are wrong, so that what is right can be
    checked against other files all the same. With `problems.errors` it serves for nothing else.

    Args:
        stand_ins: what is taken for required keys that are wrong or missing, by key.
    """
    problems = Problems(marked.problems)
    right, only_unknown = marked, True
    for attempt in range(_ROUNDS):
        keep = _Salvage(context or {})
        written = right.value
        if attempt and isinstance(written, dict):
            written = {**(stand_ins or {}), **written}
        try:
            return Salvaged(model.model_validate(written, context=keep), right, problems)
        except ValidationError as error:
            fields_are_right = isinstance(keep.built, model)
            if attempt == 0 or (fields_are_right and only_unknown):
                problems.extend(_problems(error, model, right))
            if fields_are_right:
                return Salvaged(keep.built, right, problems)
            details = error.errors(include_url=False)
            only_unknown &= all(_is_needless_key(detail) for detail in details)
            left = right.without(_path(detail) for detail in details)
            if attempt and left.node is right.node:
                break
            right = left
    return Salvaged(None, right, problems)


def _problems(error: ValidationError, model: type[BaseModel], marked: Marked) -> Iterator[Problem]:
    for detail in error.errors(include_url=False):
        said = _say(detail, model).context or {}
        at_key = said["at_key"] or detail["loc"][-1:] == (_KEY,)
        yield marked.problem(_path(detail), said["what"], said["hint"], key=at_key)


def _path(detail: ErrorDetails) -> tuple[str | int, ...]:
    return detail["loc"][:-1] if detail["loc"][-1:] == (_KEY,) else detail["loc"]


def _is_needless_key(detail: ErrorDetails) -> bool:
    """Unknown, and no misspelling of one that is now not there."""
    said = detail.get("ctx", {})
    needless = said.get("what", "").startswith(_UNKNOWN_KEY) and not said.get("hint", "").startswith(MEANT)
    return detail["type"] == FAULT and needless


def load(model: type[D], text: str | bytes, file: str, context: Any = None) -> D | Problems:
    """`load_marked` and `validate` in one step."""
    marked = load_marked(text, file)
    return marked if isinstance(marked, Problems) else validate(model, marked, context)


def keys_of(model: type[BaseModel]) -> list[str]:
    """The keys an admin may write, in the order of the model."""
    return [field.alias or name for name, field in model.model_fields.items()]


def _telling(error: ValidationError, model: type[BaseModel]) -> list[ErrorDetails]:
    """Without "too short" for a list whose entries are there and wrong, and without "missing" for a key that is there
    and misspelt."""
    details = error.errors(include_url=False)
    misspelt = {
        _say(detail, model).context["hint"]  # type: ignore[index]
        for detail in details
        if detail["type"] == "extra_forbidden"
    }
    details = [
        detail for detail in details if not (detail["type"] == "missing" and meant(str(detail["loc"][-1])) in misspelt)
    ]
    parents = {detail["loc"][:depth] for detail in details for depth in range(len(detail["loc"]))}
    return [detail for detail in details if not (detail["type"] == "too_short" and detail["loc"] in parents)]


def _say(detail: ErrorDetails, model: type[BaseModel]) -> PydanticCustomError:
    """pydantic's error as a fault in plain words."""
    context = detail.get("ctx", {})
    kind, loc, value = detail["type"], detail["loc"], detail["input"]
    name = str(loc[-1]) if loc else "this"
    match kind:
        case _ if kind == FAULT:
            return fault(context["what"], context["hint"], at_key=context["at_key"])
        case "missing" if loc and isinstance(loc[-1], int):
            return fault("this list is too short", f"{loc[-1] + 1} entries belong here")
        case "missing":
            return fault(f"the key '{name}' is missing", f"add `{name}: …`")
        case "extra_forbidden":
            return fault(f"{_UNKNOWN_KEY} '{name[:60]}'", did_you_mean(name, keys_of(model)), at_key=True)
        case "literal_error" | "enum":
            return _choice(value, str(context.get("expected", "")))
        case "dict_type" | "mapping_type":
            return fault(f"{_kind(value)} stands where a map belongs", "write keys and values: {one: …, another: …}")
        case "model_type" | "model_attributes_type":
            return fault(f"{_kind(value)} stands where a map belongs", f"write keys: {listed(keys_of(model))}")
        case "list_type" | "tuple_type":
            return fault(f"{_kind(value)} stands where a list belongs", "write [a, b], or a line `- a` for each")
        case "string_type":
            return fault(f"{_kind(value)} stands where a text belongs", _empty_hint(value))
        case "value_error":
            what, _, hint = str(context.get("error", detail["msg"])).partition(": ")
            return fault(what, hint)
        case "string_too_short" | "too_short":
            return fault("this is empty or too short", f"at least {context.get('min_length')} needed")
        case "string_too_long" | "too_long":
            return fault("this is too long", f"at most {context.get('max_length')} allowed")
        case "greater_than_equal" | "greater_than" | "less_than_equal" | "less_than":
            limit = next(iter(context.values()), "")
            word = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}[next(iter(context))]
            return fault(f"{value} is out of range", f"write {word} {limit}")
        case "string_pattern_mismatch":
            return fault(f"{_shown(value)} is not written as it must be", f"its form is {context.get('pattern')}")
        case "int_parsing" | "int_type" | "int_from_float":
            return fault(f"{_shown(value)} is not a whole number", "write 0, 1, 2 …")
        case "float_parsing" | "float_type" | "decimal_parsing":
            return fault(f"{_shown(value)} is not a number", "write it like 5 or 0.5")
        case "bool_parsing" | "bool_type":
            return fault(f"{_shown(value)} is neither yes nor no", "write yes or no")
        case "union_tag_invalid" | "union_tag_not_found":
            key = str(context.get("discriminator", "type")).strip("'")
            known = str(context.get("expected_tags", "")).replace("'", "").split(", ")
            tag = str(context.get("tag", ""))
            return fault(
                f"{key} '{tag}' is unknown" if tag else f"the key '{key}' is missing", did_you_mean(tag, known)
            )
        case _:
            return fault(detail["msg"][:1].lower() + detail["msg"][1:])


def _choice(value: Any, expected: str) -> PydanticCustomError:
    known = [word.strip("' ") for word in expected.replace(" or ", ", ").split(", ")]
    what = "a value is missing here" if value is None else f"{_shown(value)} is not one of the choices"
    return fault(what, did_you_mean("" if value is None else str(value), known, what="choices"))


def _kind(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a map"
    return "a list" if isinstance(value, list | tuple) else f"the text {_shown(value)}"


def _shown(value: Any) -> str:
    text = str(value)
    return f"'{text}'" if len(text) <= 40 else f"'{text[:39]}…'"


def _empty_hint(value: Any) -> str:
    if value is None:
        return 'write the text; an unquoted # begins a comment: write "#"'
    return "put it in quotes if it is meant as text"
