"""What a command must know of `config/site.yaml`, such as the clock people there look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.config.models import Site
    from engine.home import Home


def site_of(home: Home) -> Site:
    """Defaults when its file cannot be read: what happened is asked about when something is broken."""
    from definitions.models import load
    from definitions.problems import Problems
    from engine.config import models
    from engine.config.sources import read_sources

    site = load(models.Site, read_sources(home.project).get("config/site.yaml", ""), "config/site.yaml")
    return models.Site(site="site") if isinstance(site, Problems) else site
