"""What the desk's process is told in a small file when everything is started, and what it answers in another."""

from __future__ import annotations

import json

from desk import first_admin, settings
from engine.config.loader import Configuration
from engine.home import Home

ANSWERS_WITHIN_S = 10.0


def save_for_desk(home: Home, configuration: Configuration) -> None:
    """Raises OSError."""
    site = configuration.site
    body = {
        "bind": site.desk_bind,
        "port": site.desk_port,
        "url": site.desk_url,
        "database": site.database,
        "title": site.title or site.site,
        "languages": list(site.languages),
        "time_zone": site.time_zone,
        "country": site.country,
        "upload_mb": site.upload_mb,
        "emergency": list(configuration.emergency.numbers),
        "phones": {
            site.site: f"127.0.0.1:{site.asterisk_http_port}",
            **{remote.node: f"{remote.host}:{remote.port}" for remote in site.nodes},
        },
        "tenants": ["main", *sorted({tenant for tenant, _ in configuration.queues} - {"main"})],
    }
    path = home.state / settings.FILE
    draft = path.with_suffix(".new")
    # The database's URL may hold a password.
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(body, indent=1), encoding="utf-8")
    draft.replace(path)
    (home.state / first_admin.SAID_FILE).unlink(missing_ok=True)


def admin_link(home: Home) -> str | None:
    """The first admin's link, empty when somebody can log in already; None while the desk has not looked yet."""
    try:
        return str(json.loads((home.state / first_admin.SAID_FILE).read_text(encoding="utf-8"))["link"])
    except (OSError, ValueError, KeyError):
        return None
