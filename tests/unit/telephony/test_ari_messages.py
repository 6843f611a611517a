"""What Asterisk says: ours is understood, the rest ignored, the malformed named."""

from __future__ import annotations

import json

import pytest

from telephony.ari.messages import (
    EVENT_NAMES,
    ChannelDtmfReceived,
    RestRequest,
    RestResponse,
    StasisStart,
    decode,
    encode_request,
    seconds,
)

CHANNEL = {
    "id": "node-1-1795296136.0",
    "name": "PJSIP/main-ana-00000000",
    "state": "Ring",
    "protocol_id": "1-14928@127.0.0.1",
    "caller": {"name": "Ana", "number": "1001"},
    "connected": {"name": "", "number": ""},
    "dialplan": {"context": "arrivals", "exten": "s", "priority": 3, "app_name": "Stasis", "app_data": "x,arrived"},
    "creationtime": "2026-11-21T21:22:16.699+0000",
    "language": "es",
}


def said(type_: str, **fields: object) -> bytes:
    return json.dumps({"type": type_, "asterisk_id": "0", "application": "centralita", **fields}).encode()


def test_an_arrival() -> None:
    message = decode(said("StasisStart", args=["arrived", "100", "main-ana"], channel=CHANNEL))
    assert isinstance(message, StasisStart)
    assert (message.channel.id, message.channel.caller.number, message.args[1]) == (CHANNEL["id"], "1001", "100")


def test_a_digit() -> None:
    message = decode(said("ChannelDtmfReceived", digit="#", duration_ms=100, channel=CHANNEL))
    assert isinstance(message, ChannelDtmfReceived)
    assert message.digit == "#"


def test_a_response() -> None:
    message = decode(said("RESTResponse", request_id="7", status_code=204, reason_phrase="No Content"))
    assert message == RestResponse("7", 204, "No Content")


@pytest.mark.parametrize("type_", ["ChannelVarset", "BridgeMerged", "SomethingNew", ""])
def test_what_nobody_listens_to_is_ignored(type_: str) -> None:
    assert decode(said(type_, channel=CHANNEL)) is None


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"[]", b'"StasisStart"', b"\xff\xfe", said("StasisStart"), said("RESTResponse", request_id=7)],
)
def test_the_malformed_is_a_value_error(text: bytes) -> None:
    with pytest.raises(ValueError):
        decode(text)


def test_every_event_has_a_name_asterisk_uses() -> None:
    assert "StasisStart" in EVENT_NAMES
    assert len(set(EVENT_NAMES)) == len(EVENT_NAMES) == 16


def test_a_request_leaves_out_what_it_has_not() -> None:
    assert json.loads(encode_request(RestRequest("1", "GET", "channels"))) == {
        "type": "RESTRequest",
        "request_id": "1",
        "method": "GET",
        "uri": "channels",
    }


def test_time_is_utc_seconds() -> None:
    assert seconds("2026-01-01T00:00:00.500+0000") == 1_767_225_600.5
    assert seconds("2026-01-01T01:00:00.000+0100") == 1_767_225_600.0
    assert seconds("yesterday") == 0.0
