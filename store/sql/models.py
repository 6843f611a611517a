"""The tables. Every row names its tenant; times are UTC microseconds; ids are text.

    interactions 1--* legs
                 1--* segments      stretches of time: flow, wait, ring, talk, hold, wrap_up
                 1--* node_visits   the path through the flow
                 1--* recordings
                 1--* queue_stays   waits, each with the way it ended
                 1--* agent_work    what each agent spent on it
                 1--* survey_answers  questions of surveys put to the caller

No foreign keys: the projector is the only writer, and it may rebuild a part while the rest is read.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    type_annotation_map = {int: BigInteger, str: Text}


class InteractionRow(Base):
    """`state`: its state table's; `outcome`: set when closed. `erased_us`: when its contact was forgotten."""

    __tablename__ = "interactions"
    __table_args__ = (
        Index("interactions_by_time", "tenant", "opened_us"),
        Index("interactions_by_contact", "contact_key_id"),
    )

    interaction_id: Mapped[str] = mapped_column(primary_key=True)
    tenant: Mapped[str]
    channel: Mapped[str]
    direction: Mapped[str]
    called: Mapped[str]
    caller: Mapped[str]
    contact_key_id: Mapped[str]
    flow: Mapped[str]
    flow_version: Mapped[str]
    language: Mapped[str]
    rule: Mapped[str]
    state: Mapped[str]
    opened_us: Mapped[int]
    closed_us: Mapped[int | None]
    outcome: Mapped[str | None]
    erased_us: Mapped[int | None]


class LegRow(Base):
    """`cause`: Q.850, 0 when unknown; `end_reason`: in the caller's terms."""

    __tablename__ = "legs"
    __table_args__ = (Index("legs_by_interaction", "interaction_id"), Index("legs_by_time", "tenant", "joined_us"))

    leg_id: Mapped[str] = mapped_column(primary_key=True)
    interaction_id: Mapped[str]
    tenant: Mapped[str]
    role: Mapped[str]
    node: Mapped[str]
    state: Mapped[str]
    joined_us: Mapped[int]
    up_us: Mapped[int | None]
    ended_us: Mapped[int | None]
    end_reason: Mapped[str | None]
    cause: Mapped[int | None]


class SegmentRow(Base):
    """`subject_id`: the interaction, leg or assignment it is a stretch of; `detail`: the flow or the queue."""

    __tablename__ = "segments"
    __table_args__ = (
        Index("segments_by_interaction", "interaction_id"),
        Index("segments_by_time", "tenant", "kind", "started_us"),
    )

    segment_id: Mapped[str] = mapped_column(primary_key=True)
    interaction_id: Mapped[str]
    tenant: Mapped[str]
    kind: Mapped[str]
    subject_id: Mapped[str]
    detail: Mapped[str]
    started_us: Mapped[int]
    ended_us: Mapped[int | None]


class NodeVisitRow(Base):
    """`branch` and `target`: the exit taken and where it led; empty while the node runs or when the caller left."""

    __tablename__ = "node_visits"
    __table_args__ = (Index("node_visits_by_flow", "tenant", "flow", "entered_us"),)

    interaction_id: Mapped[str] = mapped_column(primary_key=True)
    visit: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    tenant: Mapped[str]
    flow: Mapped[str]
    flow_version: Mapped[str]
    node: Mapped[str]
    branch: Mapped[str]
    target: Mapped[str]
    entered_us: Mapped[int]
    left_us: Mapped[int | None]


class RecordingRow(Base):
    """A message or a conversation. `state`: recording, finished, failed, kept, discarded. `labels`: a JSON object of
    texts."""

    __tablename__ = "recordings"
    __table_args__ = (
        Index("recordings_by_interaction", "interaction_id"),
        Index("recordings_by_mailbox", "tenant", "mailbox", "started_us"),
    )

    recording_id: Mapped[str] = mapped_column(primary_key=True)
    interaction_id: Mapped[str]
    tenant: Mapped[str]
    leg_id: Mapped[str]
    state: Mapped[str]
    mailbox: Mapped[str]
    labels: Mapped[str]
    started_us: Mapped[int]
    finished_us: Mapped[int | None]
    duration_us: Mapped[int | None]
    ended_by: Mapped[str | None]


class QueueStayRow(Base):
    """A wait that is over. `how`: a `StayEnd`; `waited_us` counts waits that led into it; `queue` is empty when one
    agent was wanted in person; `in_target`: 1 when it was answered within the queue's service-level target; `virtual`:
    1 when part of it was waited away from the phone, for a callback, `virtual_us` how much of it."""

    __tablename__ = "queue_stays"
    __table_args__ = (
        Index("queue_stays_by_interaction", "interaction_id"),
        Index("queue_stays_by_queue", "tenant", "queue", "ended_us"),
    )

    stay_id: Mapped[str] = mapped_column(primary_key=True)
    interaction_id: Mapped[str]
    tenant: Mapped[str]
    queue: Mapped[str]
    how: Mapped[str]
    agent_id: Mapped[str]
    in_target: Mapped[int]
    virtual: Mapped[int] = mapped_column(server_default="0")
    virtual_us: Mapped[int] = mapped_column(server_default="0")
    waited_us: Mapped[int]
    ended_us: Mapped[int]


class AgentWorkRow(Base):
    """One agent's part in an interaction, wrap-up included. `how`: an offer's failure, or a conversation's end;
    `disposition`: `not_given` when forced, empty when the queue has none."""

    __tablename__ = "agent_work"
    __table_args__ = (
        Index("agent_work_by_interaction", "interaction_id"),
        Index("agent_work_by_agent", "tenant", "agent_id", "ended_us"),
        Index("agent_work_by_queue", "tenant", "queue", "ended_us"),
    )

    work_id: Mapped[str] = mapped_column(primary_key=True)
    interaction_id: Mapped[str]
    tenant: Mapped[str]
    agent_id: Mapped[str]
    queue: Mapped[str]
    how: Mapped[str]
    disposition: Mapped[str]
    ring_us: Mapped[int]
    talk_us: Mapped[int]
    hold_us: Mapped[int]
    consult_us: Mapped[int]
    wrap_up_us: Mapped[int]
    ended_us: Mapped[int]


class SurveyAnswerRow(Base):
    """A question that was put to the caller, or only its answer where the journal does not say that it was (`asked` 0).

    `flow`: which answered the contact; `node`: where the question stands, `flow/node`. `kind`: csat, nps, yes_no.
    `answer`: as given, empty while there is none; `score`: as a number, yes 1 and no 0. `at_us`: when it was asked, or
    answered. `queue`, `agent_id`: where and by whom the caller had been served by then, empty for nobody."""

    __tablename__ = "survey_answers"
    __table_args__ = (
        Index("survey_answers_by_time", "tenant", "at_us"),
        Index("survey_answers_by_agent", "tenant", "agent_id", "at_us"),
    )

    interaction_id: Mapped[str] = mapped_column(primary_key=True)
    visit: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    question: Mapped[str] = mapped_column(primary_key=True)
    tenant: Mapped[str]
    survey: Mapped[str]
    kind: Mapped[str]
    flow: Mapped[str]
    node: Mapped[str]
    language: Mapped[str]
    queue: Mapped[str]
    agent_id: Mapped[str]
    asked: Mapped[int]
    at_us: Mapped[int]
    answered_us: Mapped[int | None]
    answer: Mapped[str]
    score: Mapped[int | None]


class ProjectionStateRow(Base):
    """`seq`: the last journal number this projection has taken in."""

    __tablename__ = "projection_state"

    name: Mapped[str] = mapped_column(primary_key=True)
    seq: Mapped[int]
