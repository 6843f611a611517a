"""Addresses, headers and hints."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.softphone.sip_text import check_header, headers_of, hint_for, hint_for_call, target_uri


@pytest.mark.parametrize(
    ("dialled", "uri"),
    [
        ("100", "sip:100@127.0.0.1:5070"),
        (" +34911234567 ", "sip:+34911234567@127.0.0.1:5070"),
        ("*9#", "sip:*9%23@127.0.0.1:5070"),
        ("100@pbx.example", "sip:100@pbx.example"),
        ("sip:100@10.0.0.1:5060;transport=tcp", "sip:100@10.0.0.1:5060;transport=tcp"),
        ("sips:100@pbx.example", "sips:100@pbx.example"),
    ],
)
def test_what_is_dialled_becomes_an_address(dialled, uri):
    assert target_uri(dialled, "127.0.0.1", 5070, "udp") == uri


def test_a_number_goes_over_the_accounts_transport_and_to_its_host():
    assert target_uri("100", "::1", 5061, "tls") == "sip:100@[::1]:5061;transport=tls"
    assert target_uri("100", "pbx", 0, "tcp") == "sip:100@pbx;transport=tcp"


@pytest.mark.parametrize("dialled", ["", " ", "a b", "sip:", "sip:@", "<sip:1@h>", "1\r\nX: y", "mailto:a@b", "ñ"])
def test_what_is_no_address_is_refused(dialled):
    with pytest.raises(ValueError):
        target_uri(dialled, "127.0.0.1", 5060, "udp")


@given(st.text(max_size=40))
def test_no_text_slips_a_line_into_the_message(dialled):
    try:
        uri = target_uri(dialled, "127.0.0.1", 5060, "udp")
    except ValueError:
        return
    assert uri.startswith(("sip:", "sips:"))
    assert uri.isascii()
    assert not any(letter.isspace() or letter in '<>"' for letter in uri)


def test_a_header_with_a_line_break_is_refused():
    check_header("X-Account", "1000")
    for name, value in [("X-Account", "1\r\nEvil: yes"), ("X Account", "1"), ("", "1"), ("X:", "1"), ("X", "\0")]:
        with pytest.raises(ValueError):
            check_header(name, value)


def test_headers_are_read_folded_and_repeated():
    message = (
        "INVITE sip:1000@h SIP/2.0\r\nVia: a\r\nVia: b\r\nX-Centralita:hola\r\nSubject: one\r\n two\r\n\r\n"
        "v=0\r\nX-Not: a header\r\n"
    )
    assert headers_of(message) == {"Via": "a, b", "X-Centralita": "hola", "Subject": "one two"}


@given(st.text(max_size=200))
def test_any_message_gives_headers(message):
    assert isinstance(headers_of(message), dict)


def test_hints_are_for_what_went_wrong():
    assert hint_for(200) == ""
    assert "secret" in hint_for(401)
    assert "499" in hint_for(499)


def test_a_call_that_is_forbidden_is_about_its_number_first():
    assert "this number may not be called" in hint_for_call(403, "Forbidden")
    assert "secret" in hint_for(403)
