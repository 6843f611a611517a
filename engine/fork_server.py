"""Processes that begin with everything imported: forked from one that did so, and has no thread, socket or state.

Importing the engine takes two seconds of CPU, which callers would hear as music whenever it is started again; forked,
it is there at once, and all that is imported is in memory once. The server is `multiprocessing`'s, started by
`warm_up`, or with the first child. It ends when we do, however that happens, and its children with it; when it dies
they do, and the next one to be started starts another.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import importlib
import logging
import multiprocessing
import os
import signal
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import forkserver, util
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from setproctitle import setproctitle, setthreadtitle

_PRELOADED = "engine.preload"
_PR_SET_PDEATHSIG = 1
_server = multiprocessing.get_context("forkserver")
_server.set_forkserver_preload([_PRELOADED])
_one_at_a_time = ThreadPoolExecutor(1, thread_name_prefix="fork server")
"""Starting blocks, at first for as long as the imports take; and the module's bookkeeping is for one thread."""


class Forked:
    """A process that runs. `returncode`: None while it does, negative after a signal."""

    def __init__(self, process: ForkServerProcess) -> None:
        assert process.pid is not None
        self.pid = process.pid
        self.returncode: int | None = None
        self._process = process
        self._ended = asyncio.ensure_future(self._end())

    async def wait(self) -> int:
        return await asyncio.shield(self._ended)

    def terminate(self) -> None:
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError):  # it has just ended
                os.kill(self.pid, number)

    async def _end(self) -> int:
        loop = asyncio.get_running_loop()
        over = asyncio.Event()
        loop.add_reader(self._process.sentinel, over.set)
        try:
            await over.wait()
        finally:
            loop.remove_reader(self._process.sentinel)
        code = await loop.run_in_executor(_one_at_a_time, _exit_code, self._process)
        self.returncode = code
        return code


def warm_up() -> None:
    """Lets the server begin to import, beside what there is to do before the first process can be started."""
    with contextlib.suppress(OSError):  # whoever starts a process is told
        forkserver.ensure_running()


async def fork(name: str, module: str, env: Mapping[str, str], log_file: Path) -> Forked:
    """Runs `main()` of a module in a process of its own, in the environment `env`; what it prints is added to
    `log_file`. `name`: what lists of processes show.

    Raises:
        OSError: the server ended meanwhile, or there is no room for another process.
    """
    process = _server.Process(target=_begin, args=(name, module, dict(env), log_file), daemon=True)
    starting = asyncio.get_running_loop().run_in_executor(_one_at_a_time, _start, process)
    try:
        await asyncio.shield(starting)
    except asyncio.CancelledError:
        await asyncio.wait([starting])
        if starting.exception() is None:
            process.kill()
        raise
    except EOFError as error:
        raise OSError("the fork server has ended") from error
    return Forked(process)


def _start(process: ForkServerProcess) -> None:
    # Whoever tidies up /tmp may take the server's socket along, or where its next one is to be.
    Path(util.get_temp_dir()).mkdir(mode=0o700, exist_ok=True)
    try:
        process.start()
    except (FileNotFoundError, ConnectionRefusedError):
        server: int | None = forkserver._forkserver._forkserver_pid  # type: ignore[attr-defined]
        if server is not None:
            os.kill(server, signal.SIGKILL)  # nobody can reach it any more: all it forked come back from another
        raise


def _exit_code(process: ForkServerProcess) -> int:
    process.join()
    code = process.exitcode
    assert code is not None
    process.close()
    return code


def _begin(name: str, module: str, env: Mapping[str, str], log_file: Path) -> None:
    """In the new process."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    # The server ends when nobody holds this any more; `multiprocessing` gives it to every child, and has no other way.
    os.close(forkserver._forkserver._forkserver_alive_fd)  # type: ignore[attr-defined]
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.setsid()
    with log_file.open("ab") as out:
        for stream in (1, 2):
            os.dup2(out.fileno(), stream)
    os.environ.clear()
    os.environ.update(env)
    setproctitle(f"centralita {name}")
    setthreadtitle(name)  # `pkill centralita` means the supervisor, which lets calls end first
    try:
        sys.exit(importlib.import_module(module).main())
    finally:
        logging.shutdown()
