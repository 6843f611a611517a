"""A real server on loopback that behaves as badly as servers do."""

import asyncio
import contextlib
import json
import re
import socket
import ssl
import zlib
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from core.commands import SendHttp
from engine.effects.http import MAX_REPLY_BYTES, AllowedHost, HttpEffect, HttpRefused, _mapped

_packer = zlib.compressobj(9, wbits=31)
BOMB = b"".join(_packer.compress(bytes(1_000_000)) for _ in range(50)) + _packer.flush()
"""50 kB that unpack to 50 MB."""


class Server:
    def __init__(self):
        self.requests = []
        self.over = asyncio.Event()

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc):
        self._server.close()
        self.over.set()

    async def _serve(self, reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        path = head.split()[1]
        self.requests.append(head)
        replies = {
            "/ok": b'{"customer": {"name": "Ana", "balance": 120.5, "vip": true, "tags": ["a", "b"]}}',
            "/html": b"<html>no</html>",
            "/huge": b"x" * (MAX_REPLY_BYTES + 10),
        }
        if path == "/slow":
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.over.wait(), 60)
        elif path == "/redirect":
            writer.write(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/secret\r\nContent-Length: 0\r\n\r\n")
        elif path == "/missing":
            writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}")
        elif path == "/bomb":
            head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(BOMB)
            writer.write(head + BOMB)
        elif path == "/cut":
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        elif path in replies:
            body = replies[path]
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body)
        writer.close()


@pytest.fixture
async def server():
    async with Server() as running:
        yield running


@pytest.fixture
async def effect():
    http = HttpEffect({"localhost": AllowedHost("localhost", private=True, http=True, headers={"X-Token": "t"})})
    yield http
    await http.close()


def command(url, **more):
    return SendHttp("i-1", "r1", more.pop("method", "GET"), url, timeout_s=more.pop("timeout_s", 30.0), **more)


async def test_values_are_mapped_from_the_reply_and_the_hosts_headers_are_sent(server, effect):
    mapping = {"name": "customer.name", "balance": "customer.balance", "vip": "customer.vip", "tag": "customer.tags.1"}
    reply = await effect.ask(command(f"http://localhost:{server.port}/ok", mapping=mapping))
    assert reply.status == 200
    assert reply.values == {"name": "Ana", "balance": "120.5", "vip": "true", "tag": "b"}
    assert "x-token: t" in server.requests[0].lower()
    assert f"host: localhost:{server.port}" in server.requests[0].lower()


async def test_a_status_is_an_answer(server, effect):
    reply = await effect.ask(command(f"http://localhost:{server.port}/missing", mapping={"name": "customer.name"}))
    assert (reply.status, reply.error) == (404, "")


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/html", "not JSON"),
        ("/huge", "larger than"),
        ("/redirect", "not followed"),
        ("/cut", ""),
        ("/bomb", "compressed"),
    ],
)
async def test_a_bad_reply_is_an_error_in_words(server, effect, path, why):
    reply = await effect.ask(command(f"http://localhost:{server.port}{path}", mapping={"name": "customer.name"}))
    assert reply.status == 0
    assert reply.error
    assert why in reply.error


async def test_a_slow_host_costs_no_more_than_the_timeout(server, effect):
    async with asyncio.timeout(30):
        reply = await effect.ask(command(f"http://localhost:{server.port}/slow", timeout_s=0.2))
    assert reply.error == "no reply in time"


async def test_a_reply_that_unpacks_to_megabytes_is_not_unpacked(server, effect, monkeypatch):
    unpacked = []
    for decoder in ("GZipDecoder", "DeflateDecoder"):
        monkeypatch.setattr(
            f"httpx._decoders.{decoder}.decode", lambda self, packed: unpacked.append(packed) or b"", raising=True
        )
    reply = await effect.ask(command(f"http://localhost:{server.port}/bomb"))
    assert "compressed" in reply.error
    assert "accept-encoding: identity" in server.requests[-1].lower()
    assert unpacked == []


async def test_a_host_that_hangs_delays_no_other_host(server, effect, monkeypatch):
    monkeypatch.setattr("engine.effects.http.MAX_CONCURRENT", 3)
    effect.hosts = {**effect.hosts, "127.0.0.1": AllowedHost("127.0.0.1", private=True, http=True)}
    slow = [
        asyncio.create_task(effect.ask(command(f"http://localhost:{server.port}/slow", timeout_s=60.0)))
        for _ in range(150)
    ]
    await asyncio.sleep(0.1)
    reply = await effect.ask(command(f"http://127.0.0.1:{server.port}/ok", timeout_s=30.0))
    assert reply.status == 200
    for task in slow:
        task.cancel()
    await asyncio.gather(*slow, return_exceptions=True)


async def test_a_get_is_retried_and_a_post_never(server, effect):
    await effect.ask(command(f"http://localhost:{server.port}/cut", retries=2))
    assert len(server.requests) == 3
    await effect.ask(command(f"http://localhost:{server.port}/cut", retries=2, method="POST"))
    assert len(server.requests) == 4


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("https://evil.example/", "not in config/http.yaml"),
        ("http://127.0.0.1/", "not in config/http.yaml"),
        ("file:///etc/passwd", "not in config/http.yaml"),
        ("http://localhost@evil.example/", "not in config/http.yaml"),
        ("ftp://localhost/", "not allowed"),
        ("::::", "not in config/http.yaml"),
    ],
)
async def test_only_listed_hosts_are_ever_contacted(effect, url, why):
    assert why in (await effect.ask(command(url))).error


@pytest.mark.parametrize("port", ["99999", "card"])
@pytest.mark.parametrize("host", ["elsewhere.example", "localhost"])
async def test_a_port_that_is_none_is_an_error_and_no_silence(effect, host, port):
    reply = await effect.ask(command(f"https://{host}:{port}/ok"))
    assert reply.status == 0
    assert ("port" if host == "localhost" else "not in config/http.yaml") in reply.error


async def test_a_listed_name_that_points_inside_is_refused_unless_it_says_private(server):
    effect = HttpEffect({"localhost": AllowedHost("localhost", http=True)})
    reply = await effect.ask(command(f"http://localhost:{server.port}/ok"))
    assert "private address" in reply.error
    assert server.requests == []
    await effect.close()


async def test_send_reports_exactly_once(server, effect):
    reported, ended = [], []
    effect.send(command(f"http://localhost:{server.port}/ok"), reported.append, ended.append)
    async with asyncio.timeout(30):
        while not ended:
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)
    assert [event.status for event in reported] == [200]
    assert ended == ["200"]


def test_a_mapping_that_leads_nowhere_says_where():
    with pytest.raises(HttpRefused, match=r"customer\.name"):
        _mapped(json.dumps({"customer": []}).encode(), {"name": "customer.name"})


def test_a_reply_made_to_exhaust_the_parser_is_refused():
    with pytest.raises(HttpRefused):
        _mapped(b"[" * 200_000, {"name": "a"})


RAW = re.compile(r"Errno|\[|Error|_ssl|httpcore|attempts failed|SSL")


async def asked(effect, url):
    reply = await effect.ask(command(url))
    assert reply.status == 0
    assert not RAW.search(reply.error), reply.error
    return reply.error


async def test_who_is_not_there_is_told_in_words(server, effect, monkeypatch):
    async with Server() as another:
        free = another.port
    assert await asked(effect, f"http://localhost:{free}/") == (
        f"'localhost' at port {free} refused the connection: nothing listens there"
    )
    assert await asked(effect, f"http://localhost:{server.port}/cut") == (
        f"'localhost' at port {server.port} broke off the connection, or its reply is no HTTP"
    )

    async def nowhere(*_args, **_more):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", nowhere)
    assert await asked(effect, "http://localhost:80/") == "the name 'localhost' is not found"


async def test_who_does_not_speak_tls_is_told_in_words(effect):
    async def plainly(reader, writer):
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(plainly, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        why = await asked(effect, f"https://localhost:{port}/")
    assert why == f"no encrypted connection to 'localhost' at port {port}: it does not speak TLS as it must"


async def test_a_certificate_that_is_not_trusted_is_told_in_words(effect, tmp_path):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_signed(tmp_path))
    async with await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0, ssl=context) as listening:
        port = listening.sockets[0].getsockname()[1]
        why = await asked(effect, f"https://localhost:{port}/")
    assert why == f"the certificate of 'localhost' at port {port} is not trusted: self-signed certificate"


async def test_a_fault_of_ours_names_no_class(effect, monkeypatch):
    async def fails(*_args):
        raise LookupError("0600123123")

    monkeypatch.setattr(effect, "_once", fails)
    assert await asked(effect, "http://localhost:80/") == "a fault in asking, which the engine's log tells"


def self_signed(folder):
    key = ec.generate_private_key(ec.SECP256R1())
    name, now = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")]), datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(1), now + timedelta(1))
    file = folder / "localhost.pem"
    plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    file.write_bytes(
        builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, *plain)
    )
    return file
