"""What passes as YAML must also stand in Asterisk's files: known before anything is started or reloaded."""

import pytest

from engine.config.loader import load
from engine.home import Home, SecretBox
from engine.node_settings import node_settings

FILES = {
    "config/site.yaml": "site: t\nvoices: [fake]\n",
    "config/numbers/d.yaml": "default: yes\nflow: f\n",
    "config/devices/1001.yaml": 'device: "1001"\ntitle: Ana O\'Brien\n',
    "config/trunks/carrier.yaml": "trunk: carrier\nhost: 10.0.0.1\n",
    "flows/f.yaml": "flow: f\nlanguages: [es]\nstart: a\nnodes: {a: {type: hangup}}\n",
}


def problems(**changed):
    return str(load({**FILES, **{name.replace("__", "/") + ".yaml": text for name, text in changed.items()}}).problems)


def test_emergency_and_overflow_name_their_trunk_and_device_as_the_files_do(tmp_path):
    files = {
        **FILES,
        "config/site.yaml": 'site: t\nvoices: [fake]\nabsence: {overflow: {endpoint: "1001"}}\n',
        "config/outbound.yaml": 'emergency: {trunk: carrier, numbers: ["112"]}\n',
    }
    configuration = load(files).configuration
    node = node_settings(Home(tmp_path, tmp_path), configuration, SecretBox(tmp_path / "s.json"), "127.0.0.1")
    assert (node.overflow.endpoint, node.emergency.trunk) == ("main-1001", "main-carrier")


@pytest.mark.parametrize(("country", "tones"), [("ES", "es"), ("AR", "ar"), ("GB", "uk"), ("US", "us"), ("CO", "es")])
def test_callers_hear_the_ringing_of_the_sites_country(tmp_path, country, tones):
    files = {**FILES, "config/site.yaml": f"site: t\nvoices: [fake]\ncountry: {country}\n"}
    configuration = load(files).configuration
    node = node_settings(Home(tmp_path, tmp_path), configuration, SecretBox(tmp_path / "s.json"), "127.0.0.1")
    assert node.tones == tones


@pytest.mark.parametrize(
    ("file", "text", "place"),
    [
        ("config__devices__1001", 'device: "1001"\ntitle: "Ana; context=trunks"\n', "devices/1001.yaml:1:1: title"),
        ("config__devices__1001", 'device: "1001"\ntitle: "Ana\\n[evil]"\n', "devices/1001.yaml:1:1: title"),
        ("config__trunks__carrier", 'trunk: carrier\nhost: "10.0.0.1;x"\n', "trunks/carrier.yaml:1:1: host"),
        ("config__trunks__carrier", "trunk: carrier\nhost: a.example\ntransport: tls\n", "trunk main-carrier wants"),
        ("config__site", "site: t\nabsence: {apology: 'x)\\nexten => 1,1,System(id)'}\n", "absence.apology"),
        ("config__site", "site: t\nabsence: {overflow: {endpoint: nobody}}\n", "main-nobody"),
        ("config__site", "site: t\nsip: {port: 8088}\n", "are the same"),
    ],
)  # fmt: skip
def test_what_asterisk_cannot_be_given_is_a_problem_of_its_file(file, text, place):
    assert place in problems(**{file: text})


REGISTERS = "trunk: carrier\nhost: 10.0.0.1\nregistration:\n  username: us\n  password: {}\n"


@pytest.mark.parametrize("password", ["pw123", 'a;b"c#1234', "contraseña1", "with space1"])
def test_a_carriers_password_is_taken_as_it_is(password):
    assert problems(config__trunks__carrier=REGISTERS.format(password)) == problems()


@pytest.mark.parametrize(
    ("password", "what"),
    [('"ab\\tc"', "its character 3 is a tab (U+0009)"), ('" abc"', "it begins or ends with a space")],
)
def test_a_password_that_cannot_stand_in_a_file_says_where_and_why(password, what):
    said = problems(config__trunks__carrier=REGISTERS.format(password))
    assert "config/trunks/carrier.yaml:5:13: Asterisk's files cannot hold this password" in said
    assert what in said


@pytest.mark.parametrize("tenant", ["a-b", "Acme", "..", "x]", "a b"])
def test_a_tenants_name_is_part_of_names_inside_asterisk(tenant):
    found = load({**FILES, f"tenants/{tenant}/config/devices/c.yaml": "device: c\n"})
    assert found.configuration is None
    assert "cannot be a tenant's name" in str(found.problems)


def test_tenants_with_good_names_are_welcome():
    found = load({**FILES, "tenants/acme_2/config/devices/c.yaml": "device: c\n"})
    assert "acme_2-c" in found.configuration.devices
