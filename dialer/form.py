"""What an agent fills into a campaign's form: read field by field, kept as text that every system reads alike.

    text, choice   as it is                        money     12.50          1.250,00 € and 1,250 are read, too
    number         1250.5  (a point or a comma)    date      2026-12-01     datetime  2026-12-01T17:30, the site's time

What was read once is read again to the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal

from dialer.setup import FieldKind, FormField

LONGEST = 1_000
"""Characters of an answer."""
_NUMBER = re.compile(r"(-?)([0-9]{1,15})(?:[.,]([0-9]{1,9}))?")
_TWO_WAYS = re.compile(r"-?[1-9][0-9]{0,2}[.,][0-9]{3}")
"""1.250: a thousand and more, or a little over one."""
_CURRENCY = r"(?:[€$£¥]|US\$|R\$|[A-Za-zó]{3,8})?"
_MONEY = re.compile(rf"{_CURRENCY}\s*([0-9][0-9.,'\s]*?)\s*{_CURRENCY}")
_WHOLE = r"[0-9]{1,12}|[0-9]{1,3}(?:(?P<sep>[.,' ])[0-9]{3})(?:(?P=sep)[0-9]{3}){0,3}"
_AMOUNT = re.compile(rf"(?P<whole>{_WHOLE})(?:[.,](?P<cents>[0-9]{{1,2}}))?")


class _Unreadable(ValueError):
    """The message ends the sentence `'…' is no`."""


def read(form: Iterable[FormField], given: Mapping[str, str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """(the answers as they are kept, an empty one where nothing was answered; what is wrong with the others)."""
    fields = {field.name: field for field in form}
    answers: dict[str, str] = {}
    wrong: list[str] = []
    for name, written in given.items():
        field = fields.get(name)
        text = " ".join("".join(sign for sign in written if sign.isprintable() or sign.isspace()).split())
        if field is None:
            known = f"its fields are {', '.join(fields)}" if fields else "the campaign has none"
            wrong.append(f"the form has no field '{name[:40]}': {known}")
        elif len(text) > LONGEST:
            wrong.append(f"{name}: at most {LONGEST} characters are kept, these are {len(text)}")
        elif not text:
            answers[name] = ""
        else:
            try:
                answers[name] = _READ[field.kind](text, field)
            except _Unreadable as unread:
                wrong.append(f"{name}: '{text[:40]}' is no {unread}")
    return answers, tuple(wrong)


def missing(form: Iterable[FormField], answers: Mapping[str, str]) -> tuple[str, ...]:
    """The names of required fields without an answer."""
    return tuple(field.name for field in form if field.required and not answers.get(field.name))


def day_of(answer: str) -> date | None:
    """Of a `date` or a `datetime` that was read; None: there is none."""
    return datetime.fromisoformat(answer).date() if answer else None


def _text(text: str, field: FormField) -> str:
    return text


def _number(text: str, field: FormField) -> str:
    found = _NUMBER.fullmatch(text)
    if found is None:
        raise _Unreadable("number: write it like 1250 or 12.5")
    if _TWO_WAYS.fullmatch(text):
        plain = re.sub("[.,]", "", text)
        raise _Unreadable(f"number that can be read in one way alone: write {plain} or {text}0")
    sign, whole, part = found[1], str(int(found[2])), found[3]
    return f"{sign}{whole}.{part}" if part else f"{sign}{whole}" if whole != "0" else "0"


def _money(text: str, field: FormField) -> str:
    found = _MONEY.fullmatch(text)
    amount = _AMOUNT.fullmatch(found[1]) if found else None
    if amount is None or (amount["sep"] or "") == _decimal_sign(amount):
        raise _Unreadable("amount: write it like 1250.00")
    whole, cents = re.sub(r"[^0-9]", "", amount["whole"]), amount["cents"] or "0"
    return f"{Decimal(f'{whole}.{cents}'):.2f}"


def _decimal_sign(amount: re.Match[str]) -> str | None:
    return amount.string[amount.end("whole")] if amount["cents"] else None


def _date(text: str, field: FormField) -> str:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise _Unreadable("date: write it like 2026-12-01") from None
    return _sensible(found, found.isoformat())


def _datetime(text: str, field: FormField) -> str:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is not None or not re.search(r"[0-9][ T][0-9]", text):
        raise _Unreadable("date with an hour: write it like 2026-12-01T17:30")
    return _sensible(found.date(), f"{found:%Y-%m-%dT%H:%M}")


def _sensible(day: date, text: str) -> str:
    if not 1900 <= day.year <= 2200:
        raise _Unreadable("date of our times: look at the year")
    return text


def _choice(text: str, field: FormField) -> str:
    for choice in field.choices:
        if text == choice or text.casefold() == choice.casefold():
            return choice
    raise _Unreadable(f"choice: choose among {', '.join(field.choices)}")


_READ: Mapping[FieldKind, Callable[[str, FormField], str]] = {
    "text": _text,
    "number": _number,
    "money": _money,
    "date": _date,
    "datetime": _datetime,
    "choice": _choice,
}
