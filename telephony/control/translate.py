"""From a node's events to facts about legs.

Runs inside the reader, so it only looks up, decides and hands over. Facts are told about legs in the book;
what comes for others is late, or not ours.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any, Literal

from core.dialing import CALLED
from core.events import (
    DigitPressed,
    LegArrived,
    LegEarlyMedia,
    LegEnded,
    LegHeld,
    LegResumed,
    LegRinging,
    LegUp,
    PlaybackFinished,
    RecordingFailed,
    RecordingFinished,
)
from core.leg import EndReason
from core.ports import EventSink
from telephony.ari import messages
from telephony.ari.messages import Channel, seconds
from telephony.ari.node_client import NodeClient
from telephony.control.causes import NORMAL_CLEARING, VANISHED, unanswered_reason
from telephony.control.legs import LegBook, LegMemory, RecordingMemory
from telephony.control.recording_ends import ended_by_what, mostly_missing
from telephony.control.recordings import RecordingFiles
from telephony.node.settings import CALLED_RETRY_S

log = logging.getLogger(__name__)

ARRIVED = "arrived"
DIALED = "dialed"
RETRIED = "retried"
_TARGET = "channel:"
_SOFT_DEVICE = 1
"""The flag of a soft hangup with which Asterisk ends a channel that has sent no audio for too long."""
_UNWRITTEN_S = 3.0
"""So much of a conversation may still wait to be written."""
_NOT_WRITTEN = "Asterisk stopped writing it: is there room on the disk of its recordings, and may it write there?"


def arrival(node: str, channel: Channel, args: list[str]) -> LegArrived:
    """`args` as the dialplan gives them: arrived, the dialled number, the endpoint it came through, what kind.

    A leg that is up when it arrives was held by the dialplan, which answers to play music.
    """
    return LegArrived(
        leg_id=channel.id,
        node=node,
        called=args[1] if len(args) > 1 else "",
        caller=channel.caller.number,
        caller_name=channel.caller.name,
        entry=args[2] if len(args) > 2 else "",
        retried=channel.state == "Up" or RETRIED in args[3:],
    )


class Translator:
    """One per node. `turn_away(leg_id)` is called for a leg that `admit` refuses."""

    def __init__(
        self,
        node: NodeClient,
        book: LegBook,
        files: RecordingFiles,
        sink: EventSink,
        admit: Callable[[LegArrived], bool] | None,
        turn_away: Callable[[NodeClient, str], None],
    ) -> None:
        self._node = node
        self._book = book
        self._files = files
        self._sink = sink
        self._admit = admit
        self._turn_away = turn_away
        self._handlers: dict[type, Callable[[Any], None]] = {
            messages.StasisStart: self._stasis_start,
            messages.StasisEnd: self._stasis_end,
            messages.ChannelStateChange: self._state_change,
            messages.ChannelDtmfReceived: self._digit,
            messages.PlaybackFinished: self._playback_finished,
            messages.ChannelHangupRequest: self._hangup_request,
            messages.ChannelDestroyed: self._destroyed,
            messages.ChannelHold: self._hold,
            messages.ChannelUnhold: self._unhold,
            messages.Dial: self._dial,
            messages.RecordingFinished: self._recording_finished,
            messages.RecordingFailed: self._recording_failed,
        }

    def take(self, event: messages.Event) -> None:
        handler = self._handlers.get(type(event))
        if handler is not None:
            handler(event)

    # -- legs
    def _stasis_start(self, event: messages.StasisStart) -> None:
        channel = event.channel
        leg = self._book.find(channel.id)
        if leg is not None:
            leg.confirmed = True
            leg.come()
            if not leg.inbound:
                if not leg.created:
                    self.tell_up(leg, _late_s(event.args))
            elif leg.node is not self._node:
                log.error(
                    "%s and %s both have a channel %s: give each node its own systemname",
                    self._node.name,
                    leg.node.name,
                    channel.id,
                )
            return
        if not event.args or event.args[0] != ARRIVED:
            self._book.entered.add(channel.id)  # dialed by an engine before us: the survey finds it
            return
        arrived = arrival(self._node.name, channel, event.args)
        if self._admit is not None and not self._admit(arrived):
            self._turn_away(self._node, channel.id)
            return
        leg = LegMemory(channel.id, self._node, inbound=True, limit_s=self._node.settings.inbound_limit_s)
        self._book.add(leg)
        self._sink(arrived)
        if channel.state == "Up":
            self.tell_up(leg)

    def tell_up(self, leg: LegMemory, late_s: float = 0.0) -> None:
        """Once per leg, whoever notices first: the event or the answer's response."""
        if not leg.up:
            leg.up = True
            self._sink(LegUp(leg.leg_id, late_s))

    def take_answer(self, leg: LegMemory) -> None:
        """One that we dialed through the dialplan is up for us when it enters the application."""
        leg.answered = True
        if leg.inbound or leg.created or leg.away is not None:
            self.tell_up(leg)

    def _state_change(self, event: messages.ChannelStateChange) -> None:
        leg = self._book.find(event.channel.id)
        if leg is None:
            return
        state = event.channel.state
        if state == "Up":
            self.take_answer(leg)
        elif state == "Ringing" and not leg.inbound:
            self.tell_ringing(leg)

    def tell_ringing(self, leg: LegMemory) -> None:
        if not leg.rang:
            leg.rang = True
            self._sink(LegRinging(leg.leg_id))

    def _dial(self, event: messages.Dial) -> None:
        leg = self._book.find(event.peer.id)
        if leg is None or leg.inbound:
            return
        leg.confirmed = True
        if event.dialstatus == "PROGRESS" and not leg.early_media and not leg.up:
            leg.early_media = True
            self._sink(LegEarlyMedia(leg.leg_id))

    def _hangup_request(self, event: messages.ChannelHangupRequest) -> None:
        leg = self._book.find(event.channel.id)
        if leg is None:
            return
        leg.hangup_seen = True
        if event.soft:
            leg.vanished = leg.vanished or bool(event.cause & _SOFT_DEVICE)
        elif event.cause:
            leg.hangup_cause = event.cause

    def _stasis_end(self, event: messages.StasisEnd) -> None:
        leg = self._book.find(event.channel.id)
        if leg is None:
            self._book.note_end(event.channel.id)
            return
        if leg.created and not leg.up:
            return  # why it was never answered is told when it is destroyed
        if leg.asked_to_end is not None:
            reason = leg.asked_to_end
        elif leg.vanished and not leg.hangup_cause:
            leg.hangup_cause, reason = VANISHED, EndReason.FAILED
        elif not leg.hangup_seen and _over_limit(leg, event):
            reason = EndReason.LIMIT_REACHED
        elif not leg.hangup_seen and leg.leg_id.endswith(CALLED):
            reason = EndReason.HARBOURED  # she is there still, and somebody else sent her on
        else:
            reason = EndReason.HUNG_UP
        self.end(leg, reason, leg.hangup_cause)

    def _destroyed(self, event: messages.ChannelDestroyed) -> None:
        """Comes first only for legs we dialed that never entered the application."""
        leg = self._book.find(event.channel.id)
        if leg is None:
            self._book.note_end(event.channel.id)
            return
        if leg.asked_to_end is not None:
            reason = leg.asked_to_end
        elif leg.answered or leg.up:
            self.tell_up(leg)
            reason = EndReason.HUNG_UP
        else:
            reason = unanswered_reason(event.cause, event.tech_cause, leg.rang or leg.early_media)
        self.end(leg, reason, event.cause, 0 if leg.up else event.tech_cause)

    def end(self, leg: LegMemory, reason: EndReason, cause: int, sip_status: int = 0) -> None:
        if not cause and reason in (EndReason.HUNG_UP, EndReason.HUNG_UP_BY_US):
            cause = NORMAL_CLEARING
        if leg.talk is not None:
            self.end_talk(leg, leg.talk.recording_id, "hangup")
        self._book.forget(leg.leg_id)
        self._sink(LegEnded(leg.leg_id, reason, cause, sip_status))

    def end_talk(self, leg: LegMemory, recording_id: str, how: Literal["hangup", "stopped"]) -> None:
        """A conversation's recording is over: whether it became one shows in what was written. Of one that an engine
        before us started, nobody knows how long it should be."""
        talk, leg.talk = leg.talk, None
        written_s = self._files.talk_duration_s(recording_id)
        lasted_s = asyncio.get_running_loop().time() - talk.began_s if talk is not None else written_s or 0.0
        missing = written_s is None or lasted_s - written_s > max(_UNWRITTEN_S, lasted_s / 2)
        if written_s is None or (missing and self._files.is_disk_full()):
            self._sink(RecordingFailed(leg.leg_id, recording_id, _NOT_WRITTEN, partial=written_s is not None))
        else:
            self._sink(RecordingFinished(leg.leg_id, recording_id, max(written_s, lasted_s), how))

    def _hold(self, event: messages.ChannelHold) -> None:
        if (leg := self._book.find(event.channel.id)) is not None:
            leg.holds = True
            self._sink(LegHeld(event.channel.id))

    def _unhold(self, event: messages.ChannelUnhold) -> None:
        if (leg := self._book.find(event.channel.id)) is not None:
            leg.holds = False
            self._sink(LegResumed(event.channel.id))

    # -- media
    def _digit(self, event: messages.ChannelDtmfReceived) -> None:
        leg = self._book.find(event.channel.id)
        if leg is None:
            return
        recording = leg.recording
        if recording is not None and (recording.terminators == "any" or event.digit == recording.terminators):
            recording.digit_seen = True
        self._sink(DigitPressed(leg.leg_id, event.digit))

    def _playback_finished(self, event: messages.PlaybackFinished) -> None:
        playback = event.playback
        leg = self._book.find(playback.target_uri.removeprefix(_TARGET))
        if leg is None:
            return
        stopped = leg.playing.pop(playback.id, False)
        how: Literal["completed", "stopped", "failed"] = "failed" if playback.state == "failed" else "completed"
        # Nobody is listening any more: a flow that heard of it would go on for a caller who has gone.
        if not leg.hangup_seen:
            self._sink(PlaybackFinished(leg.leg_id, playback.id, "stopped" if stopped else how))
        leg.tell_if_idle()

    def _recording_finished(self, event: messages.RecordingFinished) -> None:
        leg, recording = self._recording(event.recording)
        if leg is None or recording is None:
            return
        if recording.discarded:
            leg.tell_if_idle()
            return
        lasted_s = asyncio.get_running_loop().time() - recording.began_s
        written_s = self._files.duration_s(recording.recording_id)
        ended_by = ended_by_what(leg, recording, lasted_s, written_s)
        missing = written_s is not None and mostly_missing(recording, ended_by, lasted_s, written_s)
        # A phone that sends nothing while nobody speaks leaves little to write as well.
        if ended_by is None or written_s is None or (missing and self._files.is_disk_full()):
            self._sink(RecordingFailed(leg.leg_id, recording.recording_id, _NOT_WRITTEN))
        else:
            # The silence that ended it is cut off the file.
            heard_s = min(written_s + recording.silence_s, lasted_s) if ended_by == "silence" else written_s
            self._sink(RecordingFinished(leg.leg_id, recording.recording_id, heard_s, ended_by))
        leg.tell_if_idle()

    def _recording_failed(self, event: messages.RecordingFailed) -> None:
        leg, recording = self._recording(event.recording)
        if leg is None or recording is None:
            return
        why = event.recording.cause or "Asterisk could not record; is there room on its disk?"
        self._sink(RecordingFailed(leg.leg_id, recording.recording_id, why))
        leg.tell_if_idle()

    def _recording(self, told: messages.RecordingRef) -> tuple[LegMemory | None, RecordingMemory | None]:
        """The recording that just ended, taken off its leg."""
        leg = self._book.find(told.target_uri.removeprefix(_TARGET))
        if leg is None or leg.recording is None:
            return None, None
        recording, leg.recording = leg.recording, None
        return leg, recording


def _late_s(args: Sequence[str]) -> float:
    """How long she whom we dialed has been offered to an engine in vain, and before that was heard by AMD()."""
    tries, heard_s = args[1] if len(args) > 1 else "", args[4] if len(args) > 4 else ""
    waited_s = int(tries) * CALLED_RETRY_S if tries.isdecimal() else 0.0
    return waited_s + (int(heard_s) if heard_s.isdecimal() else 0)


def _over_limit(leg: LegMemory, event: messages.StasisEnd) -> bool:
    """A leg that leaves without a hangup request was ended by its absolute limit (or by Asterisk's own end)."""
    if leg.limit_s <= 0:
        return True
    return seconds(event.timestamp) - seconds(event.channel.creationtime) >= leg.limit_s - 1.0
