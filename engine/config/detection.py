"""Who tells machines from people at this site, for processes that need nothing else of the configuration."""

from __future__ import annotations

from pathlib import Path

from definitions.models import load
from definitions.problems import Problems
from engine.config.models import Detection, Site
from engine.config.sources import read_sources

_FILE = "config/site.yaml"


def chosen(project: Path) -> Detection:
    """As written; the default where the file cannot be read."""
    site = load(Site, read_sources(project).get(_FILE, ""), _FILE)
    return Detection() if isinstance(site, Problems) else site.detection
