"""No line of the log holds a phone number, wherever it stood; ids and times stay readable."""

import logging

import pytest

from engine import log as logs


@pytest.fixture
def written(tmp_path):
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    path = tmp_path / "engine.log"
    logs.configure(path)
    yield lambda: path.read_text(encoding="utf-8")
    for handler in root.handlers:
        handler.close()
    root.handlers[:] = before
    root.setLevel(level)


@pytest.mark.parametrize(
    "said",
    [
        "called +34612345678 twice",
        "called 612345678.",
        "number:612345678, next",
        "sip:612345678@10.0.0.1",
        "to=0034612345678;x",
        "612345678-1",
        "(612345678)",
    ],
)
def test_numbers_lose_their_middle(written, said):
    logging.getLogger("any").warning("%s", said)
    assert "612345678" not in written()
    assert "34567" not in written()


def test_numbers_in_a_traceback_lose_theirs_too(written):
    try:
        raise KeyError("612345678")
    except KeyError:
        logging.getLogger("any").exception("oops")
    assert "KeyError" in written()
    assert "612345678" not in written()


@pytest.mark.parametrize(
    "said", ["node-1-1795302714.3", "i-node-1-1795302714.3.x1", "release 4f5a2b77aa", "127.0.0.1:5060", "1795302714.25"]
)
def test_ids_and_times_stay(written, said):
    logging.getLogger("any").warning("%s", said)
    assert said in written()
