"""What the README shows is what the tested examples are."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def test_the_readmes_flow_and_test_are_the_tested_examples():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for example in ("hello.yaml", "hello.test.yaml"):
        text = (ROOT / "docs/examples" / example).read_text(encoding="utf-8")
        body = "\n".join(line for line in text.splitlines() if not line.startswith("#")).strip()
        assert f"```yaml\n{body}\n```" in readme, f"README differs from docs/examples/{example}"
