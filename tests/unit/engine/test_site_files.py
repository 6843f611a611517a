"""What stands in `config/site.yaml`, and files that nothing reads."""

from __future__ import annotations

import os

import pytest

from engine.cli.check import checked
from engine.config.loader import load
from engine.config.sources import read_sources
from engine.home import Home

FILES = {
    "config/site.yaml": "site: t\nlanguages: [es]\n",
    "config/numbers/default.yaml": "default: yes\nflow: f\n",
    "flows/f.yaml": "flow: f\nstart: a\nnodes: {a: {type: hangup}}\n",
}


def said(**files: str) -> list[str]:
    changed = {name.replace("__", "/").replace("_dot_", "."): text for name, text in files.items()}
    return [str(problem) for problem in load({**FILES, **changed}).problems]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("time_zone: Europe/Madird", "there is no time zone 'Europe/Madird': did you mean 'Europe/Madrid'?"),
        ("country: spain", "'spain' is not a country: write two letters: ES, AR, US"),
        ("desk_url: desk.example.com", "'desk.example.com' is not written as it must be"),
        ("api_port: 99999", "99999 is out of range: write at most 65535"),
        ("asterisk_http_port: 0", "0 is out of range: write at least 1"),
        ("leg_limit_s: 100000", "100000 is out of range: write at most 86400"),
        ("sip: {rtp_first: 30000, rtp_last: 20000}", "rtp_first 30000 to rtp_last 20000 leaves no room: make rtp_last"),
    ],
)
def test_what_a_site_may_get_wrong(line: str, expected: str) -> None:
    (problem,) = said(config__site_dot_yaml=f"site: t\nlanguages: [es]\n{line}\n")
    assert problem.startswith(f"config/site.yaml:3:{line.index(' ') + 2}: {expected}")


def test_a_range_of_one_number_is_told_what_it_lacks() -> None:
    problems = load({**FILES, "config/numbers/1.yaml": "range: [1]\nflow: f\n"}).problems
    assert "config/numbers/1.yaml:1:8: this list is too short: 2 entries belong here" in str(problems)


@pytest.mark.parametrize(
    ("file", "hint"),
    [
        ("flows/g.yml", "call it g.yaml"),
        ("config/numbers/200.yml", "call it 200.yaml"),
        ("config/number/200.yaml", "did you mean 'numbers'?"),
        ("config/skill.yaml", "did you mean 'skills'?"),
        ("config/tables/vips.yaml", "a table is a CSV file"),
        ("tenants/acme/config/site.yaml", "the site has one: config/site.yaml"),
    ],
)
def test_what_nothing_reads_is_said(file: str, hint: str) -> None:
    loaded = load({**FILES, file: "x: ["})
    assert [str(problem) for problem in loaded.problems] == [f"{file}: warning: nothing reads this file: {hint}"]
    assert loaded.configuration is not None
    assert file not in loaded.configuration.sources


def test_files_with_another_ending_are_found(tmp_path) -> None:
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows/f.yml").write_text("flow: f\n")
    assert read_sources(tmp_path) == {"flows/f.yml": "flow: f\n"}


def test_what_is_called_like_a_file_and_is_none_is_said_and_not_waited_for(tmp_path) -> None:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "flows/sales.yaml").mkdir()
    os.mkfifo(tmp_path / "config/numbers/200.yaml")
    (tmp_path / "flows/gone.yaml").symlink_to(tmp_path / "nowhere.yaml")
    (tmp_path / "tenants/acme/flows/sales.yaml").mkdir(parents=True)
    assert read_sources(tmp_path) == FILES
    home = Home(tmp_path, tmp_path / "var")
    home.state.mkdir()
    told = [str(each) for each in checked(home, FILES).problems if "nothing reads" in each.what]
    hint = "put a file in its place, or call it something else"
    assert told == [
        f"config/numbers/200.yaml: warning: nothing reads this: it is a pipe or a device: {hint}",
        f"flows/gone.yaml: warning: nothing reads this: it is a link to nothing: {hint}",
        f"flows/sales.yaml: warning: nothing reads this: it is a directory: {hint}",
        f"tenants/acme/flows/sales.yaml: warning: nothing reads this: it is a directory: {hint}",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("numbr: 200\nflow: f\n", "config/numbers/200.yaml:1:1: unknown key 'numbr': did you mean 'number'?"),
        ("number: 200\nflw: f\n", "config/numbers/200.yaml:2:1: unknown key 'flw': did you mean 'flow'?"),
    ],
)
def test_a_misspelt_key_is_said_once(text: str, expected: str) -> None:
    assert said(config__numbers__200_dot_yaml=text) == [expected]
