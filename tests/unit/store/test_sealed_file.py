"""What a contact said is in a file that opens with her key only, whole or not at all."""

import os
import stat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.cipher import ContactCipher
from store.errors import Erased, KeysUnusable
from store.sealed_file import SealedFile, seal_file

MIB = 1 << 20


@pytest.fixture
def cipher(tmp_path):
    with ContactCipher.open(tmp_path / "keys") as cipher:
        yield cipher


@pytest.fixture
def ana(cipher):
    return cipher.contact_key_id("main", "+34600123123", "")


def sealed(cipher, contact, directory, content):
    plain = directory / "talk.wav"
    plain.write_bytes(content)
    return seal_file(cipher, contact, plain)


def content_of(cipher, path, *part):
    return b"".join(SealedFile(cipher, path).read(*part))


@pytest.mark.parametrize("size", [0, 1, 1000, MIB - 1, MIB, MIB + 1, 3 * MIB])
def test_what_was_sealed_comes_back_and_the_plain_file_is_gone(cipher, ana, tmp_path, size):
    content = os.urandom(size)
    path = sealed(cipher, ana, tmp_path, content)
    assert path.name == "talk.wav.sealed"
    assert not (tmp_path / "talk.wav").exists()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert SealedFile(cipher, path).size == size
    assert content_of(cipher, path) == content
    if size >= 16:  # a single byte may well occur among those of the cipher
        assert content[:64] not in path.read_bytes()


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2 * MIB + 100), st.integers(0, 2 * MIB + 100))
def test_any_part_can_be_read(tmp_path_factory, start, end):
    directory = tmp_path_factory.mktemp("part")
    content = bytes(range(256)) * (2 * MIB // 256) + b"the end"
    with ContactCipher.open(directory) as cipher:
        path = sealed(cipher, cipher.contact_key_id("main", "1", ""), directory, content)
        assert content_of(cipher, path, start, end) == content[start:end]


def test_another_process_opens_it(cipher, ana, tmp_path):
    path = sealed(cipher, ana, tmp_path, b"hello")
    with ContactCipher.open(tmp_path / "keys", read_only=True) as other:
        assert content_of(other, path) == b"hello"


def test_who_is_forgotten_is_silent(cipher, ana, tmp_path):
    path = sealed(cipher, ana, tmp_path, b"hello")
    cipher.erase(ana)
    with pytest.raises(Erased):
        content_of(cipher, path)


def test_a_key_erased_by_another_process_seals_nothing_more(cipher, ana, tmp_path):
    sealed(cipher, ana, tmp_path, b"before").unlink()
    with ContactCipher.open(tmp_path / "keys") as other:
        other.erase(ana)
    assert content_of(cipher, sealed(cipher, ana, tmp_path, b"after")) == b"after"


def spoiled(kind, content):
    match kind:
        case "cut at a piece":
            return content[: len(content) - 36 - 7]
        case "cut":
            return content[:-1]
        case "changed":
            return content[:100] + bytes([content[100] ^ 1]) + content[101:]
        case "lengthened":
            return content + b"x"
        case "headless":
            return content[1:]
        case _:
            return b""


@pytest.mark.parametrize("kind", ["cut at a piece", "cut", "changed", "lengthened", "headless", "empty"])
def test_a_file_that_was_touched_does_not_open(cipher, ana, tmp_path, kind):
    path = sealed(cipher, ana, tmp_path, bytes(MIB) + b"the end")
    path.write_bytes(spoiled(kind, path.read_bytes()))
    with pytest.raises(KeysUnusable):
        content_of(cipher, path)


def test_a_renamed_file_does_not_open_and_a_moved_one_does(cipher, ana, tmp_path):
    path = sealed(cipher, ana, tmp_path, b"hello")
    (tmp_path / "elsewhere").mkdir()
    moved = path.rename(tmp_path / "elsewhere" / path.name)
    assert content_of(cipher, moved) == b"hello"
    with pytest.raises(KeysUnusable):
        content_of(cipher, moved.rename(tmp_path / "other.wav.sealed"))


def test_what_cannot_be_sealed_stays_as_it_was(cipher, ana, tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        sealed(cipher, ana, tmp_path, b"hello")
    assert (tmp_path / "talk.wav").read_bytes() == b"hello"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["keys", "talk.wav"]
