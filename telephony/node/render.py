"""From settings to the files Asterisk reads.

Everything lies below the node's `state_dir`; the host's own Asterisk files are neither read nor written:

    etc/      what the templates of `asterisk/templates/` render to, and the private root's hosts file
    data/     links to the installation's sounds (`sounds/es`, `sounds/en`) and music (`moh`)
    spool/    recordings       lib/  Asterisk's database      run/  its socket      log/  its log

All files are rendered before the first is written, and each replaces its predecessor in one step: an
error changes nothing. A value that could start a line, a section or a comment is refused.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from pydantic import BaseModel

from telephony.node.carrier_password import escaped, unfit
from telephony.node.certificate import self_signed
from telephony.node.errors import UnsafeValue
from telephony.node.installation import TEMPLATES, Installation
from telephony.node.settings import (
    AMD_ARGUMENTS,
    AMD_CONTEXT,
    CALLED_CONTEXT,
    CALLED_RETRY_S,
    CALLED_TRIES,
    STASIS_APP,
    NodeSettings,
)

IDENTIFIER = "res_pjsip_endpoint_identifier_ip.so"
"""Knows carriers by their addresses; reloaded, it resolves their names again."""
RELOADED_MODULES = (
    "res_pjsip.so",
    "res_pjsip_outbound_registration.so",
    IDENTIFIER,
    "pbx_config.so",
    "res_musiconhold.so",
    "res_rtp_asterisk.so",
)
"""What to reload (AMI `Reload`, in this order) when `render` ran under a running Asterisk: phones, trunks, dialplan,
music."""

_DIRECTORIES = ("etc", "data", "data/sounds", "spool", "lib", "lib/keys", "run", "log")
_LOG_LEVELS = {
    "error": "error",
    "warning": "warning,error",
    "notice": "notice,warning,error",
    "verbose": "verbose,notice,warning,error",
    "debug": "debug,verbose,notice,warning,error",
}
# Asterisk complains when it finds none of these.
_EMPTY = (
    "acl.conf",
    "amd.conf",
    "ccss.conf",
    "features.conf",
    "pjproject.conf",
    "udptl.conf",
    "websocket_client.conf",
    "chan_websocket.conf",
)


def render(settings: NodeSettings, installation: Installation) -> Path:
    """Writes the node's directories and files (mode 0600, directories 0700); returns `asterisk.conf`'s path.

    Run again at any time, also under a running Asterisk, which sees new devices, trunks and dialplan once
    `RELOADED_MODULES` are reloaded; calls go on. Ports and addresses need a new start.

    Raises:
        UnsafeValue: a setting could break out of its line.
        OSError: the state directory cannot be written.
    """
    for name, value in _values(settings):
        _refuse_unsafe(name, value)
    files = _rendered(settings, installation)

    for directory in ("", *_DIRECTORIES):
        (settings.state_dir / directory).mkdir(mode=0o700, parents=True, exist_ok=True)
    settings.recordings.mkdir(mode=0o700, parents=True, exist_ok=True)
    if settings.recordings_dir is not None:
        _link(settings.spool_dir / "recording", settings.recordings_dir)
    _link_data(settings, installation)
    if settings.tls_port is not None and settings.tls_certificate is None:
        certificate, key = _own_certificate(settings)
        if not (certificate.exists() and key.exists()):
            certificate_pem, key_pem = self_signed(settings.external_address or str(settings.bind))
            files |= {certificate.name: certificate_pem, key.name: key_pem}

    etc = settings.state_dir / "etc"
    for file_name, text in files.items():
        _replace(etc / file_name, text)
    return etc / "asterisk.conf"


def _rendered(settings: NodeSettings, installation: Installation) -> dict[str, str]:
    certificate, key = settings.tls_certificate, settings.tls_key
    if certificate is None or key is None:
        certificate, key = _own_certificate(settings)
    variables: dict[str, Any] = {
        "node": settings,
        "stasis_app": STASIS_APP,
        "amd_context": AMD_CONTEXT,
        "amd_arguments": AMD_ARGUMENTS,
        "called_context": CALLED_CONTEXT,
        "called_retry_s": CALLED_RETRY_S,
        "called_tries": CALLED_TRIES,
        "state_dir": settings.state_dir,
        "spool_dir": settings.spool_dir,
        "etc_dir": settings.state_dir / "etc",
        "modules_dir": installation.modules_dir,
        "log_levels": _LOG_LEVELS[settings.log_level],
        "has": installation.modules.__contains__,
        "optional": lambda module: (
            f"{'load = ' if module in installation.modules else '; not in this Asterisk: '}{module}"
        ),
        "tls_certificate": certificate,
        "tls_key": key,
    }
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        finalize=lambda value: ("yes" if value else "no") if isinstance(value, bool) else value,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701  these files are no HTML; `_refuse_unsafe` has seen every value
    )
    environment.filters["escaped"] = escaped
    environment.filters["socket"] = lambda ip, port: f"[{ip}]:{port}" if ip.version == 6 else f"{ip}:{port}"
    files = {
        name.removesuffix(".j2"): environment.get_template(name).render(variables)
        for name in environment.list_templates()
    }
    return files | dict.fromkeys(_EMPTY, "; Empty on purpose.\n") | {"hosts": _hosts()}


def _hosts() -> str:
    """Without its own name here, an Asterisk in a private root waits seconds for DNS on every call."""
    return f"127.0.0.1 localhost\n::1 localhost ip6-localhost\n127.0.1.1 {socket.gethostname()}\n"


def _own_certificate(settings: NodeSettings) -> tuple[Path, Path]:
    return settings.state_dir / "etc" / "tls.crt", settings.state_dir / "etc" / "tls.key"


def _link_data(settings: NodeSettings, installation: Installation) -> None:
    """Links dangle outside a private root and lead to its own files inside."""
    data = settings.state_dir / "data"
    _link(data / "moh", installation.data_dir / "moh")
    for name in ("documentation", "rest-api"):
        _link(data / name, installation.data_dir / name)
    for language in settings.languages:
        if (recorded := installation.sounds(language)) is not None:
            _link(data / "sounds" / language, recorded)


def _values(model: object, name: str = "") -> Iterator[tuple[str, str]]:
    """Every value of the settings as text, with the way to it: `trunks.0.host`."""
    if isinstance(model, BaseModel):
        for field in type(model).model_fields:
            yield from _values(getattr(model, field), f"{name}.{field}" if name else field)
    elif isinstance(model, tuple):
        for index, item in enumerate(model):
            yield from _values(item, f"{name}.{index}")
    elif model is not None:
        yield name, str(model)


def _refuse_unsafe(name: str, value: str) -> None:
    if name.endswith(".password"):
        if why := unfit(value):
            raise UnsafeValue(f"{name}: {why}: Asterisk's files cannot hold it")
        return
    secret = any(word in name for word in ("secret", "password"))
    shown = "" if secret else f" {value[:40]!r}"
    for character in value:
        if not character.isprintable() or character in ";\\":
            raise UnsafeValue(
                f"{name}{shown}: contains {character!r}, which a value in Asterisk's files cannot hold: take it out"
            )
    if "${" in value or "$[" in value:
        raise UnsafeValue(f"{name}{shown}: contains ${{ or $[, which Asterisk would evaluate: take it out")
    if value.startswith(("[", "#", "=", ">", "<(")) or value != value.strip():
        raise UnsafeValue(f"{name}{shown}: starts with [, #, = or >, or has spaces around it: take them out")


def _link(link: Path, target: Path) -> None:
    if link.is_symlink() and link.readlink() == target:
        return
    if link.is_dir() and not link.is_symlink():
        link.rmdir()
    fresh = link.with_name(f".{link.name}.new")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(target)
    fresh.replace(link)


def _replace(path: Path, text: str) -> None:
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    fresh.replace(path)
