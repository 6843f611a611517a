from pathlib import Path

import pytest
from pydantic import ValidationError

from telephony.node.settings import Device, Emergency, NodeSettings, Registration, Route, Trunk, new_secret

STATE = Path("/tmp/centralita-node")


def settings(**fields: object) -> NodeSettings:
    return NodeSettings.model_validate({"state_dir": STATE} | fields)


def test_a_node_is_closed_by_default():
    node = settings()
    assert str(node.bind) == "127.0.0.1"
    assert node.tls_port is None
    assert node.devices == node.trunks == ()
    assert len({node.secrets.ari_engine, node.secrets.ari_supervisor, node.secrets.ami}) == 3


def test_generated_secrets_differ_are_long_and_can_be_typed():
    secrets = {new_secret() for _ in range(100)}
    assert len(secrets) == 100
    assert all(len(secret) == 20 and not set(secret) & set("lo01") and secret.isalnum() for secret in secrets)


def test_secrets_do_not_appear_when_settings_are_shown():
    node = settings(devices=[Device(name="main-ana")])
    shown = repr(node) + str(node)
    assert node.devices[0].secret not in shown
    assert node.secrets.ari_engine not in shown


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("ana\n[intruder]", "secreto1"),
        ("ana]", "secreto1"),
        ("-ana", "secreto1"),
        ("", "secreto1"),
        ("ana luisa", "secreto1"),
        ("añá", "secreto1"),
        ("a" * 65, "secreto1"),
        ("ana", "short"),
        ("ana", "with;comment"),
        ("ana", "with\nnewline"),
        ("ana", "with space"),
        ("ana", "back\\slash"),
        ("ana", "contraseña"),
    ],
)
def test_names_and_secrets_that_could_leave_their_line_are_refused(name, secret):
    with pytest.raises(ValidationError):
        Device(name=name, secret=secret)


@pytest.mark.parametrize(
    "secret",
    [
        "abc=def",
        "[abc]def",
        "p@ss:w/rd!",
        "a,b|c&d>e",
        "1",
        "pw123",
        'a;b"c#1234',
        "contraseña1",
        "with space1",
        "#a\\",
    ],
)
def test_a_carriers_password_is_as_odd_or_short_as_it_likes(secret):
    assert Registration(username="u", password=secret).password == secret


@pytest.mark.parametrize(
    ("secret", "words"),
    [
        ("secreto\n[intruder]", "its character 8 is a line break"),
        ("a\rb", "its character 2 is a carriage return"),
        ("a\x00b", r"its character 2 is U\+0000"),
        ("a\u2028b", r"its character 2 is LINE SEPARATOR \(U\+2028\)"),
        ("secreto ", "begins or ends with a space"),
        ("", "is empty"),
        ("x" * 513, "more than 512"),
    ],
)
def test_a_carriers_password_that_cannot_stand_in_a_file_is_refused_with_its_reason(secret, words):
    with pytest.raises(ValidationError, match=words):
        Registration(username="u", password=secret)


@pytest.mark.parametrize("host", ["sip.example.com\nhost=evil", "sip.example.com;lr", "", "a b", "-x", "[::1]"])
def test_a_trunks_host_is_a_host(host):
    with pytest.raises(ValidationError):
        Trunk(name="main-carrier", host=host)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"state_dir": "var/node"}, "whole path"),
        ({"state_dir": "/tmp/a;b"}, "character"),
        ({"state_dir": "/tmp/" + "x" * 100}, "shorten"),
        ({"rtp_start": 20000, "rtp_end": 20001}, "leaves no room"),
        ({"sip_port": 8088}, "the same"),
        ({"sip_port": 10500}, "RTP range"),
        ({"tls_certificate": "/etc/x.pem"}, "go together"),
        ({"devices": [Device(name="a"), Device(name="a")]}, "twice"),
        ({"devices": [Device(name="a")], "trunks": [Trunk(name="a", host="h")]}, "twice"),
        ({"devices": [Device(name="global")]}, "something else"),
        ({"devices": [Device(name="ana-auth")]}, "something else"),
        ({"trunks": [Trunk(name="t", host="h", transport="tls")]}, "tls_port"),
        ({"overflow": Route(endpoint="nobody")}, "no device or trunk"),
        ({"trunks": [Trunk(name="t", host="h")], "overflow": Route(endpoint="t")}, "overflow.number"),
        ({"devices": [Device(name="a")], "emergency": Emergency(trunk="a")}, "is no trunk"),
        ({"languages": ()}, "languages"),
        ({"unknown": 1}, "unknown"),
        ({"apology": "a,b"}, "apology"),
        ({"apology": "x)\nexten => 1,1,Dial(PJSIP/1)"}, "apology"),
        ({"name": "a b"}, "name"),
        ({"http_port": 0}, "http_port"),
    ],
)
def test_what_does_not_fit_together_is_refused_with_the_reason(fields, words):
    with pytest.raises(ValidationError, match=words):
        settings(**fields)


def test_sdp_tells_the_bound_address_unless_every_address_is_bound():
    assert settings().rtp_address == "127.0.0.1"
    assert settings(bind="0.0.0.0").rtp_address is None
    assert settings(bind="0.0.0.0", media_address="192.0.2.7").rtp_address == "192.0.2.7"
    assert settings(bind="192.0.2.1", media_address="192.0.2.7").rtp_address == "192.0.2.7"


def test_settings_travel_as_json_and_come_back_the_same():
    node = settings(
        devices=[Device(name="main-ana", caller_name="Ana Muñoz", caller_number="+34911000111")],
        trunks=[Trunk(name="t", host="sip.example.com", registration=Registration(username="u", password="p=ssw]rd"))],
        recordings_dir="/tmp/recordings",
    )
    assert NodeSettings.model_validate_json(node.model_dump_json()) == node
