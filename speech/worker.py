"""A voice in a process of its own: `python -m speech.worker NAME` speaks JSON lines on stdin and stdout.

    -> {"id": 1, "text": "Buenas tardes", "language": "es", "file": "/…/ab/ab12….ulaw"}
    <- {"id": 1, "seconds": 0.9, "took_s": 0.41}
    <- {"id": 1, "error": "…", "kind": "text" | "voice" | "disk"}

The sound is on disk, whole, when the answer comes. A line without `file` only loads the model. The process ends
when its stdin does, so it never outlives whoever started it.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import time
from pathlib import Path
from typing import IO, Any

from speech.audio import PHONE_RATE, for_the_phone, write_whole
from speech.errors import VoiceUnavailable
from speech.ports import Voice
from speech.voices import make_voice


def answer(voice: Voice, request: dict[str, Any]) -> dict[str, Any]:
    """Does one request; every failure becomes an answer."""
    started_s = time.monotonic()
    try:
        sound = for_the_phone(voice.synthesise(str(request["text"]), str(request["language"])))
        if request.get("file"):
            write_whole(Path(str(request["file"])), sound)
    except VoiceUnavailable as problem:
        return {"id": request.get("id"), "kind": "voice", "error": str(problem)}
    except OSError as problem:
        return {"id": request.get("id"), "kind": "disk", "error": str(problem)}
    except Exception as problem:  # a voice is a library of others: whatever it raises is about this text
        return {"id": request.get("id"), "kind": "text", "error": f"{type(problem).__name__}: {problem}"}
    seconds = len(sound) / PHONE_RATE
    return {"id": request.get("id"), "seconds": seconds, "took_s": round(time.monotonic() - started_s, 4)}


def serve(voice: Voice, requests: IO[str], answers: IO[str]) -> None:
    """Until the requests end."""
    for line in requests:
        try:
            request = json.loads(line)
            assert isinstance(request, dict)
        except (ValueError, AssertionError):
            logging.getLogger(__name__).warning("not a request: %.80r", line)
            continue
        answers.write(json.dumps(answer(voice, request)) + "\n")
        answers.flush()


def main() -> None:
    """Serves the voice named by the first argument, at the niceness given by the second."""
    logging.basicConfig(level=logging.ERROR, stream=sys.stderr)
    # Ctrl-C goes to the whole terminal; the end of stdin is what ends a worker.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Libraries that print must not print into the answers.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    os.nice(int(sys.argv[2]) if len(sys.argv) > 2 else 0)
    serve(make_voice(sys.argv[1]), sys.stdin, answers)


if __name__ == "__main__":
    main()
