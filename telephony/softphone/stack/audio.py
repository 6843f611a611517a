"""What goes into a call and what is heard of it: a silent microphone, a wav player, a wav recorder.

pjsua mixes every 20 ms on a thread of its own and carries out connections and removals there, a tick later.
"""

from __future__ import annotations

import contextlib
import os
import time
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pjsua2 as pj

from telephony.softphone.stack.host import Host, Refused

_CLOSE_EVERY_S = 0.01
_CLOSE_WITHIN_S = 1.0


class _Player(pj.AudioMediaPlayer):  # type: ignore[misc]
    """Tells when the file has been played, from whatever thread pjsua says it on."""

    def __init__(self, at_end: Callable[[], None]) -> None:
        super().__init__()
        self._at_end = at_end

    def onEof2(self) -> None:  # noqa: N802
        self._at_end()


class CallAudio:
    """The audio of one call. Survives re-INVITEs: what plays and records is connected again to the new stream."""

    def __init__(self, host: Host, call_name: str) -> None:
        self._host = host
        self._call = call_name
        self._media: Any = None
        self._player: _Player | None = None
        self._playing = ""
        self._loop = False
        self._recorder: Any = None
        self._recording = ""
        self._silence: Any = None
        self._muted = False

    # -- the stream comes and goes ---------------------------------------------------------------
    def attach(self, media: Any) -> None:
        self._media = media
        # A phone sends sound all the time, silence included: without it Asterisk's Answer() waits half a second.
        pj.Endpoint.instance().audDevManager().getCaptureDevMedia().startTransmit(media)
        if self._playing and self._player is None:
            self._start_player()
        elif self._player is not None:
            self._player.startTransmit(media)
        if self._recorder is not None:
            media.startTransmit(self._recorder)
        self._set_level()

    def detach(self) -> None:
        self._media = None

    def close(self) -> None:
        """The call has ended."""
        self.detach()
        self.stop_playing()
        self.stop_recording()

    # -- mouth -----------------------------------------------------------------------------------
    def play(self, path: str, loop: bool) -> None:
        """Starts now, or with the call's audio.

        Raises:
            Refused: no such file, or it is no 16-bit PCM mono wav.
        """
        check_playable(path)
        self.stop_playing()
        self._playing, self._loop = path, loop
        if self._media is not None:
            self._start_player()

    def stop_playing(self) -> None:
        if self._playing:
            path, self._playing = self._playing, ""
            self._drop_player()
            self._host.emit("played", call=self._call, path=path, finished=False)

    def mute(self, on: bool) -> None:
        self._muted = on
        self._set_level()

    def _set_level(self) -> None:
        if self._media is not None:
            # From the mixer to the stream, in spite of its name.
            self._media.adjustRxLevel(0.0 if self._muted else 1.0)

    def _start_player(self) -> None:
        path = self._playing
        player = _Player(lambda: self._host.after(0.0, lambda: self._at_end(path, time.monotonic())))
        player.createPlayer(path, 0 if self._loop else pj.PJMEDIA_FILE_NO_LOOP)
        player.startTransmit(self._media)
        self._player = player
        self._host.emit("playing", call=self._call, path=path)

    def _at_end(self, path: str, at_s: float) -> None:
        if self._playing == path and not self._loop:
            self._playing = ""
            self._drop_player()
            self._host.emit("played", at_s=at_s, call=self._call, path=path, finished=True)

    def _drop_player(self) -> None:
        player, self._player = self._player, None
        if player is not None and self._media is not None:
            with contextlib.suppress(pj.Error):
                player.stopTransmit(self._media)

    # -- ear -------------------------------------------------------------------------------------
    def record(self, path: str) -> None:
        """From now on, silence before the call's audio included.

        Raises:
            Refused: it already records, or the file cannot be written.
        """
        if self._recorder is not None:
            raise Refused(f"call {self._call} already records to {self._recording}", "stop_recording first")
        _check_writable(path)
        recorder, silence = pj.AudioMediaRecorder(), pj.ToneGenerator()
        recorder.createRecorder(path)
        # A recorder with nothing connected writes nothing, and the gap would be missing: silence keeps it going.
        silence.createToneGenerator()
        silence.startTransmit(recorder)
        self._recorder, self._silence, self._recording = recorder, silence, path
        self._host.emit("recording", call=self._call, path=path)
        if self._media is not None:
            self._media.startTransmit(recorder)

    def stop_recording(self) -> None:
        if self._recorder is None:
            return
        path, self._recording = self._recording, ""
        with contextlib.suppress(pj.Error):
            self._silence.stopTransmit(self._recorder)
            if self._media is not None:
                self._media.stopTransmit(self._recorder)
        self._recorder = self._silence = None
        self._report_when_closed(path, time.monotonic(), time.monotonic() + _CLOSE_WITHIN_S)

    def _report_when_closed(self, path: str, stopped_s: float, deadline_s: float) -> None:
        """pjsua closes the file on its mixing thread: the header tells when."""
        if is_closed_wav(path):
            with wave.open(path, "rb") as recording:
                seconds = recording.getnframes() / recording.getframerate()
            self._host.emit("recorded", at_s=stopped_s, call=self._call, path=path, seconds=round(seconds, 3))
        elif time.monotonic() < deadline_s:
            self._host.after(_CLOSE_EVERY_S, lambda: self._report_when_closed(path, stopped_s, deadline_s))
        else:
            why = "is the disk full?" if os.path.exists(path) else "it was removed meanwhile"
            self._host.emit("error", what=f"the recording {path} was not closed", hint=why, call=self._call)


def is_closed_wav(path: str) -> bool:
    """Its header carries the file's real length, which is written last."""
    try:
        with open(path, "rb") as file:
            header = file.read(8)
        return header[:4] == b"RIFF" and int.from_bytes(header[4:8], "little") == os.path.getsize(path) - 8
    except OSError:
        return False


def check_playable(path: str) -> None:
    """
    Raises:
        Refused: saying what is wrong with the file.
    """
    mend = f"convert it: sox {path} -b 16 -c 1 -r 8000 out.wav"
    try:
        with wave.open(path, "rb") as wav:
            shape = (wav.getnchannels(), wav.getsampwidth())
            frames = wav.getnframes()
    except OSError as error:
        raise Refused(f"cannot read {path}: {error.strerror or error}", "give the path of a wav file") from error
    except (wave.Error, EOFError) as error:
        raise Refused(f"{path} is no PCM wav file: {error or 'it is cut short'}", mend) from error
    if shape != (1, 2):
        raise Refused(f"{path} has {shape[0]} channels of {shape[1] * 8} bits, not 1 of 16", mend)
    if not frames:
        raise Refused(f"{path} holds no sound", "give a wav file with at least one sample")


def _check_writable(path: str) -> None:
    target = Path(path)
    if target.suffix.lower() != ".wav":
        raise Refused(f"cannot record to {path}", "recordings are wav files: end the name in .wav")
    try:
        with open(target, "ab"):
            pass
    except OSError as error:
        raise Refused(f"cannot write {path}: {error.strerror or error}", "choose a directory that exists") from error
