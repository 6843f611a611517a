"""Passwords that a carrier gave, in Asterisk's files.

Asterisk reads a line up to the first `;`, takes the backslash from every `\\;`, and strips spaces (any byte up to 32)
around a value. Everything else on the right of the `=` stays as it is: quotes, `#`, `=`, brackets, spaces inside,
other backslashes, UTF-8. So only what breaks a line, or is stripped from it, cannot be held.
"""

from __future__ import annotations

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, Field

LONGEST = 512


def unfit(password: str) -> str:
    """Why Asterisk's files cannot hold it, in words that do not show it; empty when they can."""
    for place, character in enumerate(password, 1):
        if not character.isprintable():
            return f"its character {place} is {_named(character)}, which does not print"
    if password != password.strip(" "):
        return "it begins or ends with a space, which Asterisk would take off"
    if not password:
        return "it is empty"
    if len(password) > LONGEST:
        return f"it has {len(password)} characters, more than {LONGEST}"
    return ""


def escaped(password: str) -> str:
    """As it is written on the right of an `=`."""
    return password.replace(";", "\\;")


def _named(character: str) -> str:
    known = {"\n": "a line break", "\r": "a carriage return", "\t": "a tab"}
    code = f"U+{ord(character):04X}"
    name = known.get(character) or unicodedata.name(character, "")
    return f"{name} ({code})" if name else code


def _held(password: str) -> str:
    if why := unfit(password):
        raise ValueError(why)
    return password


CarrierPassword = Annotated[str, AfterValidator(_held), Field(repr=False)]
