"""record, as a caller meets it."""

from __future__ import annotations

from core.decisions import NodeLeft, Noted
from core.events import CommandRejected, DigitPressed, RecordingFailed, RecordingFinished, RecordingKept
from core.leg_commands import DiscardRecording, KeepRecording, StartRecording, StopRecording
from core.media import Recorded
from ivr.scenario.promises import Given
from ivr.scenario.tiny import tiny_call
from ivr.scenario.transcript import Heard

MESSAGE = {
    "type": "record",
    "mailbox": "sales",
    "prompt": "Deje su mensaje",
    "silence_s": "4",
    "min_s": "2",
    "labels": {"from": "{{ caller }}"},
    "into": "message",
    "next": "thanks",
    "no_input": {"retries": "1", "prompt": "No oímos nada", "then": "bye"},
    "error": {"prompt": "No se puede grabar", "then": "bye"},
}
REVIEW = {"review": {"prompt": "1 guardar, 2 oír, 3 repetir"}}
REST = {"thanks": {"type": "hangup", "prompt": "Gracias"}, "bye": {"type": "hangup", "prompt": "Adiós"}}


def call(*recordings, **changes):
    return tiny_call({"message": {**MESSAGE, **changes}, **REST}, given=Given(recordings=recordings))


def kept(caller):
    return [command.recording_id for command in caller.ordered(KeepRecording)]


def discarded(caller):
    return [command.recording_id for command in caller.ordered(DiscardRecording)]


def test_a_message_is_recorded_after_the_prompt_and_kept_with_its_labels():
    caller = call((10.0, "silence"))
    caller.listen()
    (start,) = caller.ordered(StartRecording)
    assert (start.max_s, start.silence_s, start.beep, start.terminators) == (120, 4, True, "#")
    (keep,) = caller.ordered(KeepRecording)
    assert (keep.recording_id, keep.mailbox, keep.labels) == (start.recording_id, "sales", {"from": "+34911234567"})
    assert caller.path() == ["message", "thanks"]
    assert caller.run.variables["message"] == start.recording_id


def test_a_digit_skips_the_prompt():
    caller = call()
    caller.press("1")
    assert len(caller.ordered(StartRecording)) == 1
    assert next(line for line in caller.transcript if isinstance(line, Heard)).cut


def test_the_closing_silence_is_no_message():
    caller = call((5.0, "silence"), (9.0, "silence"))
    caller.listen()
    assert caller.heard() == ["Deje su mensaje", "(beep)", "No oímos nada Deje su mensaje", "(beep)", "Gracias"]
    first, second = (command.recording_id for command in caller.ordered(StartRecording))
    assert discarded(caller) == [first]
    assert kept(caller) == [second]


def test_twice_nothing_leads_out():
    caller = call((4.0, "silence"))
    caller.listen()
    assert caller.path() == ["message", "bye"]
    assert len(discarded(caller)) == 2


def test_the_key_that_ends_the_message_is_no_choice_for_the_next_menu():
    menu = {"type": "menu", "prompt": "m", "keys": {"#": "bye", "1": "bye"}}
    caller = tiny_call({"message": {**MESSAGE, "next": "menu"}, "menu": menu, **REST})
    caller.press("1")
    caller.pass_time(5)
    caller.press("#")
    caller.listen()
    assert caller.path() == ["message", "menu"]


def test_who_hangs_up_after_speaking_has_left_a_message():
    caller = call((60.0, "silence"))
    caller.press("1")
    caller.pass_time(8)
    caller.hang_up()
    assert len(kept(caller)) == 1
    assert caller.ended.outcome == "caller_hung_up"
    assert NodeLeft("tiny", "message", 1, "hangup", "") in caller.decided(NodeLeft)


def test_who_hangs_up_at_once_has_not():
    caller = call((60.0, "silence"))
    caller.press("1")
    caller.pass_time(1)
    caller.hang_up()
    assert not kept(caller)
    assert len(discarded(caller)) == 1


def test_the_end_of_the_recording_may_be_told_before_the_hangup_and_keeps_once():
    caller = call((60.0, "silence"))
    caller.press("1")
    caller.pass_time(8)
    caller.tell(RecordingFinished("leg-1", caller.run.memory.recording_id, 8.0, "hangup"))
    caller.hang_up()
    assert len(kept(caller)) == 1


def test_the_message_can_be_heard_repeated_and_kept():
    caller = call((9.0, "silence"), **REVIEW)
    caller.listen()
    assert caller.heard()[-1] == "1 guardar, 2 oír, 3 repetir"
    caller.press("2")
    (line,) = [line for line in caller.transcript if isinstance(line, Heard) and isinstance(line.parts[0], Recorded)]
    assert line.parts[0].recording_id == caller.run.memory.recording_id
    caller.listen()
    caller.press("3")
    assert len(discarded(caller)) == 1
    caller.listen()
    caller.press("1")
    assert len(kept(caller)) == 1
    assert kept(caller) != discarded(caller)
    caller.listen()
    assert caller.path()[-1] == "thanks"


def test_silence_at_the_review_keeps_the_message():
    caller = call((9.0, "silence"), **REVIEW)
    caller.listen()
    caller.be_silent(6)
    assert len(kept(caller)) == 1


def test_strange_keys_at_the_review_keep_it_in_the_end():
    caller = call((9.0, "silence"), **REVIEW)
    for _ in range(3):
        caller.listen()
        caller.press("7")
    assert len(kept(caller)) == 1


def test_hanging_up_at_the_review_keeps_the_message():
    caller = call((9.0, "silence"), **REVIEW)
    caller.listen()
    caller.hang_up()
    assert len(kept(caller)) == 1


def test_the_key_that_ended_the_recording_is_no_answer_to_the_review():
    caller = call((60.0, "silence"), **REVIEW, terminator="any")
    caller.press("1")
    caller.pass_time(5)
    caller.press("1")
    assert not kept(caller)
    assert caller.run.memory.stage == "review"


def test_a_recording_that_cannot_be_made_takes_the_error_exit():
    for event in (
        lambda recording_id: RecordingFailed("leg-1", recording_id, "disk full"),
        lambda recording_id: CommandRejected("i-1", "1.1", "StartRecording", "no", "leg-1", recording_id),
    ):
        caller = call()
        caller.press("1")
        caller.tell(event(caller.run.memory.recording_id))
        assert caller.heard()[-1] == "No se puede grabar"
        assert len(discarded(caller)) == 1, "the caller was told that it is no message"
        caller.listen()
        assert caller.path() == ["message", "bye"]


def test_what_became_of_a_conversation_before_takes_nothing_from_a_message():
    caller = call((60.0, "silence"))
    caller.press("1")
    caller.tell(RecordingFailed("leg-1", "i-1.r3", "disk full"))
    assert discarded(caller) == []
    assert caller.run.memory.stage == "recording"


def test_the_key_that_ends_a_message_does_not_cut_short_the_news_that_there_is_none():
    caller = call()
    caller.press("1")
    caller.tell(RecordingFailed("leg-1", caller.run.memory.recording_id, "disk full"))
    caller.tell(DigitPressed("leg-1", "#"))
    assert caller.path() == ["message"], "the apology is still being said"
    caller.tell(DigitPressed("leg-1", "5"))
    assert caller.path() == ["message", "bye"], "any other key cuts it short, as ever"


def test_a_recording_whose_end_is_never_told_is_kept():
    caller = call((60.0, "silence"), max_s="30")
    caller.press("1")
    caller._forget(caller.run.memory.recording_id)
    caller.pass_time(60)
    assert len(kept(caller)) == 1
    assert len(caller.ordered(StopRecording)) == 1


def test_after_a_restart_what_was_said_is_kept_and_the_caller_is_asked_again():
    caller = call((60.0, "silence"), (9.0, "silence"))
    caller.press("1")
    caller.pass_time(5)
    caller.survive_restart()
    assert caller.heard()[-1] == "Deje su mensaje"
    partial = caller.ordered(KeepRecording)[0]
    assert partial.labels["partial"] == "yes"
    caller.listen()
    assert len(kept(caller)) == 2


def test_a_label_that_cannot_be_made_loses_no_message():
    caller = call((9.0, "silence"), labels={"about": "{{ nothing }}"})
    caller.listen()
    assert caller.ordered(KeepRecording)[0].labels == {"about": ""}
    assert [noted.why for noted in caller.decided(Noted)] == ["to be kept: 9.0 s, ended by silence", "kept"]


def keeping(**changes):
    """A caller whose message is on its way to the mailbox."""
    caller = call((60.0, "silence"), **changes)
    caller.press("1")
    caller.pass_time(5)
    caller.press("#")
    return caller


def test_nothing_is_said_until_the_message_is_kept():
    caller = keeping()
    assert len(kept(caller)) == 1
    assert (caller.path(), caller.heard()) == (["message"], ["Deje su mensaje", "(beep)"])
    assert "message" not in caller.run.variables
    caller.listen()
    assert caller.heard()[-1] == "Gracias"


def test_who_cannot_be_kept_is_told_so():
    caller = tiny_call(
        {"message": MESSAGE, **REST}, given=Given(recordings=[(9.0, "silence")], rejected=["KeepRecording"])
    )
    caller.listen()
    assert caller.heard() == ["Deje su mensaje", "(beep)", "No se puede grabar", "Adiós"]
    assert "message" not in caller.run.variables


def test_whether_it_was_kept_is_not_waited_for_for_ever():
    caller = keeping()
    caller._forget(f"keep {caller.run.memory.recording_id}")
    caller.pass_time(14)
    assert caller.path() == ["message"]
    caller.pass_time(2)
    assert caller.heard()[-1] == "No se puede grabar"


def test_news_of_another_recording_changes_nothing():
    caller = keeping()
    caller.tell(RecordingKept("leg-1", "another"))
    caller.tell(CommandRejected("i-1", "1.1", "KeepRecording", "no", "leg-1", "another"))
    assert (caller.path(), caller.run.memory.stage) == (["message"], "keeping")


def test_hanging_up_while_the_message_is_kept_changes_nothing():
    caller = keeping()
    caller.hang_up()
    assert (len(kept(caller)), discarded(caller)) == (1, [])


def test_a_restart_while_the_message_is_kept_asks_for_it_again():
    caller = keeping()
    recording_id = caller.run.memory.recording_id
    caller.survive_restart()
    assert kept(caller) == [recording_id, recording_id]
    caller.listen()
    assert caller.path() == ["message", "thanks"]


def test_a_key_pressed_meanwhile_is_for_the_next_node():
    menu = {"type": "menu", "prompt": "m", "keys": {"5": "bye"}}
    caller = tiny_call(
        {"message": {**MESSAGE, "next": "menu"}, "menu": menu, **REST}, given=Given(recordings=[(60.0, "silence")])
    )
    caller.press("1")
    caller.pass_time(5)
    caller.press("#5")
    caller.listen()
    assert caller.path() == ["message", "menu", "bye"]


def test_digits_while_speaking_mean_nothing():
    caller = call((60.0, "silence"), terminator="none")
    caller.press("1")
    caller.tell(DigitPressed("leg-1", "5"))
    assert caller.path() == ["message"]


def alone(caller):
    return [(command.mailbox, command.labels) for command in caller.ordered(KeepRecording) if not command.sound]


ALONE = [("sales", {"from": "+34911234567"})]


def test_labels_alone_are_kept_of_who_says_nothing():
    caller = call((4.0, "silence"), labels_alone="yes")
    caller.listen()
    assert caller.heard() == ["Deje su mensaje", "(beep)", "No oímos nada Deje su mensaje", "(beep)", "Gracias"]
    assert alone(caller) == ALONE
    assert len(set(discarded(caller))) == 2
    assert not set(discarded(caller)) & set(kept(caller))


def test_labels_alone_are_kept_of_who_hangs_up_before_she_could_speak():
    caller = call(labels_alone="yes")
    caller.hang_up()
    assert alone(caller) == ALONE


def test_labels_alone_are_kept_of_who_hangs_up_after_the_tone():
    caller = call((60.0, "silence"), labels_alone="yes")
    caller.press("1")
    caller.pass_time(1)
    caller.hang_up()
    assert alone(caller) == ALONE
    assert len(discarded(caller)) == 1


def test_labels_alone_are_kept_once_when_the_end_of_the_recording_is_told_before_the_hangup():
    caller = call((60.0, "silence"), labels_alone="yes")
    caller.press("1")
    caller.pass_time(1)
    caller.tell(RecordingFinished("leg-1", caller.run.memory.recording_id, 1.0, "hangup"))
    caller.hang_up()
    assert alone(caller) == ALONE


def test_labels_alone_are_kept_when_the_recording_fails():
    caller = call((60.0, "silence"), labels_alone="yes")
    caller.press("1")
    caller.tell(RecordingFailed("leg-1", caller.run.memory.recording_id, "no space"))
    caller.listen()
    assert alone(caller) == ALONE
    assert caller.path() == ["message", "thanks"]


def test_labels_alone_are_kept_when_the_sound_cannot_be():
    caller = call((60.0, "silence"), labels_alone="yes")
    caller.press("1")
    caller.pass_time(8)
    recording_id = caller.run.memory.recording_id
    caller.tell(RecordingFinished("leg-1", recording_id, 8.0, "digit"))
    caller.tell(CommandRejected("i-1", "", "KeepRecording", "no such recording", "leg-1", recording_id))
    caller.listen()
    assert alone(caller) == ALONE
    assert caller.path() == ["message", "thanks"]


def test_who_speaks_leaves_sound_where_labels_alone_would_do():
    caller = call((10.0, "silence"), labels_alone="yes")
    caller.listen()
    assert len(kept(caller)) == 1
    assert alone(caller) == []
