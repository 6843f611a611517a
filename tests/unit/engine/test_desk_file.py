"""What the desk's process is told of the site."""

import pytest

from desk.settings import Settings
from engine.config.loader import load
from engine.desk_file import save_for_desk
from engine.home import Home

FILES = {
    "config/numbers/default.yaml": "default: yes\nflow: bye\n",
    "flows/bye.yaml": "flow: bye\nstart: end\nnodes:\n  end: {type: hangup}\n",
}


@pytest.mark.parametrize(("said", "most_mb"), [("", 250), ("upload_mb: 40\n", 40)])
def test_the_largest_list_people_may_send_is_the_sites(tmp_path, said, most_mb):
    (tmp_path / "config").mkdir()
    home = Home.find(tmp_path, tmp_path / "var")
    home.prepare()
    configuration = load({**FILES, "config/site.yaml": f"site: test\n{said}"}).configuration
    assert configuration is not None
    save_for_desk(home, configuration)
    assert Settings.read(home.state).upload_mb == most_mb


def test_it_knows_where_the_phones_of_each_node_are_reached(tmp_path):
    (tmp_path / "config").mkdir()
    home = Home.find(tmp_path, tmp_path / "var")
    home.prepare()
    more = "asterisk_http_port: 8099\nnodes:\n  - {node: far, port: 18088, recordings: /srv/far}\n"
    configuration = load({**FILES, "config/site.yaml": f"site: test\n{more}"}).configuration
    assert configuration is not None
    save_for_desk(home, configuration)
    phones = Settings.read(home.state).phones
    assert list(phones.items()) == [("test", "127.0.0.1:8099"), ("far", "127.0.0.1:18088")]


def test_a_limit_that_is_none_is_refused():
    read = load({**FILES, "config/site.yaml": "site: test\nupload_mb: 0\n"})
    assert read.configuration is None
    assert "config/site.yaml:2:12: 0 is out of range" in str(read.problems)


def test_it_knows_which_numbers_nobody_shall_dial_by_a_slip(tmp_path):
    (tmp_path / "config").mkdir()
    home = Home.find(tmp_path, tmp_path / "var")
    home.prepare()
    outbound = {"config/site.yaml": "site: test\n", "config/outbound.yaml": 'emergency: {numbers: ["112", "091"]}\n'}
    configuration = load({**FILES, **outbound}).configuration
    assert configuration is not None
    save_for_desk(home, configuration)
    assert Settings.read(home.state).emergency == ("112", "091")


def test_it_knows_of_which_country_numbers_without_one_are(tmp_path):
    (tmp_path / "config").mkdir()
    home = Home.find(tmp_path, tmp_path / "var")
    home.prepare()
    configuration = load({**FILES, "config/site.yaml": "site: test\ncountry: CO\n"}).configuration
    assert configuration is not None
    save_for_desk(home, configuration)
    assert Settings.read(home.state).country == "CO"
