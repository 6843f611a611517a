import re
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from telephony.ami.client import ACTIONS
from telephony.node.carrier_password import escaped
from telephony.node.errors import UnsafeValue
from telephony.node.installation import Installation
from telephony.node.render import render
from telephony.node.settings import (
    Account,
    Device,
    Emergency,
    Music,
    NodeSettings,
    Registration,
    Route,
    Tones,
    Trunk,
)

INSTALLATION = Installation(
    binary=Path("/usr/sbin/asterisk"),
    version="22.10.1",
    modules_dir=Path("/usr/lib/asterisk/modules"),
    data_dir=Path("/usr/share/asterisk"),
    modules=frozenset({"codec_g722.so"}),
)


def everything(state_dir: Path) -> NodeSettings:
    return NodeSettings(
        state_dir=state_dir,
        tls_port=5061,
        external_address="203.0.113.9",
        local_networks=("192.168.0.0/16",),
        devices=(
            Device(name="main-ana", secret="secreto-1", caller_name="Ana Muñoz", caller_number="911", language="en"),
            Device(name="main-luis", transport="tls", srtp=True, context="bench"),
        ),
        trunks=(
            Trunk(
                name="main-carrier",
                host="sip.example.com",
                transport="tls",
                registration=Registration(username="34911", password="x=y[z]"),
                outbound_proxy="proxy.example.com",
                from_user="34911",
                from_domain="example.com",
                caller_number="+34911000111",
            ),
            Trunk(
                name="main-peer",
                host="198.51.100.4",
                match=("198.51.100.0/28",),
                inbound_auth=Account(username="peer", password="peerpass"),
                outbound_auth=Account(username="us", password="uspass"),
                dialled_from="to",
            ),
        ),
        overflow=Route(endpoint="main-peer", number="911222333"),
        emergency=Emergency(trunk="main-peer", numbers=("112", "091")),
    )


def sections(path: Path) -> dict[str, list[dict[str, str]]]:
    """Asterisk's own reading of a file: name -> its sections (PJSIP uses a name several times)."""
    found: dict[str, list[dict[str, str]]] = {}
    current: dict[str, str] = {}
    for raw in path.read_text(encoding="utf-8").splitlines():
        line = re.split(r"(?<!\\);", raw)[0].strip().replace("\\;", ";")
        if header := re.fullmatch(r"\[([^\]]+)\]", line):
            current = {}
            found.setdefault(header[1], []).append(current)
        elif line:
            key, _, value = line.partition("=")
            current[key.strip()] = value.removeprefix(">").strip()
    return found


def as_asterisk_reads(line: str) -> tuple[str, str]:
    """What `process_text_line` of Asterisk's config.c makes of a line: comments off, then both sides stripped."""
    kept, rest = "", line
    while ";" in rest:
        before, _, after = rest.partition(";")
        if not before.endswith("\\"):
            rest = before
            break
        kept, rest = f"{kept}{before[:-1]};", after
    key, _, value = (kept + rest).partition("=")
    blanks = "".join(map(chr, range(33)))
    return key.strip(blanks), value.strip(blanks)


def of_type(path: Path, name: str, kind: str) -> dict[str, str]:
    return next(section for section in sections(path)[name] if section["type"] == kind)


@pytest.fixture
def etc(tmp_path: Path) -> Path:
    return render(everything(tmp_path / "node"), INSTALLATION).parent


def test_every_file_is_private_and_none_is_left_half_written(etc: Path):
    assert {path.name for path in etc.iterdir()} >= {
        "asterisk.conf",
        "pjsip.conf",
        "extensions.conf",
        "tls.key",
        "hosts",
    }
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in etc.iterdir())
    assert not list(etc.glob(".*"))


def test_nothing_is_undefined_or_left_unrendered(etc: Path):
    for path in etc.glob("*.conf"):
        text = path.read_text(encoding="utf-8")
        assert "{{" not in text
        assert "{%" not in text
        assert "None" not in text, path
        assert not re.search(r"=\s*(True|False)\b", text), path


def test_every_endpoint_is_closed_to_transfers_and_subscriptions_and_keeps_media_here(etc: Path):
    endpoints = [section for group in sections(etc / "pjsip.conf").values() for section in group]
    endpoints = [section for section in endpoints if section.get("type") == "endpoint"]
    assert len(endpoints) == 4
    for endpoint in endpoints:
        assert endpoint["allow_transfer"] == endpoint["allow_subscribe"] == endpoint["direct_media"] == "no"
        assert endpoint["context"] in {"devices", "trunks", "trunks-to", "bench"}
        assert "auth" in endpoint or endpoint["identify_by"] == "ip"


def test_there_is_no_anonymous_endpoint(etc: Path):
    assert "anonymous" not in sections(etc / "pjsip.conf")
    assert "identifier_anonymous.so" not in (etc / "modules.conf").read_text(encoding="utf-8").replace("Not here", "")


def test_a_device_has_an_endpoint_an_account_and_a_place_to_register(etc: Path):
    pjsip = etc / "pjsip.conf"
    assert of_type(pjsip, "main-ana", "endpoint")["callerid"] == "Ana Muñoz <911>"
    assert of_type(pjsip, "main-ana", "endpoint")["language"] == "en"
    assert of_type(pjsip, "main-ana-auth", "auth")["password"] == "secreto-1"
    assert of_type(pjsip, "main-ana", "aor")["max_contacts"] == "1"
    assert of_type(pjsip, "main-luis", "endpoint")["media_encryption"] == "sdes"


def test_a_trunk_hides_no_caller_behind_our_number_and_tells_no_carrier_who_answered(etc: Path):
    for name in ("main-carrier", "main-peer"):
        trunk = of_type(etc / "pjsip.conf", name, "endpoint")
        assert "callerid" not in trunk
        assert trunk["send_connected_line"] == "no"


def test_a_registering_trunk_registers_and_is_known_by_its_line_not_by_its_name(etc: Path):
    pjsip = etc / "pjsip.conf"
    registration = of_type(pjsip, "main-carrier-registration", "registration")
    assert registration["server_uri"] == "sip:sip.example.com:5060;transport=tls"
    assert registration["line"] == "yes"
    assert registration["outbound_proxy"] == "sip:proxy.example.com;transport=tls;lr"
    assert of_type(pjsip, "main-carrier-out", "auth")["password"] == "x=y[z]"
    assert "main-carrier-identify" not in sections(pjsip)


@given(
    st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), min_size=1, max_size=30).filter(
        lambda text: text.isprintable() and text == text.strip(" ")
    )
)
@example("a;b")
@example("\\;\\\\;--;\\")
@example("#[=>")
def test_a_carriers_password_reaches_asterisk_as_it_is(password: str):
    line = f"password = {escaped(password)}"
    assert as_asterisk_reads(line) == ("password", password)


def test_a_trunk_without_registration_is_known_by_its_addresses(etc: Path):
    pjsip = etc / "pjsip.conf"
    assert of_type(pjsip, "main-peer-identify", "identify")["match"] == "198.51.100.0/28"
    assert of_type(pjsip, "main-peer", "endpoint")["auth"] == "main-peer-auth"
    assert of_type(pjsip, "main-peer", "endpoint")["context"] == "trunks-to"


def test_http_and_ami_stay_on_loopback_whatever_sip_binds(tmp_path: Path):
    node = NodeSettings(state_dir=tmp_path / "node", bind="0.0.0.0")
    etc = render(node, INSTALLATION).parent
    assert sections(etc / "http.conf")["general"][0]["bindaddr"] == "127.0.0.1"
    assert sections(etc / "manager.conf")["general"][0]["bindaddr"] == "127.0.0.1"
    assert of_type(etc / "pjsip.conf", "transport-udp", "transport")["bind"] == "0.0.0.0:5060"


def test_ami_has_no_class_that_dials_runs_or_rewrites(etc: Path):
    user = sections(etc / "manager.conf")["centralita"][0]
    assert user["write"] == "system"
    assert sorted(user["read"].split(",")) == ["reporting", "system"]


CLASSES = {
    "CoreSettings": {"system", "reporting"},
    "CoreStatus": {"system", "reporting"},
    "DBDel": {"system"},
    "Filter": {"system"},
    "MixMonitor": {"system"},
    "MixMonitorMute": {"system", "call"},
    "PJSIPQualify": {"system", "reporting"},
    "PJSIPRegister": {"system", "reporting"},
    "PJSIPShowContacts": {"system"},
    "PJSIPShowEndpoint": {"system"},
    "PJSIPShowRegistrationsOutbound": {"system", "reporting"},
    "Reload": {"config", "system"},
    "StopMixMonitor": {"system", "call"},
}
"""As Asterisk registers the actions that we ask for; any one of its classes allows an action."""


def test_the_one_class_that_ami_may_write_is_needed_and_enough(etc: Path):
    assert CLASSES.keys() == ACTIONS
    assert all("system" in classes for classes in CLASSES.values())
    assert {"system"} in CLASSES.values()


def test_every_way_into_the_dialplan_sets_the_absolute_limit_before_anything_else(etc: Path):
    text = (etc / "extensions.conf").read_text(encoding="utf-8")
    for context in ("arrivals", "emergency", "overflow", "safe_harbour", "bench"):
        body = text.partition(f"[{context}]\n")[2]
        first = next(line for line in body.splitlines() if line.startswith("exten"))
        assert first.endswith("Set(TIMEOUT(absolute)=14400)"), context


def test_modules_this_asterisk_has_not_are_not_asked_for(etc: Path):
    text = (etc / "modules.conf").read_text(encoding="utf-8")
    assert "\nload = codec_g722.so\n" in text
    assert not re.search(r"^load = chan_websocket", text, re.MULTILINE)


@pytest.mark.parametrize("tones", get_args(Tones))
def test_callers_hear_the_tones_of_their_country(tmp_path: Path, tones: Tones):
    text = (render(NodeSettings(state_dir=tmp_path, tones=tones), INSTALLATION).parent / "indications.conf").read_text()
    assert f"country = {tones}\n" in text
    (section,) = re.findall(rf"^\[{tones}\]\n(.*?)\n\n", text, re.DOTALL | re.MULTILINE)
    assert {"ring", "busy", "congestion"} <= {line.partition(" = ")[0] for line in section.splitlines()}


def test_the_certificate_is_made_once_and_covers_the_address(tmp_path: Path):
    from cryptography import x509

    node = everything(tmp_path / "node")
    etc = render(node, INSTALLATION).parent
    first = (etc / "tls.crt").read_bytes()
    certificate = x509.load_pem_x509_certificate(first)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(name.value) for name in names] == ["203.0.113.9"]
    render(node, INSTALLATION)
    assert (etc / "tls.crt").read_bytes() == first


def test_recordings_go_where_the_settings_say(tmp_path: Path):
    node = NodeSettings(state_dir=tmp_path / "node", recordings_dir=tmp_path / "recordings")
    render(node, INSTALLATION)
    render(node, INSTALLATION)
    assert (tmp_path / "node/spool/recording").readlink() == tmp_path / "recordings"
    moved = NodeSettings(state_dir=tmp_path / "node", recordings_dir=tmp_path / "elsewhere")
    render(moved, INSTALLATION)
    assert (tmp_path / "node/spool/recording").readlink() == tmp_path / "elsewhere"


def test_a_refused_value_is_named_and_nothing_is_written(tmp_path: Path):
    good = NodeSettings(state_dir=tmp_path / "node", devices=(Device(name="main-ana", secret="secreto1"),))
    bad_device = Device.model_construct(**(dict(good.devices[0]) | {"caller_name": "Ana\nallow_transfer=yes"}))
    with pytest.raises(UnsafeValue, match=r"devices\.0\.caller_name"):
        render(good.model_copy(update={"devices": (bad_device,)}), INSTALLATION)
    assert not (tmp_path / "node").exists()


def test_a_refused_secret_is_named_but_not_shown(tmp_path: Path):
    device = Device.model_construct(**(dict(Device(name="main-ana")) | {"secret": "hush;hush"}))
    with pytest.raises(UnsafeValue) as refused:
        render(NodeSettings(state_dir=tmp_path / "node").model_copy(update={"devices": (device,)}), INSTALLATION)
    assert "devices.0.secret" in str(refused.value)
    assert "hush" not in str(refused.value)


@given(st.text(max_size=40), st.sampled_from(["name", "secret", "caller_name", "caller_number", "language"]))
def test_whatever_a_device_field_holds_it_is_refused_or_stays_one_value(tmp_path_factory, text, field):
    state_dir = tmp_path_factory.mktemp("n")
    fields = {"name": "main-ana", "secret": "secreto1"} | {field: text}
    try:
        node = NodeSettings(state_dir=state_dir, devices=(Device(**fields),))
        pjsip = render(node, INSTALLATION).parent / "pjsip.conf"
    except (ValidationError, UnsafeValue):
        return
    name = node.devices[0].name
    assert set(sections(pjsip)) == {"global", "system", "transport-udp", "transport-tcp", name, f"{name}-auth"}
    assert of_type(pjsip, name, "endpoint")["allow_transfer"] == "no"
    assert of_type(pjsip, f"{name}-auth", "auth")["password"] == node.devices[0].secret


# -- phones of all kinds -----------------------------------------------------------------------------
def rendered(tmp_path: Path, **settings: object) -> Path:
    return render(NodeSettings(state_dir=tmp_path / "node", **settings), INSTALLATION).parent


def test_who_sends_nothing_has_vanished_sooner_on_a_phone_than_on_a_trunk(etc: Path):
    ana = of_type(etc / "pjsip.conf", "main-ana", "endpoint")
    peer = of_type(etc / "pjsip.conf", "main-peer", "endpoint")
    assert (ana["rtp_timeout"], peer["rtp_timeout"]) == ("20", "60")
    assert ana["rtp_timeout_hold"] == peer["rtp_timeout_hold"] == "3600"


def test_a_browsers_phone_comes_over_the_web_socket_and_others_do_not_pay_for_it(tmp_path: Path):
    etc = rendered(tmp_path, devices=(Device(name="main-web", webrtc=True), Device(name="main-ana")))
    web, ana = (of_type(etc / "pjsip.conf", name, "endpoint") for name in ("main-web", "main-ana"))
    assert (web["transport"], web["webrtc"], web["dtls_auto_generate_cert"]) == ("transport-ws", "yes", "yes")
    assert "media_encryption" not in web
    assert (ana.get("transport"), ana.get("webrtc"), ana["media_encryption"]) == (None, None, "no")
    assert of_type(etc / "pjsip.conf", "transport-ws", "transport")["protocol"] == "ws"
    assert sections(etc / "rtp.conf")["general"][0]["icesupport"] == "yes"


def test_without_browsers_there_is_no_web_socket_transport(etc: Path):
    assert "transport-ws" not in sections(etc / "pjsip.conf")
    assert sections(etc / "rtp.conf")["general"][0]["icesupport"] == "no"


def test_an_encrypted_phone_has_no_calls_in_the_open(etc: Path):
    assert of_type(etc / "pjsip.conf", "main-luis", "endpoint")["media_encryption"] == "sdes"


@pytest.mark.parametrize("more", [{"transport": "tls"}, {"srtp": True}])
def test_a_browser_has_its_own_transport_and_encryption(tmp_path: Path, more: dict[str, object]):
    with pytest.raises(ValidationError, match="is a browser"):
        NodeSettings(state_dir=tmp_path, devices=(Device(name="main-web", webrtc=True, **more),))


# -- music ---------------------------------------------------------------------------------------------
def test_music_of_ones_own_stands_beside_the_default_or_takes_its_place(tmp_path: Path):
    jazz = Music(name="jazz", directory=Path("/srv/jazz"))
    classes = sections(rendered(tmp_path, music=(jazz,)) / "musiconhold.conf")
    assert classes["jazz"] == [{"mode": "files", "directory": "/srv/jazz", "sort": "alpha"}]
    assert classes["default"][0]["directory"].endswith("/data/moh")
    ours = Music(name="default", directory=Path("/srv/ours"))
    classes = sections(rendered(tmp_path, music=(ours,)) / "musiconhold.conf")
    assert [section["directory"] for section in classes["default"]] == ["/srv/ours"]


@pytest.mark.parametrize("names", [("jazz", "jazz"), ("general",)])
def test_music_needs_names_of_its_own(tmp_path: Path, names: tuple[str, ...]):
    music = tuple(Music(name=name, directory=Path("/srv")) for name in names)
    with pytest.raises(ValidationError, match="choose another name"):
        NodeSettings(state_dir=tmp_path, music=music)
