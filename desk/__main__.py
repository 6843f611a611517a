"""`python -m desk`: serves the desk. `centralita up` starts it."""

from __future__ import annotations

import logging
import logging.handlers
import socket
import sys
import time
from collections.abc import Sequence

import uvicorn

from desk.app import make_app
from desk.services import Services
from desk.settings import NotSetUp, Settings
from store.errors import StoreError

log = logging.getLogger("centralita.desk")

_LOG_BYTES, _LOG_FILES = 10_000_000, 5


def main(arguments: Sequence[str] = ()) -> int:
    try:
        settings = Settings.find()
    except NotSetUp as failure:
        sys.stderr.write(f"{failure}\n")
        return 2
    if arguments:
        sys.stderr.write("usage: python -m desk; `centralita desk link` makes a link for an admin\n")
        return 2
    _log_to(settings)
    if settings.bind not in ("127.0.0.1", "::1", "localhost") and not settings.url.startswith("https:"):
        log.warning("passwords cross the network in clear: set `desk_url` to an https front, or bind to 127.0.0.1")
    try:
        return _serve(settings)
    except (OSError, StoreError) as failure:
        log.error("%s", failure)
        sys.stderr.write(f"{failure}\n")
        return 1


def _serve(settings: Settings) -> int:
    with _listening(settings) as listening:
        config = uvicorn.Config(
            make_app(Services.make(settings)),
            log_config=None,
            access_log=False,
            server_header=False,
            # Only a front that the site names is believed about where a request comes from.
            proxy_headers=bool(settings.url),
            ws_max_size=16_384,
            timeout_graceful_shutdown=2,
        )
        uvicorn.Server(config).run(sockets=[listening])
    return 0


def _listening(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.bind else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((settings.bind, settings.port))
    except OSError as failure:
        listening.close()
        raise OSError(
            f"port {settings.port} on {settings.bind} cannot be used ({failure.strerror}): "
            "stop what uses it, or set `desk_port` in config/site.yaml"
        ) from None
    return listening


def _log_to(settings: Settings) -> None:
    directory = settings.state / "log"
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    handler = logging.handlers.RotatingFileHandler(
        directory / "desk.log", maxBytes=_LOG_BYTES, backupCount=_LOG_FILES, encoding="utf-8"
    )
    formatter = logging.Formatter("%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s %(message)s", "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for noisy in ("httpx", "httpcore", "uvicorn", "websockets", "asyncio", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
