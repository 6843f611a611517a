"""Campaigns written over the API: whole and in force, or as if nobody had asked."""

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from engine.campaign_files import CampaignFiles


class Place:
    """A project whose reload takes every text but those with `wrong` in it."""

    def __init__(self, root):
        self.root, self.seen = root, []
        (root / "config").mkdir()
        app = Starlette(routes=CampaignFiles(root, self.reload).routes())
        self.client = TestClient(app, raise_server_exceptions=False)

    async def reload(self):
        texts = [path.read_text() for path in sorted(self.root.glob("**/campaigns/*"))]
        self.seen.append(texts)
        if any("broken" in text for text in texts):
            raise RuntimeError("the reload broke")
        wrong = any("wrong" in text for text in texts)
        return {"reloaded": not wrong, "problems": ["survey.yaml:1:1: wrong"] if wrong else ["a warning"]}

    def write(self, text, campaign="survey", tenant="main", **more):
        body = {"tenant": tenant, "campaign": campaign, "text": text, **more}
        return self.client.post("/dialer/files", json=body)

    def files(self):
        return {path.relative_to(self.root).as_posix() for path in self.root.rglob("*") if path.is_file()}


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


FILE = "config/campaigns/survey.yaml"


def test_a_campaign_is_a_file_and_in_force(place):
    assert place.write("one").json() == {"ok": True, "file": FILE, "problems": ["a warning"]}
    assert (place.root / FILE).read_text() == "one"
    assert place.files() == {FILE}
    assert place.seen == [["one"]]


def test_nothing_is_overwritten_unless_it_is_said(place):
    place.write("one")
    again = place.write("two")
    assert again.status_code == 409
    assert "there already" in again.json()["why"]
    assert (place.root / FILE).read_text() == "one"
    assert place.write("two", replace=True).json()["ok"]
    assert (place.root / FILE).read_text() == "two"


@pytest.mark.parametrize("bad", ["wrong", "broken"])
def test_what_cannot_be_loaded_does_not_stay(place, bad):
    refused = place.write(bad)
    assert refused.status_code in (409, 500)
    assert place.files() == set()
    place.write("one")
    place.write(bad, replace=True)
    assert place.files() == {FILE}
    assert (place.root / FILE).read_text() == "one"


@pytest.mark.parametrize(
    ("campaign", "tenant", "said"),
    [
        ("../../etc/x", "main", "no name"),
        ("a.b", "main", "no name"),
        ("", "main", "no name"),
        ("survey", "..", "no name"),
        ("survey", "acme", "no tenant"),
    ],
)
def test_a_name_leads_nowhere_else(place, campaign, tenant, said):
    refused = place.write("one", campaign, tenant)
    assert (refused.status_code, said in refused.json()["why"]) == (409, True)
    assert place.files() == set()


def test_another_tenants_campaign_is_among_its_files(place):
    (place.root / "tenants/acme").mkdir(parents=True)
    assert place.write("one", tenant="acme").json()["file"] == f"tenants/acme/{FILE}"


def test_a_place_that_cannot_be_written_is_said(place):
    (place.root / "config/campaigns").write_text("")
    refused = place.write("one")
    assert refused.status_code == 409
    assert "cannot be written" in refused.json()["why"]


def test_what_is_no_request_is_told(place):
    assert place.client.post("/dialer/files", content=b"{").status_code == 422
    assert place.write("x" * 300_000).status_code == 422
