"""What who waits hears; held lines; recordings of conversations; what snapshots keep of it all."""

import pathlib
from dataclasses import replace

import pytest

from core.commands import AskAgent
from core.events import (
    AgentAnswered,
    CommandRejected,
    DigitPressed,
    LegAdopted,
    LegEnded,
    LegUp,
    PlaybackFinished,
    RecordingFailed,
    TimerFired,
)
from core.leg import EndReason
from core.leg_commands import (
    HangUpLeg,
    KeepRecording,
    ParkLeg,
    PauseTalkRecording,
    Play,
    StartMusic,
    StartTalkRecording,
    StopMusic,
    StopPlayback,
    StopTalkRecording,
)
from core.line_facts import (
    LineChanged,
    LineParty,
    LineReleased,
    LineRingback,
    LineUsed,
)
from core.media import Tone
from core.queue_facts import QueuePosition
from core.talk_facts import TalkEnded
from engine import interactions, snapshots
from engine.config.queue_prompts import EWT
from engine.contact import Line
from engine.last_played import playing
from engine.routing_views import talk_looks_new, talk_view
from ivr.prompts import Prompt
from tests.unit.engine.talk_case import ANNOUNCED, CALLER, ID, RECORDED, TEXTS, Case, case, heard, play_out

__all__ = ["case"]

SAVED = pathlib.Path(__file__).parent / "snapshots"


# -- announcements
@pytest.fixture
def waits():
    return Case(ANNOUNCED).queue()


def position(case, place):
    return QueuePosition(ID, case.interaction.waiting.stay_id, place, 9)


def comfort(case):
    (timer_id,) = (each for each in case.interaction.waiting.timers if each.endswith("comfort"))
    case.tell(TimerFired(ID, timer_id))


def test_her_place_is_told_between_music_and_music(waits):
    waits.tell(position(waits, 3))
    assert heard(waits) == ["Usted es el 3."]
    assert [type(c) for c in waits.last.commands[:2]] == [StopMusic, Play]
    play_out(waits)
    assert waits.commanded(StartMusic) == [StartMusic(CALLER, "default")]


@pytest.mark.parametrize(
    ("expected_s", "words"),
    [
        ((175.0, 240.0, 305.0), "entre tres y cinco minutos"),
        ((0.0, 12.0, 50.0), "menos de un minuto"),
        ((0.0, 80.0, 170.0), "menos de tres minutos"),
        ((230.0, 240.0, 250.0), "cuatro minutos"),
        ((-1.0, 130.0, -1.0), "dos minutos"),
    ],
)
def test_the_expected_wait_is_told_as_a_range(expected_s, words):
    texts = {key: replace(each, position=None, ewt=EWT) for key, each in ANNOUNCED.queue_prompts.items()}
    waits = Case(replace(ANNOUNCED, queue_prompts=texts)).queue()
    low_s, likely_s, high_s = expected_s
    waits.tell(replace(position(waits, 3), ewt_s=likely_s, ewt_low_s=low_s, ewt_high_s=high_s))
    assert heard(waits) == ["El tiempo de espera estimado es de:", words]


def test_one_announcement_at_a_time(waits):
    waits.tell(position(waits, 3))
    waits.tell(position(waits, 2))
    assert waits.last.commands == []
    comfort(waits)
    assert heard(waits) == []


@pytest.mark.parametrize("place_first", [True, False])
def test_two_that_are_due_at_the_same_times_are_both_heard(waits, place_first):
    tells = [lambda: waits.tell(position(waits, 3)), lambda: comfort(waits)]
    first, second = tells if place_first else reversed(tells)
    first()
    words = heard(waits)
    second()
    assert heard(waits) == []
    waits.tell(PlaybackFinished(CALLER, waits.interaction.waiting.playing))
    assert {*words, *heard(waits)} == {"Usted es el 3.", "Gracias."}
    assert waits.commanded(StartMusic) == []
    play_out(waits)
    assert waits.commanded(StartMusic) == [StartMusic(CALLER, "default")]


def test_what_fell_due_is_forgotten_when_an_agent_comes(waits):
    comfort(waits)
    waits.tell(position(waits, 3))
    waits.talk()
    assert waits.interaction.talk.served.place_due is None


def test_words_of_comfort_take_turns(waits):
    comfort(waits)
    assert heard(waits) == ["Gracias."]
    play_out(waits)
    comfort(waits)
    assert heard(waits) == ["Siga ahí."]
    play_out(waits)
    comfort(waits)
    assert heard(waits) == ["Gracias."]


def test_a_key_counts_during_an_announcement_too(waits):
    waits.tell(position(waits, 3))
    playing = waits.interaction.waiting.playing
    waits.tell(DigitPressed(CALLER, "9"))
    assert waits.commanded(StopPlayback) == [StopPlayback(CALLER, playing)]
    assert heard(waits) == ["Deje un mensaje."]


def test_an_agent_interrupts_an_announcement(waits):
    waits.tell(position(waits, 3))
    playing = waits.interaction.waiting.playing
    waits.talk()
    assert StopPlayback(CALLER, playing) in waits.last.commands
    assert waits.inside() == {CALLER, waits.agent_leg}
    waits.tell(PlaybackFinished(CALLER, playing, "stopped"))
    assert waits.last.commands == []


def test_an_announcement_whose_end_is_never_told_gives_way_to_music(waits):
    waits.tell(position(waits, 3))
    (timer_id,) = (each for each in waits.interaction.waiting.timers if each.endswith("heard"))
    waits.tell(TimerFired(ID, timer_id))
    assert waits.commanded(StartMusic)


def test_an_announcement_that_cannot_be_played_gives_way_to_music(waits):
    waits.tell(position(waits, 3))
    playing = waits.interaction.waiting.playing
    waits.tell(CommandRejected(ID, "9.1", "Play", "no such file", CALLER, playing))
    assert waits.commanded(StartMusic)


def test_after_a_restart_there_is_music_and_the_timers_run(waits):
    waits.tell(position(waits, 3), LegAdopted(CALLER, up=True, bridge_id=""))
    assert waits.commanded(StartMusic) == [StartMusic(CALLER, "default")]
    assert waits.interaction.waiting.playing == ""
    comfort(waits)
    assert heard(waits) == ["Gracias."]


# -- recordings
def test_a_conversation_is_recorded_and_filed_when_it_is_over():
    case = Case(RECORDED).queue().talk()
    (started,) = case.commanded(StartTalkRecording)
    assert started.leg_id == CALLER
    case.tell(LegEnded(CALLER, EndReason.HUNG_UP))
    assert [type(c) for c in case.last.commands if hasattr(c, "recording_id")] == [StopTalkRecording, KeepRecording]
    (kept,) = case.commanded(KeepRecording)
    assert (kept.mailbox, kept.caller, kept.called) == ("talk.sales", "+34600000000", "100")
    assert kept.labels == {"kind": "conversation", "queue": "sales", "agents": "ana"}


def test_who_is_recorded_does_not_change_when_it_is_asked_again():
    around = replace(RECORDED, routing=RECORDED.routing)
    assert Case(around).queue().talk().interaction.recording is not None


def test_an_agent_pauses_the_recording():
    case = Case(RECORDED).queue().talk()
    recording_id = case.interaction.recording.recording_id
    assert case.act("pause_recording") == ""
    assert case.last.commands == [PauseTalkRecording(CALLER, recording_id)]
    assert case.act("pause_recording") == ""
    assert case.last.commands == []
    assert case.act("resume_recording") == ""
    assert case.last.commands == [PauseTalkRecording(CALLER, recording_id, paused=False)]


@pytest.mark.parametrize("action", ["pause_recording", "resume_recording", "hold", "mute"])
def test_people_are_told_of_a_conversation_when_it_looks_otherwise(action):
    case = Case(RECORDED).queue().talk()
    if action == "resume_recording":
        case.act("pause_recording")
    before = case.interaction
    assert case.act(action) == ""
    told = talk_looks_new(before, case.interaction)
    assert told or talk_view(before) == talk_view(case.interaction)
    assert told or action == "hold"


def test_people_are_told_when_a_recording_breaks_off():
    case = Case(RECORDED).queue().talk()
    before = case.interaction
    case.tell(RecordingFailed(CALLER, before.recording.recording_id, "the disk is full"))
    assert talk_view(case.interaction)["recording"] is False
    assert talk_looks_new(before, case.interaction)


def test_what_is_not_recorded_cannot_be_paused(case):
    assert case.talk().act("pause_recording") == "this conversation is not being recorded"


@pytest.mark.parametrize("failed", [RecordingFailed, CommandRejected])
def test_a_recording_that_fails_touches_nothing_else(failed):
    case = Case(RECORDED).queue().talk()
    recording_id = case.interaction.recording.recording_id
    if failed is RecordingFailed:
        case.tell(RecordingFailed(CALLER, recording_id, "no space left"))
    else:
        case.tell(CommandRejected(ID, "9.1", "StartTalkRecording", "no recorder", CALLER, recording_id))
    assert case.last.commands == []
    assert case.state == "connected"
    case.tell(LegEnded(CALLER, EndReason.HUNG_UP))
    assert case.commanded(KeepRecording) == []


def test_of_a_recording_that_fails_half_way_the_first_half_is_kept():
    case = Case(RECORDED).queue().talk()
    recording_id = case.interaction.recording.recording_id
    case.tell(RecordingFailed(CALLER, recording_id, "no space left", partial=True))
    (kept,) = case.commanded(KeepRecording)
    assert (kept.recording_id, kept.mailbox) == (recording_id, "talk.sales")
    case.tell(LegEnded(CALLER, EndReason.HUNG_UP))
    assert case.commanded(KeepRecording) == []


@pytest.mark.parametrize("paused", [False, True])
def test_an_engine_that_takes_over_asks_again_that_it_be_recorded(paused):
    """The one before may have died after it decided so."""
    case = Case(RECORDED).queue().talk()
    recording_id = case.interaction.recording.recording_id
    if paused:
        case.act("pause_recording")
    case.tell(LegAdopted(CALLER, up=True, bridge_id=case.interaction.talk.bridge_id))
    asked = [StartTalkRecording(CALLER, recording_id), *([PauseTalkRecording(CALLER, recording_id)] if paused else [])]
    assert case.last.commands == asked
    assert case.interaction.recording.recording_id == recording_id


def with_notice():
    texts = replace(TEXTS, recording_notice=Prompt({"es": "Se graba."}))
    return replace(RECORDED, queue_prompts={("main", "sales"): texts})


def test_she_hears_that_it_is_recorded_while_she_waits():
    case = Case(with_notice()).queue()
    assert heard(case) == ["Se graba."]
    play_out(case)
    case.talk()
    assert heard(case) == []
    assert case.commanded(StartTalkRecording)


def test_who_is_quick_hears_it_to_its_end_before_she_is_put_through():
    case = Case(with_notice()).queue()
    playing = case.interaction.waiting.playing
    case.talk()
    assert case.inside() == set()
    assert case.commanded(StopPlayback) == []
    case.tell(PlaybackFinished(CALLER, playing))
    assert case.inside() == {CALLER, case.agent_leg}
    assert case.commanded(StartTalkRecording)


# -- the line's own interaction
@pytest.fixture
def line():
    """An agent's phone that called in; a flow has asked that it become her held line."""
    return Case().queue("3")


def asked(line):
    (command,) = (each for each in line.commands if isinstance(each, AskAgent))
    return command.request_id


@pytest.fixture
def held(line):
    line.tell(AgentAnswered(ID, asked(line), True, values={"agent_id": "ana"}))
    return line


def test_a_granted_line_is_parked(held):
    assert held.commanded(ParkLeg) == [ParkLeg(CALLER)]
    assert held.commanded(HangUpLeg) == []
    assert held.interaction.line.agent_id == "ana"


def test_a_refused_one_is_an_ordinary_call(line):
    line.tell(AgentAnswered(ID, asked(line), False, "not logged in"))
    assert heard(line) == ["Lo sentimos."]
    assert line.interaction.line is None


def test_a_line_lent_to_a_conversation_tells_it_what_happens(held):
    held.tell(LineUsed(ID, CALLER, "i-9"))
    assert held.tell(DigitPressed(CALLER, "*")).facts == [LineParty("i-9", CALLER, "digit", digit="*")]
    told = held.tell(PlaybackFinished(CALLER, "i-9.w1")).facts
    assert told == [LineParty("i-9", CALLER, "played", playback_id="i-9.w1")]
    told = held.tell(LegAdopted(CALLER, up=True, bridge_id="i-9.b1")).facts
    assert told == [LineParty("i-9", CALLER, "adopted", bridge_id="i-9.b1")]
    assert held.tell(LineUsed(ID, CALLER)).commands == [ParkLeg(CALLER)]


@pytest.mark.parametrize(
    ("keys", "action", "value"),
    [
        ("*2", "ready", ""),
        ("*4", "finish_wrap_up", ""),
        ("*0", "log_out", ""),
        ("*31#", "not_ready", "1"),
        ("11#", "disposition", "11"),
        ("1*" + "*31#", "not_ready", "1"),
    ],
)
def test_between_calls_she_works_with_the_keys_of_her_line(held, keys, action, value):
    for key in keys:
        held.tell(DigitPressed(CALLER, key))
    command = held.commanded(AskAgent)[-1]
    assert (command.action, command.value, command.agent_id, command.pin) == (action, value, "", "")
    assert held.interaction.line.typed == ""
    held.tell(AgentAnswered(ID, command.request_id, True))
    beep = held.commanded(Play)[-1]
    assert (beep.leg_id, beep.parts) == (CALLER, (Tone("beep"),))
    assert held.tell(PlaybackFinished(CALLER, beep.playback_id)).commands == [ParkLeg(CALLER)]
    assert held.interaction.line.agent_id == "ana"


def test_silence_does_not_begin_in_a_conversation_that_her_key_brought(held):
    """She took calls, and somebody waited: the beep for her key ends when they talk already."""
    held.tell(DigitPressed(CALLER, "*"))
    asked = held.tell(DigitPressed(CALLER, "2")).commands[0]
    beep = held.tell(AgentAnswered(ID, asked.request_id, True, {"agent_id": "ana"})).commands[0]
    held.tell(LineUsed(ID, CALLER, "i-9"))
    assert held.tell(PlaybackFinished(CALLER, beep.playback_id)).commands == []
    assert held.tell(LineUsed(ID, CALLER)).commands == [ParkLeg(CALLER)]


def test_the_line_of_who_logs_out_ends_after_one_beep(held):
    for key in "*0":
        held.tell(DigitPressed(CALLER, key))
    (command,) = held.commanded(AskAgent)
    (beep,) = held.tell(LineReleased(ID, CALLER)).commands
    assert (beep.leg_id, beep.parts) == (CALLER, (Tone("beep"),))
    assert held.tell(AgentAnswered(ID, command.request_id, True)).commands == [], "one beep"
    kept = snapshots.load(snapshots.dump(held.interaction))
    assert kept.line.released
    assert held.tell(PlaybackFinished(CALLER, beep.playback_id)).commands == [HangUpLeg(CALLER)]
    held.tell(LegEnded(CALLER, EndReason.HUNG_UP_BY_US))
    assert held.said(LineChanged) == [LineChanged(ID, "main", "ana", CALLER, up=False)]
    assert held.state == "closed"


def test_the_line_of_who_logs_out_ends_also_when_nobody_tells_of_the_beep(held):
    held.tell(LineReleased(ID, CALLER))
    assert held.tell(LegAdopted(CALLER, up=True, bridge_id="")).commands == [HangUpLeg(CALLER)]
    assert held.tell(CommandRejected(ID, "", "Play", "no sound", CALLER)).commands == [HangUpLeg(CALLER)]


def test_a_line_that_is_lent_ends_when_it_is_given_back(held):
    held.tell(LineUsed(ID, CALLER, "i-9"))
    assert held.tell(LineReleased(ID, CALLER)).commands == []
    (beep,) = held.tell(LineUsed(ID, CALLER)).commands
    assert held.tell(PlaybackFinished(CALLER, beep.playback_id)).commands == [HangUpLeg(CALLER)]


def test_two_beeps_for_what_cannot_be(held):
    for key in "11#":
        held.tell(DigitPressed(CALLER, key))
    held.tell(AgentAnswered(ID, held.commanded(AskAgent)[-1].request_id, False, "there is no contact"))
    assert held.commanded(Play)[-1].parts == (Tone("beep"), Tone("beep"))
    for keys in ("*9", "#", "1*", "1" * 20):
        for key in keys:
            held.tell(DigitPressed(CALLER, key))
        assert [len(play.parts) for play in held.commanded(Play)] == [2], keys
        assert held.interaction.line.typed == ""


def test_half_a_request_survives_a_restart_and_no_call(held):
    held.tell(DigitPressed(CALLER, "1"))
    kept = snapshots.load(snapshots.dump(held.interaction))
    assert kept.line == held.interaction.line
    held.tell(LineUsed(ID, CALLER, "i-9"))
    held.tell(LineUsed(ID, CALLER))
    assert held.interaction.line.typed == ""


@pytest.mark.parametrize(("end", "vanished"), [((EndReason.HUNG_UP, 16), False), ((EndReason.FAILED, 44), True)])
def test_a_line_that_ends_is_told_to_both(held, end, vanished):
    held.tell(LineUsed(ID, CALLER, "i-9"))
    held.tell(LegEnded(CALLER, *end))
    assert held.said(LineChanged) == [LineChanged(ID, "main", "ana", CALLER, up=False)]
    assert held.said(LineParty) == [LineParty("i-9", CALLER, "ended", vanished=vanished)]
    assert held.state == "closed"


def test_who_is_dialed_for_her_is_heard_to_ring(held):
    (play,) = held.tell(LineRingback(ID, CALLER, "dial-1", on=True)).commands
    assert (play.leg_id, play.parts) == (CALLER, (Tone("ringback"),))
    assert playing([held.interaction]) == {CALLER: play.playback_id}
    off = LineRingback(ID, CALLER, "dial-1", on=False)
    assert held.tell(off).commands == [StopPlayback(CALLER, play.playback_id), ParkLeg(CALLER)]
    assert playing([held.interaction]) == {}
    held.tell(PlaybackFinished(CALLER, play.playback_id, "stopped"))
    held.tell(LineRingback(ID, CALLER, "dial-2", on=True))
    held.tell(LineUsed(ID, CALLER, "dial-2"))
    assert held.tell(LineRingback(ID, CALLER, "dial-2", on=False)).commands == [], "they talk"


def test_a_line_at_rest_is_parked_again_after_a_restart(held):
    assert held.tell(LegAdopted(CALLER, up=True, bridge_id="")).commands == [ParkLeg(CALLER)]


def test_a_line_that_is_gone_says_so(case):
    assert case.tell(LineUsed(ID, "line-ana", "i-9")).facts == [LineParty("i-9", "line-ana", "ended", vanished=True)]


# -- snapshots
def test_the_snapshot_of_the_first_version_loads():
    loaded = snapshots.load((SAVED / "interaction-v1.msgpack").read_bytes())
    assert (loaded.state.value, loaded.transfer.bridge_id, loaded.serial) == ("connected", "i-c1.b2", 2)
    assert (loaded.waiting, loaded.talk, loaded.offers) == (None, None, ())


def test_a_newer_snapshot_is_unreadable(case):
    newer = snapshots.msgspec.msgpack.encode({"v": snapshots.VERSION + 1})
    with pytest.raises(snapshots.SnapshotUnreadable):
        snapshots.load(newer)


def test_what_most_callers_never_need_costs_their_snapshots_nothing():
    plain = Case()
    assert len(snapshots.dump(plain.interaction.but(line=Line("r")))) > len(snapshots.dump(plain.interaction)) + 10
    plain.tell(LegUp(CALLER))


# -- our own faults
def test_a_fact_of_hers_that_cannot_be_handled_is_our_fault_and_not_her_impatience(case):
    turn = interactions.fail(case.interaction, DigitPressed(CALLER, "1"), "poison", case.around, case.now_s)
    assert [fact.outcome for fact in turn.facts] == ["lost"]
    assert turn.interaction.waiting is None


def test_when_nothing_helps_everybody_is_told(case):
    case.talk()
    turn = interactions.give_up(case.interaction, DigitPressed(CALLER, "1"), "poison", case.now_s)
    assert turn.facts == [TalkEnded(ID, "ana", "lost")]
    assert {c.leg_id for c in turn.commands if isinstance(c, HangUpLeg)} == {CALLER, case.agent_leg}
    assert turn.interaction.talk is None


def test_those_of_the_second_version_load():
    talk = snapshots.load((SAVED / "talk-v2.msgpack").read_bytes())
    assert (talk.talk.agents, talk.talk.is_consulting, talk.values) == (("ana",), True, {"order": "4711"})
    assert talk.talk.supervisor.supervisor_id == "marta"
    assert [offer.agent_id for offer in talk.offers] == ["eva"]
    assert talk.recording.mailbox == "talk.sales"
    waiting = snapshots.load((SAVED / "waiting-v2.msgpack").read_bytes())
    assert (waiting.waiting.queue, waiting.state.value) == ("sales", "queued")
