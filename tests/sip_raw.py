"""SIP by hand over UDP, for what no real phone would send."""

from __future__ import annotations

import contextlib
import hashlib
import re
import secrets
import socket
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Reply:
    code: int
    text: str

    def header(self, name: str) -> str:
        match = re.search(rf"^{name}:\s*(.*?)\s*$", self.text, re.IGNORECASE | re.MULTILINE)
        return match[1] if match else ""


class RawSip:
    """A socket at `source` that talks to one SIP server.

    with RawSip(5060) as sip:
        assert sip.request("OPTIONS", "sip:127.0.0.1").code == 200
    """

    def __init__(self, port: int, source: str = "127.0.0.1") -> None:
        self._server = ("127.0.0.1", port)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((source, 0))
        self.source = source
        self.port = int(self._socket.getsockname()[1])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._socket.close()

    def send(self, data: bytes) -> None:
        self._socket.sendto(data, self._server)

    def request(self, method: str, uri: str, *, user: str = "nobody", headers: str = "", body: str = "") -> Reply:
        """Sends it and returns the first final answer. Raises TimeoutError after 30 s without one."""
        self.send(self.message(method, uri, user=user, headers=headers, body=body))
        return self.answer()

    def message(self, method: str, uri: str, *, user: str = "nobody", headers: str = "", body: str = "") -> bytes:
        here = f"{self.source}:{self.port}"
        kind = "Content-Type: application/sdp\r\n" if body else ""
        return (
            f"{method} {uri} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {here};branch=z9hG4bK{secrets.token_hex(8)};rport\r\n"
            f"From: <sip:{user}@{here}>;tag={secrets.token_hex(4)}\r\n"
            f"To: <{uri}>\r\n"
            f"Call-ID: {secrets.token_hex(8)}\r\n"
            f"CSeq: 1 {method}\r\n"
            f"Contact: <sip:{user}@{here}>\r\n"
            "Max-Forwards: 70\r\n"
            f"{headers}{kind}"
            f"Content-Length: {len(body.encode())}\r\n\r\n{body}"
        ).encode()

    def answer(self, timeout_s: float = 30.0) -> Reply:
        self._socket.settimeout(timeout_s)
        while True:
            text = self._socket.recv(65535).decode(errors="replace")
            match = re.match(r"SIP/2\.0 (\d{3})", text)
            if match and int(match[1]) >= 200:
                return Reply(int(match[1]), text)


class Registrar:
    """Asks one REGISTER after the other for the digest of a password, at a port of its own on loopback."""

    def __init__(self, user: str, password: str) -> None:
        self._user, self._password = user, password
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])

    def close(self) -> None:
        self._socket.close()

    def is_convinced(self, timeout_s: float = 30.0) -> bool:
        """Whether the first digest that comes is that of the password. Raises TimeoutError without one."""
        self._socket.settimeout(timeout_s)
        while (right := self._heard()) is None:
            pass
        return right

    def serve(self) -> None:
        """Answers until it is closed."""
        with contextlib.suppress(OSError):
            while True:
                self._heard()

    def _heard(self) -> bool | None:
        """Whether the next message holds the right digest; None when it holds none."""
        data, peer = self._socket.recvfrom(65535)
        text = data.decode(errors="replace")
        if not text.startswith("REGISTER "):
            return None
        digest = text.partition("Authorization: Digest ")[2].partition("\r")[0]
        given = dict(re.findall(r'(\w+)="?([^",]+)"?', digest))
        if not given:
            asked = 'WWW-Authenticate: Digest realm="registrar", nonce="abc", algorithm=MD5\r\n'
            self._socket.sendto(answer(text, "401 Unauthorized", asked), peer)
            return None
        ha1 = _md5(f"{self._user}:registrar:{self._password}")
        right = given["response"] == _md5(f"{ha1}:abc:{_md5('REGISTER:' + given['uri'])}")
        self._socket.sendto(answer(text, "200 OK" if right else "403 Forbidden"), peer)
        return right


def answer(request: str, status: str, headers: str = "") -> bytes:
    kept = re.findall(r"^(?:Via|From|To|Call-ID|CSeq|Contact): .*\r\n", request, re.MULTILINE | re.IGNORECASE)
    return f"SIP/2.0 {status}\r\n{''.join(kept)}{headers}Expires: 600\r\nContent-Length: 0\r\n\r\n".encode()


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def offer(address: str = "127.0.0.1", port: int = 40000) -> str:
    """An SDP offer of G.711."""
    return (
        f"v=0\r\no=- 1 1 IN IP4 {address}\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\n"
        f"m=audio {port} RTP/AVP 8 0 101\r\na=rtpmap:101 telephone-event/8000\r\n"
    )
