"""Ending a process leaves its exit status to who waits for it."""

from __future__ import annotations

import asyncio
import signal
import subprocess

import pytest

from telephony.softphone.ending import end


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
async def test_its_status_is_asked_for_by_nobody_else(monkeypatch: pytest.MonkeyPatch, how: signal.Signals) -> None:
    process = await asyncio.create_subprocess_exec("sleep", "60")
    asked: list[object] = []
    with monkeypatch.context() as patched:
        patched.setattr(subprocess.Popen, "poll", lambda popen: asked.append(popen))
        end(process, how)
    assert await process.wait() == -how
    assert asked == []
    end(process, how)
