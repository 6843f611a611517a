"""SIP as a browser's phone speaks it: over a WebSocket, with an offer of encrypted audio. It has no audio."""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets

from websockets.asyncio.client import ClientConnection

FINGERPRINT = ":".join(f"{byte:02X}" for byte in hashlib.sha256(b"a browser's certificate").digest())
OFFER = f"""v=0
o=- 1 1 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0
m=audio 9 UDP/TLS/RTP/SAVPF 111 8
c=IN IP4 0.0.0.0
a=rtcp:9 IN IP4 0.0.0.0
a=ice-ufrag:abcd
a=ice-pwd:abcdefghijklmnopqrstuvwx
a=fingerprint:sha-256 {FINGERPRINT}
a=setup:actpass
a=mid:0
a=sendrecv
a=rtcp-mux
a=rtpmap:111 opus/48000/2
a=rtpmap:8 PCMA/8000
""".replace("\n", "\r\n")


class Browser:
    """SIP over a WebSocket as JsSIP writes it: register, then call."""

    def __init__(self, socket: ClientConnection, name: str, secret: str) -> None:
        self._socket = socket
        self._name, self._secret = name, secret
        self._host = f"{secrets.token_hex(5)}.invalid"

    async def request(self, method: str, uri: str, body: str = "", timeout_s: float = 20.0) -> tuple[int, str]:
        """The final answer; a challenge is met once."""
        call_id, tag, cseq, login = secrets.token_hex(8), secrets.token_hex(4), 1, ""
        while True:
            await self._socket.send(self._message(method, uri, call_id, tag, cseq, login, body))
            async with asyncio.timeout(timeout_s):
                code, text = await self._answer()
            if code != 401 or login:
                return code, text
            login, cseq = self._login(method, uri, text), cseq + 1

    async def _answer(self) -> tuple[int, str]:
        while True:
            text = str(await self._socket.recv())
            status = re.match(r"SIP/2\.0 (\d{3})", text)
            if status and int(status[1]) >= 200:
                return int(status[1]), text

    def _message(self, method: str, uri: str, call_id: str, tag: str, cseq: int, login: str, body: str) -> str:
        name = self._name
        to = f"<sip:{name}@centralita.test>" if method == "REGISTER" else f"<{uri}>"
        kind = "Content-Type: application/sdp\r\n" if body else ""
        return (
            f"{method} {uri} SIP/2.0\r\nVia: SIP/2.0/WS {self._host};branch=z9hG4bK{secrets.token_hex(6)}\r\n"
            f"Max-Forwards: 69\r\nTo: {to}\r\nFrom: <sip:{name}@centralita.test>;tag={tag}\r\nCall-ID: {call_id}\r\n"
            f"CSeq: {cseq} {method}\r\nContact: <sip:{name}@{self._host};transport=ws>;expires=120\r\n"
            f"{login}{kind}Content-Length: {len(body)}\r\n\r\n{body}"
        )

    def _login(self, method: str, uri: str, challenge: str) -> str:
        asked = dict(re.findall(r'(realm|nonce|opaque)="([^"]*)"', challenge))
        user, realm, nonce = self._name, asked["realm"], asked["nonce"]

        def md5(text: str) -> str:
            return hashlib.md5(text.encode()).hexdigest()

        secret = md5(f"{user}:{realm}:{self._secret}")
        proof = md5(f"{secret}:{nonce}:00000001:c:auth:{md5(f'{method}:{uri}')}")
        return (
            f'Authorization: Digest username="{user}", realm="{realm}", nonce="{nonce}", uri="{uri}", '
            f'response="{proof}", algorithm=MD5, cnonce="c", qop=auth, nc=00000001, '
            f'opaque="{asked.get("opaque", "")}"\r\n'
        )
