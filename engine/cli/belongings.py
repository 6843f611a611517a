"""Files of another user: what a command says instead of how far it came."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

from engine.cli.common import CANNOT_START, fail, home_of
from engine.home import Home


def whose(failure: OSError) -> str:
    """What may not be used, whose it is, and what to do."""
    name = failure.filename
    if not isinstance(name, str | bytes | os.PathLike):
        return f"this may not be done: {failure.strerror or failure}"
    path = Path(os.fsdecode(name))
    seen = _visible(path)
    owner, me = _name(seen.stat().st_uid), _name(os.geteuid())
    theirs = path if seen == path else seen
    if owner == me:
        return f"{path} may not be used: give yourself the right to it (chmod u+rwX {theirs})"
    mine = f"chown -R {me} {theirs}"
    return f"{path} may not be used by {me}: {theirs} is {owner}'s. Run this as {owner}, or make it yours: {mine}"


def closed(home: Home) -> str:
    """Why nothing in the state directory can be reached; empty: it can."""
    if not home.state.is_dir() or os.access(home.state, os.R_OK | os.X_OK):
        return ""
    return whose(PermissionError(13, os.strerror(13), str(home.state)))


def prepared(project: Path | None) -> Home:
    """Where all is kept, made if it is new; ends the command where that cannot be."""
    home = home_of(project)
    try:
        home.prepare()
    except PermissionError as failure:
        fail(whose(failure), CANNOT_START)
    except OSError as failure:
        why = f"{home.state} cannot be the state directory: {failure.strerror}"
        fail(f"{why}: let CENTRALITA_STATE name another", CANNOT_START)
    return home


def _visible(path: Path) -> Path:
    """It, or the nearest directory above of which the owner can be seen."""
    for one in (path, *path.parents):
        try:
            one.stat()
        except OSError:
            continue
        return one
    return Path("/")


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
