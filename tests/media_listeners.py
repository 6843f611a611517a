"""Listeners for tests of live audio, and a media worker that knows them: `python -m tests.media_listeners SOCKET`."""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from core.live_audio import AudioBlock, ListenerKind, Mouth, Verdict, WatchKind
from engine import listeners
from telephony.live_audio.talk_meter import TalkMeter
from telephony.live_audio.worker import run

KINDS = {
    "level": ListenerKind("telephony.live_audio.level:Level"),
    "notebook": ListenerKind("tests.media_listeners:Notebook"),
    "notebook16": ListenerKind("tests.media_listeners:Notebook", 16000),
    "speaker": ListenerKind("tests.media_listeners:Speaker"),
    "clumsy": ListenerKind("tests.media_listeners:Clumsy"),
    "absent": ListenerKind("tests.nowhere:Nobody"),
    "talk_notebook": ListenerKind("tests.media_listeners:metered_notebook"),
}


def tone(hz: float, seconds: float, rate_hz: int = 8000) -> bytes:
    samples = 0.3 * 32767 * np.sin(2 * np.pi * hz / rate_hz * np.arange(round(seconds * rate_hz)))
    return samples.astype(np.int16).tobytes()


def loud_hz(pcm: bytes, rate_hz: int) -> float:
    """The strongest frequency; 0 for silence."""
    samples = np.frombuffer(pcm, np.int16).astype(np.float64)
    if len(samples) < 80 or np.sqrt(np.mean(samples**2)) < 300:
        return 0.0
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), 8 * len(samples)))
    return float(np.argmax(spectrum) * rate_hz / (8 * len(samples)))


class Notebook:
    """Writes down what it hears and says it at the end, as JSON. `seconds`: then it ends by itself."""

    def __init__(self, options: Mapping[str, str]) -> None:
        self._blocks = round(float(options.get("seconds", "1000")) / 0.02)
        self._heard: list[AudioBlock] = []

    def feed(self, block: AudioBlock) -> Verdict | None:
        self._heard.append(block)
        return self.end() if len(self._heard) == self._blocks else None

    def end(self) -> Verdict:
        blocks = self._heard
        loud = [block for block in blocks if loud_hz(block.pcm, block.rate_hz)]
        hz = [round(loud_hz(b"".join(b.pcm for b in loud[n : n + 5]), loud[0].rate_hz)) for n in range(0, len(loud), 5)]
        told = {
            "leg_id": blocks[0].leg_id if blocks else "",
            "blocks": len(blocks),
            "in_order": [b.seq for b in blocks] == list(range(len(blocks))),
            "even": all(abs(b.at_s - a.at_s - 0.02) < 1e-4 for a, b in itertools.pairwise(blocks)),
            "began_s": blocks[0].at_s if blocks else 0.0,
            "bytes": sorted({len(b.pcm) for b in blocks}),
            "rate_hz": sorted({b.rate_hz for b in blocks}),
            "loud": len(loud),
            "first_loud": loud[0].seq if loud else -1,
            "last_loud": loud[-1].seq if loud else -1,
            "hz": sorted(set(hz[1:-1])),
            "filled": sum(b.filled for b in blocks),
            "filled_within": sum(b.filled for b in blocks[loud[0].seq : loud[-1].seq]) if loud else 0,
            "answered": [b.answered for b in blocks].index(True) if any(b.answered for b in blocks) else -1,
            "loud_unanswered": sum(not b.answered for b in loud),
        }
        return Verdict("heard", 0.5, json.dumps(told))


class TalkNotebook:
    """The same for whoever gets no audio: `talks`, the seconds in which she did, as JSON. What the first frame makes of
    silence is left out."""

    pause_s, loudness = 0.2, 256

    def __init__(self, options: Mapping[str, str]) -> None:
        self.due_s = float(options.get("seconds", "1000"))
        self._talks: list[list[float]] = []

    def talks(self, since_s: float) -> None:
        self._talks.append([since_s, 1000.0])

    def silent(self, since_s: float, lasted_s: float) -> None:
        self._talks[-1] = [since_s - lasted_s, since_s]

    def look(self, at_s: float) -> Verdict | None:
        return self.end(at_s) if at_s >= self.due_s else None

    def end(self, at_s: float) -> Verdict:
        spans = [(start, min(end, at_s)) for start, end in self._talks]
        talks = [span for span in spans if span[1] - span[0] > 0.25]
        return Verdict("heard", 0.5, json.dumps({"talks": talks, "loud": len(talks)}))


def metered_notebook(options: Mapping[str, str]) -> TalkMeter:
    return TalkMeter(TalkNotebook(options))


_PAUSE = bytes(320 * 15)


class Speaker:
    """Says `seconds` of a tone of `hz` at once; with `yield`, falls silent when the leg makes a sound. Its silence is
    said too: a phone that gets nothing at all makes up some more of what it heard last."""

    def __init__(self, options: Mapping[str, str]) -> None:
        self._pcm = tone(float(options["hz"]), float(options["seconds"]))
        self._yields = options.get("yield") == "yes"
        self._mouth: Mouth | None = None
        self._said_s = 0.0

    def begin(self, mouth: Mouth) -> None:
        self._mouth = mouth
        self._said_s = time.time()
        for at in range(0, len(self._pcm), 1000):  # no multiple of a frame
            mouth.say(self._pcm[at : at + 1000])
        mouth.say(_PAUSE)

    def feed(self, block: AudioBlock) -> Verdict | None:
        assert self._mouth is not None
        if not self._yields or not loud_hz(block.pcm, block.rate_hz):
            return None
        queued_s = self._mouth.queued_s
        self._mouth.flush()
        self._mouth.say(_PAUSE)
        return Verdict(
            "flushed", 1.0, json.dumps({"said_s": self._said_s, "at_s": time.time(), "queued_s": queued_s}), final=False
        )

    def end(self) -> Verdict:
        return Verdict("spoke")


class Clumsy:
    """`on` its making, its first block or its end, it raises; with `hang`, its first block never ends."""

    def __init__(self, options: Mapping[str, str]) -> None:
        self._on = options["on"]
        if self._on == "making":
            raise ValueError("never good enough")

    def feed(self, block: AudioBlock) -> Verdict | None:
        if self._on == "block":
            raise RuntimeError("dropped it")
        if self._on == "hang":
            time.sleep(60)
        return None

    def end(self) -> Verdict:
        raise RuntimeError("lost for words")


WATCHES = {**listeners.WATCHES, "talk_notebook": WatchKind(by_talk=TalkNotebook)}

if __name__ == "__main__":
    asyncio.run(run(Path(sys.argv[1]), KINDS))
