"""Sealed under a key per contact; forgotten when the key is deleted."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from store.cipher import HOUSE, ContactCipher
from store.errors import Erased, KeysUnusable


@pytest.fixture
def cipher(tmp_path: Path):
    with ContactCipher.open(tmp_path) as opened:
        yield opened


def test_what_was_sealed_is_opened_also_after_a_restart(tmp_path: Path) -> None:
    with ContactCipher.open(tmp_path) as first:
        sealed = first.seal("ana", b"balance 12", b"1")
        first.persist()
    with ContactCipher.open(tmp_path) as second:
        assert second.unseal(sealed, b"1") == b"balance 12"
        assert second.unseal(second.seal("ana", b"again", b"2"), b"2") == b"again"


def test_a_body_opens_only_in_its_place(cipher: ContactCipher) -> None:
    with pytest.raises(KeysUnusable, match="moved to another place"):
        cipher.unseal(cipher.seal("ana", b"x", b"1"), b"2")


@pytest.mark.parametrize("damage", [b"", b"short", b"\0" * 40])
def test_a_damaged_body_is_refused(cipher: ContactCipher, damage: bytes) -> None:
    cipher.seal(HOUSE, b"x", b"")
    with pytest.raises((KeysUnusable, Erased)):
        cipher.unseal(damage, b"")


def test_the_erased_stay_unreadable_when_they_call_again(cipher: ContactCipher, tmp_path: Path) -> None:
    before, other = cipher.seal("ana", b"old", b""), cipher.seal("eva", b"hers", b"")
    cipher.persist()
    assert cipher.erase("ana")
    after = cipher.seal("ana", b"new", b"")
    cipher.persist()
    with pytest.raises(Erased):
        cipher.unseal(before, b"")
    assert cipher.unseal(after, b"") == b"new"
    assert cipher.unseal(other, b"") == b"hers"
    cipher.close()
    with ContactCipher.open(tmp_path) as again, pytest.raises(Erased):
        again.unseal(before, b"")


def test_erasing_leaves_no_trace_of_the_key_in_the_files(tmp_path: Path) -> None:
    with ContactCipher.open(tmp_path) as cipher:
        cipher.seal("ana", b"x", b"")
        cipher.persist()
        (wrapped,) = sqlite3.connect(tmp_path / "keys.db").execute("SELECT wrapped FROM keys").fetchone()
        assert any(wrapped in path.read_bytes() for path in tmp_path.iterdir())
        cipher.erase("ana")
        assert not any(wrapped in path.read_bytes() for path in tmp_path.iterdir())


def test_a_key_that_was_never_saved_can_be_erased_and_its_number_is_not_given_again(cipher: ContactCipher) -> None:
    sealed = cipher.seal("ana", b"x", b"")
    assert cipher.erase("ana")
    assert not cipher.erase("ana")
    cipher.seal("eva", b"y", b"")
    cipher.persist()
    with pytest.raises(Erased):
        cipher.unseal(sealed, b"")


def test_an_erasure_by_another_process_is_noticed(cipher: ContactCipher, tmp_path: Path) -> None:
    sealed = cipher.seal("ana", b"x", b"")
    cipher.persist()
    with ContactCipher.open(tmp_path) as other:
        other.erase("ana")
    cipher.refresh()
    with pytest.raises(Erased):
        cipher.unseal(sealed, b"")
    cipher.persist()
    again = cipher.seal("ana", b"y", b"")
    cipher.persist()
    with ContactCipher.open(tmp_path, read_only=True) as reader:
        assert reader.unseal(again, b"") == b"y"


def test_more_contacts_than_the_cache_holds(cipher: ContactCipher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("store.cipher._CACHED_KEYS", 10)
    sealed = {f"c{n}": cipher.seal(f"c{n}", str(n).encode(), b"") for n in range(50)}
    cipher.persist()
    for n in range(50):
        assert cipher.unseal(sealed[f"c{n}"], b"") == str(n).encode()
        assert cipher.unseal(cipher.seal(f"c{n}", b"x", b""), b"") == b"x"


# -- who is who ---------------------------------------------------------------------------------------
def test_a_number_gives_the_same_pseudonym_however_it_is_written(cipher: ContactCipher) -> None:
    written = ["+34 600 11 22 33", "0034600112233", "+34-600-112233", "34600112233"]
    assert len({cipher.contact_key_id("main", number, "i-1") for number in written}) == 1


def test_tenants_and_numbers_and_withheld_callers_are_told_apart(cipher: ContactCipher) -> None:
    ids = {
        cipher.contact_key_id("main", "600112233", "i-1"),
        cipher.contact_key_id("other", "600112233", "i-1"),
        cipher.contact_key_id("main", "600112234", "i-1"),
        cipher.contact_key_id("main", "anonymous", "i-1"),
        cipher.contact_key_id("main", "", "i-2"),
    }
    assert len(ids) == 5
    assert not any("600112233" in each for each in ids)


def test_another_installation_gives_other_pseudonyms(tmp_path: Path) -> None:
    with ContactCipher.open(tmp_path / "a") as a, ContactCipher.open(tmp_path / "b") as b:
        assert a.contact_key_id("main", "600", "") != b.contact_key_id("main", "600", "")


# -- files --------------------------------------------------------------------------------------------
def test_the_key_files_are_for_their_owner_only(tmp_path: Path, cipher: ContactCipher) -> None:
    cipher.seal("ana", b"x", b"")
    cipher.persist()
    assert {path.name: path.stat().st_mode & 0o077 for path in tmp_path.iterdir()} == {
        path.name: 0 for path in tmp_path.iterdir()
    }


def _with_one_key(directory: Path) -> None:
    with ContactCipher.open(directory) as cipher:
        cipher.seal("ana", b"x", b"")
        cipher.persist()


@pytest.mark.parametrize("lost", ["keys.db", "master.key"])
def test_a_missing_file_is_never_made_anew(tmp_path: Path, lost: str) -> None:
    _with_one_key(tmp_path)
    (tmp_path / lost).unlink()
    with pytest.raises(KeysUnusable, match=f"{lost} is missing: restore it"):
        ContactCipher.open(tmp_path)
    assert not (tmp_path / lost).exists()


def test_a_master_key_others_can_read_is_refused(tmp_path: Path) -> None:
    _with_one_key(tmp_path)
    (tmp_path / "master.key").chmod(0o644)
    with pytest.raises(KeysUnusable, match="chmod 600"):
        ContactCipher.open(tmp_path)


def test_a_foreign_master_key_is_refused(tmp_path: Path) -> None:
    _with_one_key(tmp_path)
    (tmp_path / "master.key").write_bytes(bytes(32))
    with pytest.raises(KeysUnusable, match="does not belong"):
        ContactCipher.open(tmp_path)


def test_a_damaged_key_file_is_refused_and_left(tmp_path: Path) -> None:
    _with_one_key(tmp_path)
    (tmp_path / "keys.db").write_bytes(b"not a database at all, sorry" * 50)
    with pytest.raises(KeysUnusable, match="restore it"):
        ContactCipher.open(tmp_path)


def test_a_start_that_died_half_way_begins_again(tmp_path: Path) -> None:
    with ContactCipher.open(tmp_path):
        pass
    (tmp_path / "master.key").unlink()  # it is the last file to appear
    _with_one_key(tmp_path)


def test_reading_makes_no_files_and_says_that_nothing_has_happened_yet(tmp_path: Path) -> None:
    with pytest.raises(KeysUnusable, match=r"nothing has been kept in .* yet: `centralita up` begins"):
        ContactCipher.open(tmp_path, read_only=True)
    assert not list(tmp_path.iterdir())
