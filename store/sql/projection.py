"""From journal entries to table rows: a fold without I/O.

    entries --project(stories)--> Changes {new rows, patches}

A `Story` is what must be remembered of an interaction between its entries; the projector loads it from the
tables when it does not have it. The same entries always give the same rows, ids included, so the tables can
be rebuilt from the journal. Entries of interactions that nobody has opened (erased ones, on a rebuild) leave
no rows.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, MutableMapping
from dataclasses import dataclass, field

from core.commands import JoinQueue
from core.decisions import (
    Decision,
    FloorSteered,
    InteractionClosed,
    InteractionOpened,
    LegJoined,
    Moved,
    NodeEntered,
    NodeLeft,
    StayEnded,
    Supervised,
    WorkEnded,
)
from core.events import CommandRejected, LegAdopted, LegEnded, RecordingFailed, RecordingFinished, RecordingKept
from core.interaction import InteractionState
from core.leg import LegRole, LegState
from core.leg_commands import DiscardRecording, KeepRecording, OriginateLeg, StartRecording, StartTalkRecording
from core.survey import SurveyAnswered, SurveyAsked
from core.table import Transition
from store.entry import Recorded
from store.sql import rows
from store.sql.rows import Value
from store.sql.survey_rows import Surveyed

Key = tuple[str | int, ...]

_INTERACTION_SEGMENTS = {"in_flow": "flow", "queued": "wait", "callback_waiting": "wait"}
_LEG_SEGMENTS = {"dialing": "ring", "ringing": "ring", "early_media": "ring", "up": "talk", "held": "hold"}
_ASSIGNMENT_SEGMENTS = {"wrap_up": "wrap_up"}


@dataclass(slots=True)
class OpenSegment:
    segment_id: str
    kind: str


@dataclass(slots=True)
class Story:
    """`surveyed`: what a survey's rows are made of; `roles`: leg -> role; `segments`: subject -> the stretch it is in;
    `queue`: where it last waited."""

    tenant: str
    flow: str
    flow_version: str
    surveyed: Surveyed
    roles: dict[str, str] = field(default_factory=dict)
    segments: dict[str, OpenSegment] = field(default_factory=dict)
    queue: str = ""


Stories = MutableMapping[str, Story]


@dataclass(slots=True)
class Changes:
    """`rows`: table -> key -> a whole new row; `patches`: table -> key -> columns of a row that exists."""

    rows: dict[str, dict[Key, dict[str, Value]]] = field(default_factory=dict)
    patches: dict[str, dict[Key, dict[str, Value]]] = field(default_factory=dict)

    def put(self, table: str, key: Key, row: dict[str, Value]) -> None:
        self.rows.setdefault(table, {})[key] = row

    def patch(self, table: str, key: Key, **columns: Value) -> None:
        new = self.rows.get(table, {}).get(key)
        if new is not None:
            new.update(columns)
        else:
            self.patches.setdefault(table, {}).setdefault(key, {}).update(columns)


def project(entries: Iterable[Recorded], stories: Stories) -> Changes:
    """The changes of these entries, in order. `stories` is brought forward too."""
    changes = Changes()
    for entry in entries:
        _Entry(entry, stories, changes).project()
    return changes


class _Entry:
    """One entry on its way into the tables."""

    def __init__(self, entry: Recorded, stories: Stories, changes: Changes) -> None:
        self._entry = entry
        self._stories = stories
        self._changes = changes
        self._id = entry.interaction_id
        self._at_us = round(entry.at_s * 1e6)
        self._segments = 0

    def project(self) -> None:
        for decision in self._entry.decisions:
            if isinstance(decision, InteractionOpened):
                self._opened(decision)
        # What a queue and an agent did counts, whatever is known of the contact.
        for number, decision in enumerate(self._entry.decisions):
            if isinstance(decision, StayEnded):
                self._changes.put("queue_stays", (decision.stay_id,), rows.stay(decision, self._at_us))
                served = self._stories.get(decision.interaction_id)
                if served is not None and decision.purpose != "consult":
                    served.surveyed.served(decision.how, decision.queue, decision.agent_id)
            elif isinstance(decision, WorkEnded):
                work_id = f"{self._entry.seq}.{number}"
                self._changes.put("agent_work", (work_id,), rows.work(decision, work_id, self._at_us))
            elif isinstance(decision, Supervised):
                audit_id = f"{self._at_us:020d}-{self._entry.seq}.{number}"
                self._changes.put("audit_log", (audit_id,), rows.supervised(decision, audit_id, self._at_us))
            elif isinstance(decision, FloorSteered):
                audit_id = f"{self._at_us:020d}-{self._entry.seq}.{number}"
                self._changes.put("audit_log", (audit_id,), rows.steered(decision, audit_id, self._at_us))
        story = self._stories.get(self._id)
        if story is None:
            return
        # Legs before moves, whatever the order in which a core explained itself.
        for decision in self._entry.decisions:
            if isinstance(decision, LegJoined):
                self._joined(decision, story)
        self._read_commands(story)
        for decision in self._entry.decisions:
            self._read_decision(decision, story)
        self._read_event()

    def _opened(self, opened: InteractionOpened) -> None:
        surveyed = Surveyed(self._id, opened.tenant, opened.flow, opened.language)
        self._stories[self._id] = Story(opened.tenant, opened.flow, opened.flow_version, surveyed)
        row = rows.interaction(opened, self._id, self._entry.contact_key_id, self._at_us)
        self._changes.put("interactions", (self._id,), row)

    def _joined(self, joined: LegJoined, story: Story) -> None:
        story.roles[joined.leg_id] = joined.role
        self._changes.put("legs", (joined.leg_id,), rows.leg(joined, self._id, story.tenant, self._at_us))

    def _read_commands(self, story: Story) -> None:
        for command in self._entry.commands:
            match command:
                case JoinQueue(queue=queue):
                    story.queue = queue
                case StartRecording(leg_id=leg_id, recording_id=recording_id):
                    self._recording(story, leg_id, recording_id)
                case StartTalkRecording(leg_id, recording_id) if not isinstance(self._entry.event, LegAdopted):
                    self._recording(story, leg_id, recording_id)
                case KeepRecording(recording_id=recording_id, mailbox=mailbox, labels=labels):
                    text = json.dumps(dict(labels), ensure_ascii=False, sort_keys=True).replace("\\u0000", "")
                    self._changes.patch(
                        "recordings", (recording_id,), state="kept", mailbox=rows.text(mailbox), labels=text
                    )
                case DiscardRecording(recording_id=recording_id):
                    self._changes.patch("recordings", (recording_id,), state="discarded")

    def _recording(self, story: Story, leg_id: str, recording_id: str) -> None:
        row = rows.recording(recording_id, leg_id, self._id, story.tenant, self._at_us)
        self._changes.put("recordings", (recording_id,), row)

    def _read_decision(self, decision: Decision, story: Story) -> None:
        match decision:
            case Moved(transition):
                self._moved(transition, story)
            case NodeEntered(flow, node, visit):
                row = rows.visit(self._id, story.tenant, story.flow_version, decision, self._at_us)
                self._changes.put("node_visits", (self._id, visit), row)
                story.surveyed.entered(flow, node, visit)
            case SurveyAsked() | SurveyAnswered():
                key, columns, is_new = story.surveyed.row(decision, self._at_us)
                if is_new:
                    self._changes.put("survey_answers", key, columns)
                else:
                    self._changes.patch("survey_answers", key, **columns)
            case NodeLeft(visit=visit, branch=branch, target=target):
                self._changes.patch(
                    "node_visits",
                    (self._id, visit),
                    branch=rows.text(branch),
                    target=rows.text(target),
                    left_us=self._at_us,
                )
            case InteractionClosed(outcome=outcome):
                state = InteractionState.CLOSED.value
                self._changes.patch("interactions", (self._id,), state=state, closed_us=self._at_us, outcome=outcome)
                for subject in [name for name, open_ in story.segments.items() if open_.kind != "wrap_up"]:
                    self._end_segment(story, subject)

    def _moved(self, moved: Transition, story: Story) -> None:
        match moved.thing:
            case "interaction":
                self._changes.patch("interactions", (self._id,), state=moved.new)
                detail = {"in_flow": story.flow, "queued": story.queue, "callback_waiting": "callback"}
                self._segment(story, self._id, _INTERACTION_SEGMENTS.get(moved.new), detail.get(moved.new, ""))
            case "leg":
                self._leg_moved(moved, story)
            case "assignment":
                self._segment(story, moved.id, _ASSIGNMENT_SEGMENTS.get(moved.new), "")

    def _leg_moved(self, moved: Transition, story: Story) -> None:
        self._changes.patch("legs", (moved.id,), state=moved.new)
        role, kind = story.roles.get(moved.id, ""), _LEG_SEGMENTS.get(moved.new)
        if moved.new == LegState.UP.value and moved.old != LegState.HELD.value:
            self._changes.patch("legs", (moved.id,), up_us=self._at_us)
        if moved.new == LegState.ENDED.value:
            self._changes.patch("legs", (moved.id,), ended_us=self._at_us)
        if kind == "talk" and role == LegRole.CUSTOMER.value:
            # A customer who is up may be in a menu or a queue: talk is counted on the other party's leg.
            kind = None
        self._segment(story, moved.id, kind, role)

    def _segment(self, story: Story, subject_id: str, kind: str | None, detail: str) -> None:
        present = story.segments.get(subject_id)
        if present is not None and present.kind == kind and kind == "ring":
            return
        self._end_segment(story, subject_id)
        if kind is None:
            return
        segment_id = f"{self._entry.seq}.{self._segments}"
        self._segments += 1
        story.segments[subject_id] = OpenSegment(segment_id, kind)
        self._changes.put(
            "segments",
            (segment_id,),
            {
                "segment_id": segment_id,
                "interaction_id": self._id,
                "tenant": story.tenant,
                "kind": kind,
                "subject_id": subject_id,
                "detail": detail,
                "started_us": self._at_us,
                "ended_us": None,
            },
        )

    def _end_segment(self, story: Story, subject_id: str) -> None:
        ended = story.segments.pop(subject_id, None)
        if ended is not None:
            self._changes.patch("segments", (ended.segment_id,), ended_us=self._at_us)

    def _dialed_again(self, leg_id: str) -> bool:
        """One carrier refused it, and another is asked: it lives."""
        return any(isinstance(each, OriginateLeg) and each.leg_id == leg_id for each in self._entry.commands)

    def _read_event(self) -> None:
        match self._entry.event:
            case LegEnded(leg_id=leg_id, reason=reason, cause=cause) if not self._dialed_again(leg_id):
                self._changes.patch("legs", (leg_id,), end_reason=reason.value, cause=cause)
            case RecordingFinished(recording_id=recording_id, duration_s=duration_s, ended_by=ended_by):
                self._changes.patch(
                    "recordings",
                    (recording_id,),
                    finished_us=self._at_us,
                    duration_us=round(duration_s * 1e6),
                    ended_by=ended_by,
                )
                if not _is_conversation(recording_id):  # that is asked to be kept with the command that ends it
                    self._finished(recording_id, "finished")
            case RecordingFailed(recording_id=recording_id, partial=False):
                self._finished(recording_id, "failed")
            case CommandRejected(what="KeepRecording" | "StartRecording" | "StartTalkRecording", subject_id=subject):
                self._finished(subject, "failed")
            case RecordingKept(recording_id=recording_id):
                self._changes.patch("recordings", (recording_id,), state="kept")

    def _finished(self, recording_id: str, state: str) -> None:
        """The reaction to an event (keep, discard) stands in the same entry and was read before it."""
        commanded = {getattr(command, "recording_id", "") for command in self._entry.commands}
        if recording_id not in commanded:
            self._changes.patch("recordings", (recording_id,), state=state)


def _is_conversation(recording_id: str) -> bool:
    return recording_id.rpartition(".")[2].startswith("r")
