"""SIP as text: addresses a person types, headers of a message, what a status code means for her."""

from __future__ import annotations

import re

# RFC 3261 token characters; anything else in a header name would let a value write a header of its own.
_HEADER_NAME = re.compile(r"^[A-Za-z0-9.!%*_+`'~-]{1,64}$")
_ADDRESS = re.compile(r"^[\x21-\x7e]{1,512}$")
_FORBIDDEN_IN_ADDRESS = set('<>"\\^{}|`')

_HINTS = {
    401: "the secret is wrong",
    403: "the account or its secret is wrong, or this address may not use it",
    404: "there is nobody at that number, or no such account",
    407: "the secret is wrong",
    408: "nothing answers there: check host, port and transport, and that Asterisk runs",
    415: "the other side does not understand this body",
    480: "the other phone is not registered or does not answer",
    484: "the number is incomplete",
    486: "the other side is busy",
    487: "the call was given up before it was answered",
    488: "one side wants encrypted audio (srtp) and the other sends none, or they have no codec in common",
    502: "the connection failed: check host, port, transport and that Asterisk runs",
    503: "nothing listens there, or it is overloaded: check host, port and transport",
    603: "the other side declined",
}

_FROM_A_SERVER = {502: "bad gateway", 503: "service unavailable"}


def hint_for(code: int) -> str:
    """What a person can do about a SIP status; empty when nothing is wrong."""
    if code < 300:
        return ""
    return _HINTS.get(code, f"see the phone's log for the SIP messages of this {code}")


def hint_for_call(code: int, reason: str) -> str:
    """The same for a call. 502 and 503 under their own names came from a server that was reached; where it was not,
    the reason is the network's word for it."""
    if code == 403:
        return "this number may not be called from here, or by this account: `centralita explain last` says why"
    if reason.strip().lower() == _FROM_A_SERVER.get(code):
        return "this phone's connection works; the far end, or the carrier there, refused or cannot be reached"
    return hint_for(code)


def target_uri(dialled: str, host: str, port: int, transport: str) -> str:
    """`100`, `100@host`, `sip:100@host:5060;transport=tcp` as a full SIP URI; a bare number goes to the given host.

    Raises:
        ValueError: it is no address.
    """
    dialled = dialled.strip()
    if not _ADDRESS.match(dialled) or _FORBIDDEN_IN_ADDRESS & set(dialled):
        raise ValueError(f"{dialled[:60]!r} is no SIP address: write a number (100) or a URI (sip:100@127.0.0.1:5060)")
    if dialled.startswith(("sip:", "sips:")):
        if not dialled.split(":", 1)[1].strip("@"):
            raise ValueError(f"{dialled!r} names nobody: write sip:number@host")
        return dialled
    if re.match(r"^[A-Za-z][A-Za-z0-9+.-]*:(?!\d+(;|$))", dialled) and "@" in dialled:
        raise ValueError(f"{dialled!r}: only sip: and sips: addresses can be dialled")
    if "@" in dialled:
        return f"sip:{dialled}"
    return f"sip:{dialled.replace('#', '%23')}@{host_port(host, port)}{transport_suffix(transport)}"


def host_port(host: str, port: int) -> str:
    bracketed = f"[{host}]" if ":" in host and not host.startswith("[") else host
    return f"{bracketed}:{port}" if port else bracketed


def transport_suffix(transport: str) -> str:
    return "" if transport == "udp" else f";transport={transport}"


def check_header(name: str, value: str) -> None:
    """
    Raises:
        ValueError: the name is no header name, or the value holds control characters.
    """
    if not _HEADER_NAME.match(name):
        raise ValueError(f"{name[:60]!r} is no SIP header name")
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in value) or len(value) > 2000:
        raise ValueError(f"the value of {name} holds control characters or is longer than 2000")


def headers_of(message: str) -> dict[str, str]:
    """The headers of a raw SIP message, folded lines joined, repeated ones joined by comma; names as they came."""
    head = message.replace("\r\n", "\n").split("\n\n", 1)[0]
    found: dict[str, str] = {}
    name = ""
    for line in head.split("\n")[1:]:
        if line[:1] in (" ", "\t") and name:
            found[name] += " " + line.strip()
            continue
        name, colon, value = line.partition(":")
        name, value = name.strip(), value.strip()
        if not colon or not name:
            name = ""
            continue
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found
