"""Whether a conversation is recorded, from when to when, and where it is filed. What goes wrong with it never touches
the conversation."""

from __future__ import annotations

from hashlib import sha256

from core.events import CommandRejected, Event, RecordingFailed, RecordingFinished, RecordingKept
from core.leg_commands import KeepRecording, PauseTalkRecording, StartTalkRecording, StopTalkRecording
from engine.contact import Conversation, TalkRecording
from engine.interaction import Interaction, Surroundings, Turn

COMMANDS = frozenset({"StartTalkRecording", "PauseTalkRecording", "StopTalkRecording", "KeepRecording"})


def is_due(interaction: Interaction, queue: str, around: Surroundings) -> bool:
    """By the queue's percentage. The same interaction gets the same answer, whenever it is asked."""
    setup = around.routing.queues.get((interaction.tenant, queue))
    if setup is None or setup.record_percent <= 0:
        return False
    chance = int.from_bytes(sha256(f"recorded {interaction.interaction_id}".encode()).digest()[:4], "big") % 10_000
    return chance < setup.record_percent * 100


def start(turn: Turn, talk: Conversation, around: Surroundings) -> None:
    """A conversation begins, or somebody joins it."""
    interaction = turn.interaction
    recording = interaction.recording
    if recording is not None:
        agents = tuple(dict.fromkeys((*recording.agents, *talk.agents)))
        turn.interaction = interaction.but(recording=recording.but(agents=agents))
        return
    queue = talk.served.queue
    if not is_due(interaction, queue, around):
        return
    recording = TalkRecording(f"{turn.interaction_id}.r{turn.number()}", f"talk.{queue}", queue, talk.agents)
    turn.interaction = turn.interaction.but(recording=recording)
    turn.commands.append(StartTalkRecording(interaction.customer.leg_id, recording.recording_id))


def stop(turn: Turn) -> None:
    """The conversation is over: the recording is whole and filed, also when its leg has ended."""
    interaction = turn.interaction
    recording = interaction.recording
    if recording is None:
        return
    turn.interaction = interaction.but(recording=None)
    turn.commands.append(StopTalkRecording(interaction.customer.leg_id, recording.recording_id))
    turn.commands.append(_kept(turn, recording))


def _kept(turn: Turn, recording: TalkRecording) -> KeepRecording:
    interaction = turn.interaction
    return KeepRecording(
        interaction_id=turn.interaction_id,
        leg_id=interaction.customer.leg_id,
        recording_id=recording.recording_id,
        mailbox=recording.mailbox,
        labels={"kind": "conversation", "queue": recording.queue, "agents": ",".join(recording.agents)},
        tenant=interaction.tenant,
        caller=interaction.caller,
        called=interaction.called,
        theirs=interaction.theirs,
    )


def resume(turn: Turn, recording: TalkRecording) -> None:
    """After a gap: an engine may have died after it decided to record, and before it said so. One that runs goes on."""
    leg_id = turn.interaction.customer.leg_id
    turn.commands.append(StartTalkRecording(leg_id, recording.recording_id))
    if recording.is_paused:
        turn.commands.append(PauseTalkRecording(leg_id, recording.recording_id, paused=True))


def pause(turn: Turn, paused: bool) -> str:
    """At an agent's request. Returns why not, in words."""
    recording = turn.interaction.recording
    if recording is None:
        return "this conversation is not being recorded"
    _change(turn, recording, recording.but(paused_by_agent=paused))
    return ""


def mind_secrets(turn: Turn) -> None:
    """While a flow listens to what nobody may know, nothing is recorded."""
    recording = turn.interaction.recording
    if recording is None:
        return
    run = turn.interaction.run
    secret = run is not None and run.listens_in_secret
    if secret is not recording.paused_for_secret:
        _change(turn, recording, recording.but(paused_for_secret=secret))


def _change(turn: Turn, before: TalkRecording, after: TalkRecording) -> None:
    turn.interaction = turn.interaction.but(recording=after)
    if before.is_paused is not after.is_paused:
        leg_id = turn.interaction.customer.leg_id
        turn.commands.append(PauseTalkRecording(leg_id, after.recording_id, after.is_paused))


def take(turn: Turn, event: Event) -> bool:
    """Whether the event was about a conversation's recording."""
    subject = getattr(event, "recording_id", "") or getattr(event, "subject_id", "")
    if not subject or not subject.startswith(f"{turn.interaction_id}.r") or not _is_news(event):
        return False
    failed = isinstance(event, RecordingFailed | CommandRejected)
    if failed:
        turn.note("talk_recording", f"{subject}: {getattr(event, 'why', '')}")
    recording = turn.interaction.recording
    if failed and recording is not None and recording.recording_id == subject and not _is_pause(event):
        turn.interaction = turn.interaction.but(recording=None)
        if isinstance(event, RecordingFailed) and event.partial:
            turn.commands.append(_kept(turn, recording))
    return True


def _is_news(event: Event) -> bool:
    if isinstance(event, CommandRejected):
        return event.what in COMMANDS
    return isinstance(event, RecordingFinished | RecordingFailed | RecordingKept)


def _is_pause(event: Event) -> bool:
    return isinstance(event, CommandRejected) and event.what != "StartTalkRecording"
