"""The files of a configuration as texts: read once, checked for size, packed for the journal.

config/site.yaml  outbound.yaml  http.yaml  skills.yaml  agents.yaml  agents.csv  dispositions.yaml  not_ready.yaml
config/{numbers,devices,trunks,queues,calendars,compliance}/*.yaml   config/tables/*.csv
flows/*.yaml  (flows/*.test.yaml are tests, no part of what serves calls)
tenants/<name>/config/...  tenants/<name>/flows/...
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from definitions.layout import tenant_of, within_tenant

__all__ = ["asterisk_name", "no_files", "pack", "read_sources", "tenant_of", "unpack", "within_tenant"]

MOST_FILE_BYTES = 20_000_000
"""A file beyond this is not even read; smaller ones have limits by kind."""

_PATTERNS = (
    *("config/*.yaml", "config/*/*.yaml", "config/tables/*.csv", "config/agents.csv", "flows/*.yaml"),
    *("config/*.yml", "config/*/*.yml", "flows/*.yml"),  # nothing reads them, which is said
)


def read_sources(project: Path, with_tests: bool = False) -> dict[str, str]:
    """Relative path -> text. What cannot be read as UTF-8 keeps its place with the bad bytes marked (U+FFFD)."""
    sources: dict[str, str] = {}
    for path in sorted(_files(project)):
        name = path.relative_to(project).as_posix()
        if name.endswith(".test.yaml") and not with_tests:
            continue
        with path.open("rb") as file:
            sources[name] = file.read(MOST_FILE_BYTES + 1).decode("utf-8", "replace")
    return sources


def no_files(project: Path) -> Iterator[tuple[str, str]]:
    """(relative path, what it is) of what is called like a file of a configuration and is none: nothing reads it, and
    whoever opened a pipe would wait for ever."""
    for path in sorted(_named(project)):
        if path.is_file():
            continue
        is_lost = path.is_symlink() and not path.exists()
        kind = "a link to nothing" if is_lost else "a directory" if path.is_dir() else "a pipe or a device"
        yield path.relative_to(project).as_posix(), kind


def _files(project: Path) -> Iterator[Path]:
    return (path for path in _named(project) if path.is_file())


def _named(project: Path) -> Iterator[Path]:
    roots = [project, *(p for p in (project / "tenants").glob("*") if p.is_dir())]
    for root in roots:
        for pattern in _PATTERNS:
            yield from root.glob(pattern)


def asterisk_name(tenant: str, name: str) -> str:
    """What a tenant's device or trunk is called inside Asterisk."""
    return f"{tenant}-{name}"


def pack(sources: Mapping[str, str]) -> bytes:
    return zlib.compress(msgspec.msgpack.encode(dict(sources)), 6)


def unpack(body: bytes) -> dict[str, str]:
    return msgspec.msgpack.decode(zlib.decompress(body), type=dict[str, str])
