"""Lines to the phone: what is understood, and what is said about the rest."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.softphone import protocol as p


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ('{"do": "call", "uri": "100"}', p.Dial(uri="100")),
        ('{"do": "call", "uri": "100", "call": "c1", "id": 7}', p.Dial(uri="100", call="c1", id=7)),
        ('{"do": "dtmf", "digits": "12#*A"}', p.Dtmf(digits="12#*A")),
        ('{"do": "auto_answer", "after_ms": "off"}', p.AutoAnswer(after_ms="off")),
        ('{"do": "auto_answer", "code": 486}', p.AutoAnswer(code=486)),
        ('{"do": "hangup"}', p.Hangup()),
        ('{"do": "register", "account": "1000", "transport": "tls"}', p.Register(account="1000", transport="tls")),
    ],
)
def test_commands_are_read(line, command):
    assert p.decode(line.encode()) == command


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("hello", "this is not JSON"),
        ("[1, 2]", "a command is an object, not list"),
        ("{}", "no such command: None"),
        ('{"do": "cal"}', "did you mean 'call'"),
        ('{"do": 5}', "no such command: 5"),
        ('{"do": "call"}', "required field `uri`"),
        ('{"do": "call", "uri": 100}', "call takes uri"),
        ('{"do": "call", "uri": "100", "colour": "red"}', "colour"),
        ('{"do": "dtmf", "digits": "12x"}', "digits"),
        ('{"do": "dtmf", "digits": ""}', "digits"),
        ('{"do": "register", "account": "1000", "port": 70000}', "port"),
        ('{"do": "register", "account": "evil>\\r\\nX: y"}', "account"),
        ('{"do": "auto_answer", "after_ms": -1}', "after_ms"),
        ('{"do": "answer", "code": 99}', "code"),
    ],
)
def test_what_is_wrong_is_said_with_what_to_write(line, says):
    with pytest.raises(p.BadLine) as refused:
        p.decode(line.encode())
    assert says in str(refused.value)
    assert refused.value.hint


def test_the_id_of_a_bad_command_comes_back():
    with pytest.raises(p.BadLine) as refused:
        p.decode(b'{"do": "call", "id": 12}')
    assert refused.value.command_id == 12


@given(st.binary(max_size=300))
def test_no_bytes_raise_anything_but_bad_line(line):
    with contextlib.suppress(p.BadLine):
        p.decode(line)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.dictionaries(
        st.sampled_from(["do", "id", "call", "uri", "digits", "after_ms", "path", "to", "headers", "code"]),
        _json | st.sampled_from(["call", "dtmf", "hangup", "answer", "transfer", "play", "100"]),
    )
)
def test_no_object_raises_anything_but_bad_line(fields):
    with contextlib.suppress(p.BadLine):
        p.decode(json.dumps(fields).encode())


def test_deep_nesting_is_bad_and_no_crash():
    with pytest.raises(p.BadLine):
        p.decode(b"[" * 100_000)
