"""Recordings leave the disk when they are old enough, whatever their files' dates say, and nothing else does."""

import asyncio
import contextlib
import logging
from datetime import UTC, datetime

import pytest

from core.clock import VirtualClock
from engine.config.models import Site
from engine.home import Home
from engine.housekeeping import keep_house
from engine.metrics import Metrics
from engine.retention import delete_old_recordings

NOW_S = datetime(2026, 6, 1, tzinfo=UTC).timestamp()
OLD, YOUNG = "20260301T120000Z", "20260531T120000Z"


def kept(root, mailbox, when, name="i-1.4.7"):
    directory = root / mailbox
    directory.mkdir(parents=True, exist_ok=True)
    for form in ("wav", "json"):
        (directory / f"{when}-{name}.{form}").write_text("")


def left(root):
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def test_old_ones_go_with_their_labels_and_are_counted_by_mailbox(tmp_path):
    for name in ("i-1.4.7", "i-2.4.7"):
        kept(tmp_path, "acme/sales", OLD, name)
    kept(tmp_path, "acme/talk.sales", OLD)
    kept(tmp_path, "main/sales", YOUNG)
    gone = delete_old_recordings(tmp_path, NOW_S - 30 * 86_400)
    assert gone == {"acme/sales": 2, "acme/talk.sales": 1}
    assert left(tmp_path) == [f"main/sales/{YOUNG}-i-1.4.7.json", f"main/sales/{YOUNG}-i-1.4.7.wav"]


def test_the_very_second_is_kept(tmp_path):
    kept(tmp_path, "main/sales", "20260501T000000Z")
    limit_s = datetime(2026, 5, 1, tzinfo=UTC).timestamp()
    assert delete_old_recordings(tmp_path, limit_s) == {}
    assert delete_old_recordings(tmp_path, limit_s + 1) == {"main/sales": 1}


def test_what_is_not_ours_stays(tmp_path):
    root, elsewhere = tmp_path / "voicemail", tmp_path / "elsewhere"
    kept(elsewhere, "sales", OLD)
    (root / "main" / "sales").mkdir(parents=True)
    (root / "main" / "archive").symlink_to(elsewhere / "sales")
    (root / "other").symlink_to(elsewhere)
    for name in ("greeting.wav", f"{OLD}.wav", f"{OLD}-i-1.mp3", "20269999T999999Z-i-1.wav"):
        (root / "main" / "sales" / name).write_text("")
    (root / "main" / "sales" / f"{OLD}-folder.wav").mkdir()
    before = left(tmp_path)
    assert delete_old_recordings(root, NOW_S) == {}
    assert left(tmp_path) == before


def test_labels_whose_sound_is_gone_go_too_and_count_for_nothing(tmp_path):
    kept(tmp_path, "main/sales", OLD)
    (tmp_path / "main" / "sales" / f"{OLD}-i-1.4.7.wav").unlink()
    assert delete_old_recordings(tmp_path, NOW_S) == {}
    assert left(tmp_path) == []


def test_no_voicemail_yet_is_no_trouble(tmp_path):
    assert delete_old_recordings(tmp_path / "voicemail", NOW_S) == {}


class Journal:
    async def prune(self, before_s, projected_seq):
        return 0


@pytest.mark.parametrize(("days", "stay"), [(0, True), (30, False), (120, True)])
async def test_housekeeping_goes_by_the_site(tmp_path, caplog, days, stay):
    home = Home(tmp_path, tmp_path / "var")
    kept(home.voicemail, "main/sales", OLD)
    site = Site(site="test", keep_recordings_days=days)
    said = "1 older than 30 days deleted from mailbox main/sales"
    with caplog.at_level(logging.INFO, "centralita.engine"):
        clock = VirtualClock(NOW_S)
        house = asyncio.ensure_future(
            keep_house(home, Journal(), Metrics(), clock, lambda: site, lambda: 0, first_s=0.0)
        )
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.15 if stay else 20.0):
                while left(home.voicemail) or said not in caplog.text:
                    await asyncio.sleep(0.005)
        house.cancel()
        await asyncio.gather(house, return_exceptions=True)
    assert bool(left(home.voicemail)) is stay
    assert (said in caplog.text) is not stay
