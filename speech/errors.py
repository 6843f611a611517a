"""What can go wrong with speech.

SpeechError
├── VoiceUnavailable         a voice cannot speak on this machine, or not now
├── RecogniserUnavailable    a recogniser cannot hear on this machine
└── SpeechUnavailable        no voice at all could say this: play a recorded sound instead
"""

from __future__ import annotations

from core.errors import CentralitaError


class SpeechError(CentralitaError):
    """Something about speech; the message says what to do."""


class VoiceUnavailable(SpeechError):
    """A voice cannot speak: its parts are not installed, or its process keeps dying. Another voice may."""


class RecogniserUnavailable(SpeechError):
    """A recogniser cannot hear: its model or library is not installed."""


class SpeechUnavailable(SpeechError):
    """Every voice for this language failed. The caller should hear a recorded sound."""
