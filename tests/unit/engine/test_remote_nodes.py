"""How the engine reaches Asterisks beside its own."""

from engine.config.loader import load
from engine.home import Home, SecretBox
from engine.node_connections import remote_managers, remote_nodes

SITE = """site: here
nodes:
  - {node: madrid-2, port: 18088, manager_port: 15038, recordings: /srv/madrid-2}
  - {node: madrid-3, port: 28088, recordings: /srv/madrid-3}
"""
FLOW = "flow: hello\nlanguages: [es, en]\nstart: bye\nnodes:\n  bye: {type: hangup}\n"
NUMBER = "default: yes\nflow: hello\n"


def test_each_has_its_own_password_and_records_only_where_its_manager_is_known(tmp_path):
    loaded = load({"config/site.yaml": SITE, "config/numbers/all.yaml": NUMBER, "flows/hello.yaml": FLOW})
    assert loaded.configuration is not None, loaded.problems
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "site.yaml").write_text(SITE)
    box = SecretBox(tmp_path / "secrets.json")
    nodes = remote_nodes(Home.find(tmp_path, tmp_path / "var"), loaded.configuration, box)
    (manager,) = remote_managers(loaded.configuration, box)
    assert [(node.node, node.port) for node in nodes] == [("madrid-2", 18088), ("madrid-3", 28088)]
    assert (manager.node, manager.port, manager.quality) == ("madrid-2", 15038, False)
    assert len({manager.password, *(node.password for node in nodes)}) == 3
