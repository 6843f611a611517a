"""What the README shows is what the tested examples are, and it works in what is shipped."""

import re
from pathlib import Path

from engine.config.loader import load
from engine.config.sources import read_sources

ROOT = Path(__file__).resolve().parents[3]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def example(name: str) -> str:
    text = (ROOT / "docs/examples" / name).read_text(encoding="utf-8")
    return "\n".join(line for line in text.splitlines() if not line.startswith("#")).strip()


def test_the_readmes_flow_and_test_are_the_tested_examples():
    for name in ("hello.yaml", "hello.test.yaml"):
        assert f"```yaml\n{example(name)}\n```" in README, f"README differs from docs/examples/{name}"


def test_what_the_readme_lets_a_newcomer_write_is_right_beside_what_is_shipped():
    blocks = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    kinds = {
        "device: ": "config/devices/1007.yaml",
        "trunk: ": "config/trunks/carrier.yaml",
        "number: ": "config/numbers/main.yaml",
        "emergency: ": "config/outbound.yaml",
    }
    written = {file: text for text in blocks for key, file in kinds.items() if text.startswith(key)}
    assert len(written) == len(kinds)
    hello = {"flows/hello.yaml": example("hello.yaml"), "config/numbers/200.yaml": 'number: "200"\nflow: hello\n'}
    queue = next(text for text in blocks if text.startswith("# config/queues/offers.yaml"))
    for more in (hello, written, {"config/queues/offers.yaml": queue}):
        loaded = load({**read_sources(ROOT), **more})
        assert str(loaded.problems) == ""
