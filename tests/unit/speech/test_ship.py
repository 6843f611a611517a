import json

import pytest
from typer.testing import CliRunner

from speech.__main__ import app, read_lines
from speech.cache import PromptCache
from speech.prepare import Line
from speech.ship import ship


async def test_what_is_shipped_is_exactly_what_is_used(tmp_path, good, quick):
    first = await ship([Line("Hola", "es"), Line("Adiós", "es")], tmp_path, [[good, quick]])
    assert first.removed == 0
    assert first.files == first.prepared.rendered > 200
    second = await ship([Line("Hola", "es"), Line("Gracias", "es")], tmp_path, [[good, quick]])
    assert (second.removed, second.prepared.rendered, second.files) == (1, 1, first.files)
    index = json.loads((tmp_path / "index.json").read_text())
    said = {entry["text"] for entry in index.values()}
    assert {"Hola", "Gracias", "veinte"} <= said
    assert "Adiós" not in said
    assert sorted(index) == [str(file.relative_to(tmp_path)) for file in PromptCache(tmp_path).files()]


async def test_nothing_is_removed_when_a_line_could_not_be_said(tmp_path, good, quick, unavailable):
    await ship([Line("Hola", "es")], tmp_path, [[good, quick]])
    good.problem = unavailable
    outcome = await ship([Line("Adiós", "es")], tmp_path, [[good, quick]])
    assert outcome.removed == 0
    assert [line.text for line, _ in outcome.prepared.failed] == ["Adiós"]
    assert quick.said == [], "the fallback's voice is not shipped"


@pytest.mark.parametrize(
    ("content", "hint"),
    [
        ("{", "not JSON"),
        ("{}", "give a list"),
        ('[{"text": "a"}]', "entry 1"),
        ('[{"text": "a", "language": "es"}, 3]', "entry 2"),
    ],
)
def test_bad_lists_are_named(content, hint):
    with pytest.raises(ValueError, match=hint):
        read_lines(content, "stdin")


def test_the_commands(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    run = CliRunner().invoke
    prompts = json.dumps([{"text": "Buenas tardes", "language": "es"}])
    shipped = run(app, ["ship", str(tmp_path / "out"), "--voice", "fake"], input=prompts)
    assert shipped.exit_code == 0, shipped.output
    assert "0 failed" in shipped.output
    prepared = run(app, ["prepare", "--text", "Hola", "--voice", "fake", "--shipped", str(tmp_path / "out")])
    assert prepared.exit_code == 0, prepared.output
    assert "1 rendered" in prepared.output
    said = run(app, ["say", "Hola", "--voice", "fake", "-o", str(tmp_path / "hola.wav")])
    assert said.exit_code == 0, said.output
    assert (tmp_path / "hola.wav").read_bytes().startswith(b"RIFF")
    assert run(app, ["prepare"]).exit_code == 2
    assert run(app, ["ship"], input="?").exit_code == 2
    assert run(app, ["hear", str(tmp_path / "nothing.wav")]).exit_code == 2
    assert run(app, ["say", "Bonjour", "-l", "fr", "--voice", "fake"]).exit_code == 1
