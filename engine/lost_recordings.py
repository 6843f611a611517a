"""A recording that could not be made or kept is told: in the log, by a metric, and in its contact's journal, also when
the contact is over by then."""

from __future__ import annotations

import logging
from collections import OrderedDict

from core.events import CommandRejected, Event, RecordingFailed
from engine.metrics import Metrics

log = logging.getLogger("centralita.recordings")

_COMMANDS = frozenset({"KeepRecording", "StartRecording", "StartTalkRecording"})
_REMEMBERED = 1000


def interaction_id_of(recording_id: str) -> str:
    """Messages are named `<interaction>.<visit>.<number>`, conversations `<interaction>.r<number>`."""
    rest, _, last = recording_id.rpartition(".")
    return rest if last.startswith("r") else rest.rpartition(".")[0]


def lost(event: Event) -> tuple[str, str]:
    """(the recording that this event tells is lost, why); empty for other events."""
    match event:
        case RecordingFailed(recording_id=recording_id, why=why):
            return recording_id, why
        case CommandRejected(what=what, why=why, subject_id=recording_id) if what in _COMMANDS:
            return recording_id, why
    return "", ""


class LostRecordings:
    """Each is counted and logged once, however often it is told."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._known: OrderedDict[str, None] = OrderedDict()
        self.count = 0
        """Since this process began."""

    def hear(self, event: Event) -> str:
        """Whose recording is lost, its interaction's id; empty when none is."""
        recording_id, why = lost(event)
        if not recording_id:
            return ""
        if recording_id not in self._known:
            self._known[recording_id] = None
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
            self.count += 1
            self._metrics.lost_recordings.inc()
            log.error("recording %s could not be made or kept whole: %s", recording_id, why)
        return interaction_id_of(recording_id)
