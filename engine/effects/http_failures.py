"""Why another system did not answer, in words for who reads a call's story: none of the libraries' own."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator

import httpx


def in_words(failure: BaseException, host: str, port: int | None) -> str:
    """`host`, `port`: who was asked."""
    if isinstance(failure, TimeoutError | httpx.TimeoutException):
        return "no reply in time"
    at = f"'{host}' at port {port}" if port else f"'{host}'"
    for each in _chain(failure):
        match each:
            case ssl.SSLCertVerificationError():
                return f"the certificate of {at} is not trusted: {each.verify_message or 'it cannot be verified'}"
            case ssl.SSLError():
                return f"no encrypted connection to {at}: it does not speak TLS as it must"
            case socket.gaierror():
                later = each.errno == socket.EAI_AGAIN
                return f"the name '{host}' {'cannot be looked up now' if later else 'is not found'}"
            case ConnectionRefusedError():
                return f"{at} refused the connection: nothing listens there"
            case ConnectionError():
                return f"{at} broke off the connection"
    match failure:
        case httpx.RemoteProtocolError() | httpx.ReadError() | httpx.WriteError():
            return f"{at} broke off the connection, or its reply is no HTTP"
        case httpx.NetworkError() | OSError():
            return f"{at} cannot be reached"
        case httpx.InvalidURL():
            return "the address is no URL"
    return "a fault in asking, which the engine's log tells"


def _chain(failure: BaseException) -> Iterator[BaseException]:
    """It and what it came from; libraries wrap one another's."""
    waiting = [failure]
    while waiting:
        each = waiting.pop()
        yield each
        waiting += each.exceptions if isinstance(each, BaseExceptionGroup) else ()
        if (before := each.__cause__ or each.__context__) is not None:
            waiting.append(before)
