"""The prompts in the repository are those that the voices of today would be asked for."""

import json
from pathlib import Path

from speech.cache import PromptCache, prompt_key
from speech.inventory import phrases_for
from speech.languages import choices
from speech.voices import make_voice

RENDERED = Path(__file__).parents[3] / "flows" / "sounds" / "rendered"


def test_every_file_says_what_the_index_says_in_the_voice_of_today():
    index = json.loads((RENDERED / "index.json").read_text(encoding="utf-8"))
    kokoro = make_voice("kokoro")
    cache = PromptCache(RENDERED, read_only=True)
    for name, entry in index.items():
        assert entry["voice"] == kokoro.id_for(entry["language"]), "run `python -m speech ship`"
        key = prompt_key(entry["voice"], entry["language"], entry["text"])
        assert cache.file(key) == RENDERED / name
    assert sorted(index) == [str(file.relative_to(RENDERED)) for file in cache.files()]


def test_values_speak_at_once_in_the_languages_that_ship():
    kokoro, cache = make_voice("kokoro"), PromptCache(RENDERED, read_only=True)
    for language in ("es", "en"):
        spoken = choices(language, kokoro.languages)[0]
        voice_id = kokoro.id_for(spoken)
        missing = [text for text in phrases_for(language) if not cache.find(prompt_key(voice_id, spoken, text))]
        assert missing == [], "run `python -m speech ship`"


def test_the_repository_stays_small():
    assert sum(file.stat().st_size for file in PromptCache(RENDERED).files()) < 12e6
