"""A URL that would be refused when a caller gets there is refused when the files are checked."""

from __future__ import annotations

import pytest

from engine.config.loader import load

HOSTS = "hosts: [{host: crm.example}, {host: 10.0.0.7, port: 8080, http: yes, private: yes}]\n"
FLOW = """flow: card
start: ask
nodes:
  ask: {type: http, url: "URL", error: bye, next: bye}
  bye: {type: hangup}
"""


def said(url: str) -> list[str]:
    sources = {
        "config/site.yaml": "site: acme\nlanguages: [es]\n",
        "config/http.yaml": HOSTS,
        "flows/card.yaml": FLOW.replace("URL", url),
    }
    return [str(problem) for problem in load(sources).problems if problem.file == "flows/card.yaml"]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://crm.example/x", "4:26: 'http' is not allowed for 'crm.example': use https, or `http: yes` for"),
        (
            "http://10.0.0.7/{{ caller }}",
            "4:26: port 80 is not allowed for '10.0.0.7': its entry in config/http.yaml says 8080",
        ),
        ("https://10.0.0.7:8443/x", "4:26: port 8443 is not allowed for '10.0.0.7'"),
    ],
)
def test_what_would_be_refused_is_said(url: str, words: str) -> None:
    (problem,) = said(url)
    assert problem.startswith(f"flows/card.yaml:{words}")


@pytest.mark.parametrize(
    "url",
    ["https://CRM.example/{{ caller }}", "http://10.0.0.7:8080/x?a={{ caller }}", "http://10.0.0.7:{{ caller }}/x"],
)
def test_what_is_allowed_passes(url: str) -> None:
    assert said(url) == []


@pytest.mark.parametrize(("host", "told"), [("192.168.1.4", True), ("localhost", True), ("crm.example", False)])
def test_an_address_that_is_never_asked_is_warned_of(host: str, told: bool) -> None:
    def warned(entry: str) -> list[str]:
        sources = {"config/site.yaml": "site: acme\nlanguages: [es]\n", "config/http.yaml": f"hosts: [{{{entry}}}]\n"}
        return [str(problem) for problem in load(sources).problems if problem.file == "config/http.yaml"]

    expected = f"config/http.yaml:1:16: warning: '{host}' is a private address: it is never asked: add `private: yes`"
    assert [text.startswith(expected) for text in warned(f"host: {host}")] == ([True] if told else [])
    assert warned(f"host: {host}, private: yes") == []


NOT_OURS = "{}flows/card.yaml:4:26: 'crm.example' is other tenants': add {} to its `tenants` in config/http.yaml"


@pytest.mark.parametrize(
    ("tenants", "told"),
    [
        ("acme", [NOT_OURS.format("", "main")]),
        ("main", [NOT_OURS.format("tenants/acme/", "acme")]),
        ("acme, main", []),
    ],
)
def test_one_tenants_system_is_not_asked_with_its_token_by_anothers_flows(tenants: str, told: list[str]) -> None:
    sources = {
        "config/site.yaml": "site: acme\nlanguages: [es]\n",
        "config/http.yaml": f"hosts: [{{host: crm.example, tenants: [{tenants}]}}]\n",
        "flows/card.yaml": FLOW.replace("URL", "https://crm.example/x"),
        "tenants/acme/flows/card.yaml": FLOW.replace("URL", "https://crm.example/x"),
    }
    assert [str(problem) for problem in load(sources).problems if "crm.example" in problem.what] == told


def test_a_tenant_that_is_not_there_is_told() -> None:
    sources = {
        "config/site.yaml": "site: acme\nlanguages: [es]\n",
        "config/http.yaml": "hosts: [{host: crm.example, tenants: [acmee]}]\n",
        "tenants/acme/flows/card.yaml": FLOW.replace("URL", "https://crm.example/x"),
    }
    told = [str(problem) for problem in load(sources).problems if "tenant" in problem.what]
    assert "config/http.yaml:1:39: there is no tenant 'acmee': did you mean 'acme'?" in told


def test_of_two_entries_for_one_host_the_one_that_does_not_count_is_told() -> None:
    sources = {
        "config/site.yaml": "site: acme\nlanguages: [es]\n",
        "config/http.yaml": "hosts:\n- {host: crm.example, tenants: [main]}\n- {host: CRM.example, http: yes}\n",
    }
    assert [str(problem) for problem in load(sources).problems if problem.file == "config/http.yaml"] == [
        "config/http.yaml:2:10: warning: 'crm.example' stands here again further down: nothing of this entry counts: "
        "keep one entry for each host"
    ]
