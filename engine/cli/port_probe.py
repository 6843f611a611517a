"""Whether a port that we want is free, here and on the machine's other addresses, as `up` will find it."""

from __future__ import annotations

import socket
from typing import Literal, NamedTuple

EVERYWHERE = "0.0.0.0"  # noqa: S104 - looked at for a moment, served by nobody


class Wanted(NamedTuple):
    """`address`: where `up` binds it; `on_the_lan`: elsewhere too, when `up --lan` is asked."""

    what: str
    key: str
    port: int
    kind: socket.SocketKind
    address: str
    on_the_lan: bool = False


def probe(wanted: Wanted) -> tuple[Literal["ok", "warning", "wrong"], str, str]:
    """The verdict, what is so, and what to do about it."""
    mend = f"stop what uses it (ss -lnp | grep :{wanted.port}), or change {wanted.key} in config/site.yaml"
    if why := _taken(wanted, wanted.address):
        return "wrong", f"wanted for {wanted.what}: {why}", mend
    if wanted.on_the_lan and (why := _taken(wanted, EVERYWHERE)):
        return "warning", f"free on {wanted.address} for {wanted.what}, not on every address: {why} (up --lan)", mend
    return "ok", f"free for {wanted.what}", ""


def _taken(wanted: Wanted, address: str) -> str:
    """Why it cannot be had; empty: it can."""
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, wanted.kind) as one:
        if wanted.kind is socket.SOCK_STREAM:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind((address, wanted.port))
            if wanted.kind is socket.SOCK_STREAM:
                one.listen()
        except OSError as failure:
            return failure.strerror or str(failure)
    return ""
