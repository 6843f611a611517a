import os

import pytest

from speech.cache import PromptCache, path_without_extension, prompt_key


def test_the_key_depends_on_all_that_is_heard_and_on_nothing_else():
    key = prompt_key("kokoro/1", "es", "Buenas  tardes ")
    assert key == prompt_key("kokoro/1", "es", "Buenas\ntardes")
    others = [("kokoro/2", "es", "Buenas tardes"), ("kokoro/1", "en", "Buenas tardes"), ("kokoro/1", "es", "Buenas")]
    assert len({key, *(prompt_key(*other) for other in others)}) == 4


def test_composed_and_decomposed_accents_are_the_same_text():
    assert prompt_key("v", "es", "mañana") == prompt_key("v", "es", "man\u0303ana")


def test_what_is_written_is_found(tmp_path):
    cache = PromptCache(tmp_path)
    key = prompt_key("v", "es", "uno")
    assert cache.find(key) is None
    file = cache.write(key, b"\xff" * 80)
    assert cache.find(key) == file == tmp_path / key[:2] / f"{key}.ulaw"
    assert path_without_extension(file) == tmp_path / key[:2] / key
    assert cache.files() == [file]


def test_shipped_prompts_are_not_written(tmp_path):
    with pytest.raises(PermissionError, match="shipped"):
        PromptCache(tmp_path, read_only=True).write("00" * 32, b"")


def test_a_sweep_takes_the_old_and_then_the_oldest(tmp_path):
    cache = PromptCache(tmp_path)
    keys = [prompt_key("v", "es", word) for word in ("uno", "dos", "tres", "cuatro")]
    for age, key in enumerate(keys):
        os.utime(cache.write(key, b"\xff" * 100), (10_000 - age * 100, 10_000 - age * 100))
    assert cache.sweep(older_than_s=250, most_bytes=10_000, now_s=10_000) == 1
    assert cache.sweep(older_than_s=9_999, most_bytes=200, now_s=10_000) == 1
    assert [bool(cache.find(key)) for key in keys] == [True, True, False, False]
