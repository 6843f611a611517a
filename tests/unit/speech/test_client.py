"""The worker process: real processes, killed for real."""

import asyncio
import contextlib
import os
import signal

import pytest

from speech.assembly import open_renderer
from speech.audio import decode_ulaw
from speech.client import WorkerSpeaker
from speech.errors import VoiceUnavailable
from speech.voices import make_voice
from speech.voices.fake import FakeVoice


@pytest.fixture
async def speaker():
    made = WorkerSpeaker(make_voice("fake"))
    yield made
    await made.close()


async def test_it_starts_with_the_first_text_and_ends_when_closed(speaker, tmp_path):
    assert speaker.pid is None
    assert await speaker.speak("uno dos", "es", tmp_path / "a.ulaw") == pytest.approx(0.3, abs=0.1)
    assert decode_ulaw((tmp_path / "a.ulaw").read_bytes()).any()
    pid = speaker.pid
    os.kill(pid, 0)
    await speaker.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with pytest.raises(VoiceUnavailable, match="closed"):
        await speaker.speak("uno", "es", tmp_path / "b.ulaw")


async def test_many_texts_at_once_are_all_said(speaker, tmp_path):
    guessed_s = speaker.estimate_s("uno dos tres")
    files = [tmp_path / f"{number}.ulaw" for number in range(50)]
    await asyncio.gather(*(speaker.speak(f"texto {file.stem}", "es", file) for file in files))
    assert all(file.stat().st_size for file in files)
    assert speaker.estimate_s("uno dos tres") != guessed_s, "it has measured its pace"


async def test_a_killed_worker_is_replaced_without_a_failure(speaker, tmp_path):
    await speaker.warm_up("es")
    pid = speaker.pid
    saying = [asyncio.create_task(speaker.speak(f"texto {n}", "es", tmp_path / f"{n}.ulaw")) for n in range(20)]
    await asyncio.sleep(0.001)
    os.kill(pid, signal.SIGKILL)
    assert all(await asyncio.gather(*saying))
    assert speaker.pid != pid


async def test_a_worker_killed_while_idle_is_noticed(speaker, tmp_path):
    await speaker.warm_up("es")
    os.kill(speaker.pid, signal.SIGKILL)
    await asyncio.sleep(0.05)
    assert await speaker.speak("uno", "es", tmp_path / "a.ulaw")


async def test_a_voice_that_stays_comes_back_by_itself(tmp_path):
    speaker = WorkerSpeaker(make_voice("fake"), idle_s=None)
    await speaker.warm_up("es")
    pid = speaker.pid
    os.kill(pid, signal.SIGKILL)
    await until(lambda: speaker.pid not in (None, pid))
    await speaker.close()


async def test_a_voice_that_keeps_dying_rests(speaker, tmp_path):
    for _ in range(3):
        await speaker.warm_up("es")
        os.kill(speaker.pid, signal.SIGKILL)
        await until(lambda: speaker.pid is None)
    with pytest.raises(VoiceUnavailable, match="keeps dying"):
        await speaker.speak("uno", "es", tmp_path / "a.ulaw")


async def test_a_stuck_worker_is_ended(tmp_path):
    speaker = WorkerSpeaker(make_voice("fake"), stall_s=60.0)
    await speaker.warm_up("es")
    pid = speaker.pid
    os.kill(pid, signal.SIGSTOP)
    # Of a worker that stands still; one that starts, on a busy machine, is given its time.
    speaker._stall_s = 1.0
    with pytest.raises(VoiceUnavailable, match="no answer"):
        await speaker.speak("uno", "es", tmp_path / "a.ulaw")
    speaker._stall_s = 60.0
    assert await speaker.speak("uno", "es", tmp_path / "a.ulaw")
    assert speaker.pid != pid
    await speaker.close()


async def test_an_idle_worker_frees_its_memory_and_comes_back(tmp_path):
    speaker = WorkerSpeaker(make_voice("fake"), idle_s=0.1)
    await speaker.warm_up("es")
    pid = speaker.pid
    await until(lambda: speaker.pid is None and not _alive(pid))
    assert await speaker.speak("uno", "es", tmp_path / "a.ulaw")
    await speaker.close()


async def test_too_many_texts_are_refused_at_once(tmp_path):
    speaker = WorkerSpeaker(make_voice("fake"), most_pending=2)
    saying = [asyncio.create_task(speaker.speak(f"t {n}", "es", tmp_path / f"{n}.ulaw")) for n in range(3)]
    results = await asyncio.gather(*saying, return_exceptions=True)
    assert [isinstance(result, VoiceUnavailable) for result in results] == [False, False, True]
    await speaker.close()


async def test_what_goes_wrong_is_raised_as_what_it_is(speaker, tmp_path):
    with pytest.raises(ValueError, match="no words"):
        await speaker.speak("...", "es", tmp_path / "a.ulaw")
    with pytest.raises(ValueError, match="does not speak"):
        await speaker.speak("uno", "xx", tmp_path / "a.ulaw")
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        await speaker.speak("uno", "es", tmp_path / "file" / "a.ulaw")


async def test_a_voice_that_cannot_start_says_so(tmp_path):
    class Nameless(FakeVoice):
        name = "nobody"

    speaker = WorkerSpeaker(Nameless())
    with pytest.raises(VoiceUnavailable, match="died"):
        await speaker.speak("uno", "es", tmp_path / "a.ulaw")
    await speaker.close()


async def test_the_worker_ends_with_whoever_started_it(speaker):
    await speaker.warm_up("es")
    pid = speaker.pid
    speaker._process.stdin.close()
    await until(lambda: not _alive(pid))


async def test_dynamic_text_never_waits_for_kokoro(tmp_path):
    """The default voices, nothing rendered before: the fallback speaks long before the good voice could, which is not
    even started. `bench/voices.py` measures how long it takes."""
    renderer = open_renderer(cache=tmp_path)
    await renderer.speakers[1].warm_up("es")
    for name in ("Echeverría", "Núñez", "Goikoetxea"):
        await renderer.render(f"Hola, {name}. Enseguida le atendemos.", "es")
    assert renderer.outcomes == {"fallback": 3}
    assert renderer.speakers[0].pid is None
    await renderer.close()


async def test_killing_the_worker_never_fails_a_prompt(tmp_path):
    renderer = open_renderer(cache=tmp_path, voices=("espeak", "fake"), budget_s=5.0)
    await renderer.warm_up(["es"])
    rendering = [asyncio.create_task(renderer.render(f"Hola, número {chr(97 + n)}osé", "es")) for n in range(20)]
    for _ in range(2):
        await asyncio.sleep(0.03)
        if renderer.speakers[0].pid:
            with contextlib.suppress(ProcessLookupError):  # it has gone, and nobody has been told yet
                os.kill(renderer.speakers[0].pid, signal.SIGKILL)
    paths = await asyncio.gather(*rendering)
    assert all(path.with_suffix(".ulaw").stat().st_size for path in paths)
    assert renderer.outcomes["failed"] == 0
    await renderer.close()


async def until(what) -> None:
    async with asyncio.timeout(30):
        while not what():
            await asyncio.sleep(0.02)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
