"""Model files that come in several installed packages: joined once, checked by hash, kept in the user's cache."""

from __future__ import annotations

import hashlib
import importlib.resources
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path


def cache_home() -> Path:
    """`$XDG_CACHE_HOME/centralita`, by default `~/.cache/centralita`."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "centralita"


def package_file(package: str, *path: str) -> Path:
    """A data file of an installed package. Raises `ModuleNotFoundError` or `FileNotFoundError`."""
    file = Path(str(importlib.resources.files(package).joinpath(*path)))
    if not file.is_file():
        raise FileNotFoundError(f"{package} has no {'/'.join(path)}: reinstall the package")
    return file


def joined(parts: Sequence[Path], into: Path, sha256: str) -> Path:
    """`into`, made of `parts` when it is not there yet.

    Raises `ValueError` when the parts do not add up to the expected hash, `OSError` when they cannot be written.
    """
    if into.is_file() and into.stat().st_size == sum(part.stat().st_size for part in parts):
        return into
    into.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    handle, temporary = tempfile.mkstemp(dir=into.parent, prefix=".joining-")
    try:
        with os.fdopen(handle, "wb") as file:
            for part in parts:
                content = part.read_bytes()
                digest.update(content)
                file.write(content)
        if digest.hexdigest() != sha256:
            packages = ", ".join(sorted({part.parent.name for part in parts}))
            raise ValueError(f"the parts of {into.name} are damaged ({packages}): reinstall these packages")
        Path(temporary).replace(into)
    finally:
        Path(temporary).unlink(missing_ok=True)
    return into
