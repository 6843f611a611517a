"""`centralita desk link` works from the project's directory, as the desk's page says."""

import json

from typer.testing import CliRunner

from desk.first_admin import FirstAdmin
from engine.cli.app import app
from engine.clock import AnchoredClock
from engine.config.loader import load
from engine.desk_file import save_for_desk
from engine.home import Home

FILES = {
    "config/site.yaml": "site: test\ndesk_port: 8123\n",
    "config/numbers/default.yaml": "default: yes\nflow: bye\n",
    "flows/bye.yaml": "flow: bye\nstart: end\nnodes:\n  end: {type: hangup}\n",
}


def test_a_link_is_made_where_the_project_is(tmp_path, monkeypatch):
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    for name in ("CENTRALITA_HOME", "CENTRALITA_STATE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path / "flows")
    early = CliRunner().invoke(app, ["desk", "link"])
    assert (early.exit_code, "centralita up" in early.output) == (1, True)
    home = Home.find()
    home.prepare()
    configuration = load(FILES).configuration
    assert configuration is not None
    save_for_desk(home, configuration)
    first = CliRunner().invoke(app, ["desk", "link"]).stdout.strip()
    second = json.loads(CliRunner().invoke(app, ["desk", "link", "--json"]).stdout)["link"]
    assert first.startswith("http://127.0.0.1:8123/first/")
    holds = FirstAdmin(home.state, "").holds
    now_s = AnchoredClock().now_s()
    assert [holds(link.rpartition("/")[2], now_s) for link in (first, second)] == [False, True]
