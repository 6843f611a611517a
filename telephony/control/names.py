"""What may be written into a request to Asterisk: anything else is refused before it is sent.

Endpoints are dial strings and channel variables are expressions in Asterisk, so a number with a stray `&`,
`/` or `(` could dial somebody else or run a dialplan function.
"""

from __future__ import annotations

import re

from core.errors import CommandRefused

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}")
_NUMBER = re.compile(r"\+?[0-9A-Za-z*#][0-9A-Za-z*#._-]{0,63}")
_CALLER = re.compile(r"\+?[0-9*#]{0,32}")
_NO_CALLER = re.compile(r"[^0-9A-Za-z*#+._-]")
_DIGITS = re.compile(r"[0-9A-Da-d*#wW]{1,64}")
_ID = re.compile(r"[!-~]{1,150}")
_UNSAFE_IN_FILE = re.compile(r"[^A-Za-z0-9_.-]")

_MEANT_OTHERWISE = frozenset('"<>\\;&$[]{}')

LONGEST_FILE_NAME = 200
LONGEST_CALLER_NAME = 80
LONGEST_CALLER_NUMBER = 32
TERMINATORS = {"": "none", "none": "none", "any": "any", "#": "#", "*": "*"}


def pjsip_endpoint(endpoint: str) -> str:
    """`device:1001` -> `PJSIP/1001`; `trunk:main/+3491` -> `PJSIP/+3491@main`; a phone of another node,
    `relay:node-2/1001` -> `PJSIP/1001@relay-node-2`.

    Raises:
        CommandRefused: neither form, or a character that means something else to Asterisk.
    """
    kind, _, rest = endpoint.partition(":")
    if kind == "device" and _NAME.fullmatch(rest):
        return f"PJSIP/{rest}"
    if kind == "relay":
        node, _, device = rest.partition("/")
        if _NAME.fullmatch(node) and _NAME.fullmatch(device):
            return f"PJSIP/{device}@relay-{node}"
    if kind == "trunk":
        trunk, _, number = rest.partition("/")
        if _NAME.fullmatch(trunk) and _NUMBER.fullmatch(number):
            return f"PJSIP/{number}@{trunk}"
    raise CommandRefused(
        f"cannot dial {without_number(endpoint)}: it must be device:NAME, relay:NODE/NAME or trunk:NAME/NUMBER"
    )


def without_number(endpoint: str) -> str:
    """For messages: who is called over a trunk is nobody's business in a log."""
    place, slash, number = endpoint.partition("/")
    return repr(f"{place}/({len(number)} characters)" if slash else place)


def caller_id(number: str, name: str, endpoint: str) -> str:
    """`"name" <number>`, or the number alone: whom the leg at `endpoint` is shown.

    A caller writes what she likes, and who withholds her number is called `anonymous`: letters are shown to phones as
    they are, and to nobody over a trunk, where the line's own number stands then. What means something else in a header
    is left out.
    """
    plain = "".join(letter for letter in name if letter.isprintable() and letter not in _MEANT_OTHERWISE)
    shown = " ".join(plain.split())[:LONGEST_CALLER_NAME]
    if not _CALLER.fullmatch(number):
        number = "" if endpoint.startswith("trunk:") else _NO_CALLER.sub("", number)[:LONGEST_CALLER_NUMBER]
        return f'"{shown or number}" <{number}>' if number else f'"{shown}" <>' if shown else ""
    return f'"{shown}" <{number}>' if shown else number


def digits(text: str) -> str:
    """Raises CommandRefused unless these are DTMF digits (`w` waits half a second)."""
    if not _DIGITS.fullmatch(text):
        raise CommandRefused("digits to send may be 0-9, A-D, *, # and w only")
    return text


def music_class(name: str) -> str:
    """Raises CommandRefused when it cannot be the name of a music class."""
    if not _NAME.fullmatch(name):
        raise CommandRefused(f"{name!r} cannot be the name of a music class: letters, digits, _ - . only")
    return name


def identifier(text: str) -> str:
    """Raises CommandRefused unless it can be an id in a request: printable ASCII without spaces."""
    if not _ID.fullmatch(text):
        raise CommandRefused(f"{text!r} cannot be an id: use up to 150 printable ASCII characters without spaces")
    return text


def terminator(text: str) -> str:
    """What ends a recording, in ARI's word. Raises CommandRefused."""
    if text not in TERMINATORS:
        raise CommandRefused(f"a recording can end by '#', '*', 'any' or no digit, not by {text!r}")
    return TERMINATORS[text]


def file_name(recording_id: str) -> str:
    """A file name for the id, the same for the same id, different for different ones; never hidden, never a path.

    Raises CommandRefused when it cannot be one.
    """
    name = "r-" + _UNSAFE_IN_FILE.sub(lambda found: f"={ord(found[0]):02x}", identifier(recording_id))
    if len(name) > LONGEST_FILE_NAME:
        raise CommandRefused(f"the id {recording_id!r} is too long for a file name: use letters, digits, . _ and -")
    return name
