"""Kept recordings - voicemail and conversations - leave the disk when they are old enough, labels and all."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

_KEPT_AT = re.compile(r"(\d{8}T\d{6}Z)-.+\.(?:wav|wav\.sealed|json)")


def delete_old_recordings(root: Path, before_s: float) -> Counter[str]:
    """Deletes what was kept before `before_s` (Unix seconds, by the name: copying a file makes it no younger).

    `root` holds `<tenant>/<mailbox>/`; links are not followed, and files with other names are not ours. Returns how
    many recordings left each mailbox, `tenant/mailbox`; those that cannot be deleted stay for the next time.
    """
    gone: Counter[str] = Counter()
    for mailbox in sorted(_directories(root)):
        # The sound first: labels without a sound are looked at again, a sound without labels is nobody's.
        for file in sorted(mailbox.iterdir(), reverse=True):
            if not _is_old(file.name, before_s) or file.is_dir():
                continue
            try:
                file.unlink()
            except OSError:
                continue
            gone[f"{mailbox.parent.name}/{mailbox.name}"] += file.suffix != ".json"
    return +gone


def _directories(root: Path) -> list[Path]:
    return [
        mailbox
        for tenant in (root.iterdir() if root.is_dir() else ())
        if tenant.is_dir() and not tenant.is_symlink()
        for mailbox in tenant.iterdir()
        if mailbox.is_dir() and not mailbox.is_symlink()
    ]


def _is_old(name: str, before_s: float) -> bool:
    match = _KEPT_AT.fullmatch(name)
    if match is None:
        return False
    try:
        return datetime.strptime(match[1], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp() < before_s
    except ValueError:
        return False
