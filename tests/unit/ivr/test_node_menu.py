"""play and menu, as a caller meets them."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from core.decisions import NodeLeft, Noted
from core.events import DigitPressed, PlaybackFinished
from core.leg_commands import AnswerLeg, Play, StopPlayback
from ivr import interpreter
from ivr.asking import DEAF_S
from ivr.nodes import menu
from ivr.scenario import caller as caller_module
from ivr.scenario.caller import Caller
from ivr.scenario.tiny import tiny_call

BYE = {"type": "hangup", "prompt": "Adiós"}
MAIN = {
    "type": "menu",
    "prompt": {"es": "Marque 1 o 2", "en": "Press 1 or 2"},
    "keys": {
        "1": "sales",
        "2": "billing",
        "9": {"language": "en"},
        "*": {"repeat": "yes"},
        "0": {"next": "sales", "set": {"why": "asked {{ caller }}"}},
    },
    "into": "choice",
}
NODES = {
    "welcome": {"type": "play", "prompt": "Bienvenido", "next": "main"},
    "main": MAIN,
    "sales": {"type": "menu", "prompt": "Ventas", "keys": {"3": "billing"}},
    "billing": {"type": "play", "prompt": "Facturas", "next": "bye"},
    "bye": BYE,
}
DEFAULTS = {
    "no_input": {"retries": "1", "prompt": "No oigo nada", "then": "bye"},
    "no_match": {"retries": "1", "prompt": "No existe", "then": "billing"},
}


def call(**changes):
    return tiny_call({**NODES, **changes}, defaults=DEFAULTS)


def test_the_leg_is_answered_before_the_first_word_and_only_once():
    caller = call()
    caller.listen()
    assert caller.ordered(AnswerLeg) == [AnswerLeg("leg-1")]
    assert isinstance(caller.transcript[1].command, AnswerLeg)


def test_early_media_is_heard_before_the_call_is_answered():
    caller = call(welcome={"type": "play", "prompt": "Antes", "answer": "no", "next": "main"})
    assert not caller.ordered(AnswerLeg)
    caller.listen()
    assert len(caller.ordered(AnswerLeg)) == 1


def test_a_key_chooses_and_is_kept_and_the_exit_is_noted():
    caller = call()
    caller.listen()
    caller.press("2")
    assert caller.path() == ["welcome", "main", "billing"]
    assert caller.run.variables["choice"] == "2"
    assert NodeLeft("tiny", "main", 2, "2", "billing") in caller.decided(NodeLeft)


def test_the_first_digit_silences_the_prompt_in_the_same_turn():
    caller = call()
    caller.listen()
    caller.press("9")
    step = interpreter.handle(caller.world, caller.run, DigitPressed("leg-1", "2"), caller.now_s)
    assert StopPlayback("leg-1", caller.run.playing) in step.commands


def test_who_knows_the_way_dials_through_and_skipped_prompts_are_never_started():
    caller = call()
    caller.press("13")
    assert caller.path() == ["welcome", "main", "sales", "billing"]
    caller.listen()
    assert caller.heard() == ["Bienvenido", "Ventas", "Facturas", "Adiós"]


def test_digits_typed_into_a_slow_node_wait_for_the_menu():
    caller = call(welcome={"type": "wait", "seconds": "5", "next": "main"})
    caller.press("2")
    caller.pass_time(5)
    assert caller.path() == ["welcome", "main", "billing"]
    assert "Marque" not in "".join(caller.heard())


def test_a_prompt_without_barge_in_is_heard_out_and_forgets_what_was_typed():
    caller = call(welcome={"type": "play", "prompt": {"play": ["Importante"], "barge_in": "no"}, "next": "main"})
    caller.press("12")
    assert caller.path() == ["welcome"]
    caller.listen()
    assert caller.is_waiting_for_her
    assert caller.path() == ["welcome", "main"]


def test_a_storm_of_digits_is_bounded():
    caller = call(welcome={"type": "wait", "seconds": "60", "next": "main"})
    caller.press("7" * 150)
    assert len(caller.run.typed) == 32


def test_silence_counts_from_the_end_of_the_prompt():
    caller = call()
    caller.listen()
    assert [timer for timer in caller.run.timers if timer.endswith(".input")]
    caller.be_silent(5.9)
    assert "No oigo nada Marque 1 o 2" not in caller.heard()
    caller.be_silent(0.2)
    assert "No oigo nada Marque 1 o 2" in caller.heard()


def test_silence_and_wrong_keys_are_counted_apart_and_lead_apart():
    silent = call()
    for _ in range(2):
        silent.listen()
        silent.be_silent(6)
    assert silent.path()[-1] == "bye"
    wrong = call()
    for _ in range(2):
        wrong.listen()
        wrong.press("7")
    assert wrong.path()[-1] == "billing"
    both = call()
    both.listen()
    both.be_silent(6)
    both.listen()
    both.press("7")
    both.listen()
    assert both.path() == ["welcome", "main"]
    assert both.heard()[-2:] == ["No oigo nada Marque 1 o 2", "No existe Marque 1 o 2"]


def test_a_burst_of_wrong_keys_is_one_mistake():
    caller = call()
    caller.listen()
    for digit in "7777":
        caller.press(digit)
        caller.pass_time(DEAF_S / 8)
    assert caller.path() == ["welcome", "main"]
    caller.listen()
    caller.press("1")
    assert caller.path()[-1] == "sales"


def test_keys_that_overlap_wait_for_the_next_digit():
    keys = {"1": "sales", "12": "billing"}
    caller = call(main={**MAIN, "keys": keys, "between_digits_s": "2"})
    caller.listen()
    caller.press("1")
    assert caller.path()[-1] == "main"
    caller.pass_time(2)
    assert caller.path()[-1] == "sales"
    caller = call(main={**MAIN, "keys": keys})
    caller.listen()
    caller.press("12")
    assert caller.path()[-1] == "billing"


def test_after_the_shorter_of_two_keys_the_next_digit_belongs_to_the_next_menu():
    caller = call(main={**MAIN, "keys": {"1": "sales", "12": "bye"}})
    caller.listen()
    caller.press("13")
    assert caller.path()[-2:] == ["sales", "billing"]


def test_a_language_key_asks_again_in_that_language_and_repeat_repeats():
    caller = call()
    caller.listen()
    caller.press("9")
    caller.listen()
    caller.press("*")
    caller.listen()
    assert caller.heard() == ["Bienvenido", "Marque 1 o 2", "Press 1 or 2", "Press 1 or 2"]
    assert caller.run.language == caller.run.variables["language"] == "en"
    assert Noted("language", "en") in caller.decided(Noted), "what `explain` shows"


def test_a_key_may_set_variables():
    caller = call()
    caller.listen()
    caller.press("0")
    assert caller.run.variables["why"] == "asked +34911234567"


def test_a_prompt_that_fails_to_play_does_not_leave_the_caller_waiting():
    caller = call()
    caller.tell(PlaybackFinished("leg-1", caller.run.playing, "failed"))
    assert caller.path() == ["welcome", "main"]
    caller.tell(PlaybackFinished("leg-1", caller.run.playing, "failed"))
    assert [timer for timer in caller.run.timers if timer.endswith(".input")]
    assert [noted.what for noted in caller.decided(Noted)] == ["playback failed", "playback failed"]


def test_a_prompt_whose_end_is_never_told_ends_all_the_same():
    caller = call()
    playback = caller.run.playing
    caller._forget(playback)
    caller.pass_time(3600)
    assert "main" in caller.path()


def test_the_end_of_an_earlier_prompt_means_nothing():
    caller = call()
    first = caller.run.playing
    caller.press("9")
    before = caller.run
    caller.tell(PlaybackFinished("leg-1", first))
    assert caller.run == before


def test_without_a_way_out_silence_ends_in_the_error_exit():
    caller = tiny_call({"main": {"type": "menu", "prompt": "Marque", "keys": {"1": "bye"}, "error": "bye"}, "bye": BYE})
    for _ in range(3):
        caller.listen()
        caller.be_silent(6)
    assert caller.path() == ["main", "bye"]


@pytest.mark.parametrize(
    ("keys", "complaint"),
    [
        ({"a": "x"}, "no key of a phone"),
        ({"1": {"repeat": "no"}}, "does nothing"),
        ({"1": {"repeat": "yes", "next": "x"}}, "both repeats and goes on"),
        ({}, "nothing to choose"),
    ],
)
def test_keys_that_make_no_sense_are_explained(keys, complaint):
    with pytest.raises(ValidationError, match=complaint):
        menu.Model.model_validate({"type": "menu", "prompt": "x", "keys": keys})


def test_playback_ids_are_never_used_twice(monkeypatch):
    plays: list[Play] = []
    play = Caller._play
    monkeypatch.setitem(
        caller_module._ANSWERS, Play, lambda self, command: (plays.append(command), play(self, command))
    )
    caller = call()
    for _ in range(5):
        caller.listen()
        caller.press("*")
    ids = [command.playback_id for command in plays]
    assert len(ids) == len(set(ids)) == 7


def test_the_recording_notice_is_said_once():
    prompt = {"play": ["Hola"], "recording_notice": "yes"}
    caller = tiny_call(
        {
            "a": {"type": "play", "prompt": prompt, "next": "b"},
            "b": {"type": "play", "prompt": prompt, "next": "c"},
            "c": {"type": "hangup"},
        },
        recording_notice={"es": "Se graba", "en": "Recorded"},
    )
    caller.listen()
    assert caller.heard() == ["Se graba Hola", "Hola"]
