"""The demo's own project: the shipped flows on ports nobody uses, with an office that is always open."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import yaml

from engine.home import Home
from telephony.node.ports import free_settings

CALLER = "main-2000"
"""The caller's phone inside Asterisk; nobody works at it."""
_ALWAYS_OPEN = "calendar: office\ntime_zone: Europe/Madrid\nhours: {mon-sun: 0:00-24:00}\n"


def build(project: Path, place: Path) -> Home:
    """A copy of the project's definitions under `place`, which is emptied first; the originals stay untouched."""
    shutil.rmtree(place, ignore_errors=True)
    demo = place / "project"
    demo.mkdir(parents=True)
    shutil.copytree(project / "config", demo / "config")
    (demo / "flows").symlink_to(project / "flows")
    site: dict[str, Any] = yaml.load((demo / "config/site.yaml").read_text(), yaml.BaseLoader)  # noqa: S506 - strings only
    node, other = free_settings(place / "ports"), free_settings(place / "ports")
    site["sip"] = {"port": node.sip_port, "rtp_first": node.rtp_start, "rtp_last": node.rtp_end}
    site["asterisk_http_port"], site["asterisk_manager_port"] = node.http_port, node.ami_port
    site["api_port"] = other.http_port
    (demo / "config/site.yaml").write_text(yaml.safe_dump(site, allow_unicode=True))
    (demo / "config/calendars/office.yaml").write_text(_ALWAYS_OPEN)
    (demo / "config/devices/2000.yaml").write_text('device: "2000"\ntitle: Marta\n')
    return Home(demo, _short(place / "var"))


def _short(state: Path) -> Path:
    """Asterisk's socket must fit below the state directory: a long path gets a short name in the temp directory."""
    if len(os.fsencode(state)) <= 80:
        return state
    import tempfile

    return Path(tempfile.mkdtemp(prefix="centralita-demo-"))
