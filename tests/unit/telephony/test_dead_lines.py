"""When a held line that sends nothing is a dead one: only when its phone has always sent."""

from __future__ import annotations

from telephony.control.dead_lines import KNOWN_S, SentLately

LIMIT_S = 5.0
KNOWN = int(KNOWN_S) + 1


def looked(*came: int, at_rest: bool = True, every_s: int = 1) -> SentLately:
    """`came`: packets, second by second."""
    sent, received = SentLately(), 0
    sent.look(received, 0.0, at_rest)
    for second, packets in enumerate(came, start=1):
        received += packets
        if second % every_s == 0:
            sent.look(received, float(second), at_rest)
    return sent


def test_a_phone_that_always_sent_and_stops_is_gone_after_the_limit() -> None:
    assert not looked(*[50] * KNOWN, *[0] * 4).is_gone(LIMIT_S)
    assert looked(*[50, 48, 53, 41] * 6, *[0] * 5).is_gone(LIMIT_S)
    assert looked(*[50] * KNOWN, 8, *[0] * 5).is_gone(LIMIT_S), "it stopped between two looks"


def test_a_phone_that_is_not_known_yet_is_not_judged() -> None:
    assert not looked(*[50] * 10, *[0] * 30).is_gone(LIMIT_S)
    assert not looked(*[0] * 60).is_gone(LIMIT_S)


def test_a_phone_that_suppresses_silence_is_never_judged_by_it() -> None:
    murmurs = [50, 50, 50, 20, 0, 0, 3, 50, 50] * 6
    assert not looked(*murmurs, *[0] * 30).is_gone(LIMIT_S)
    assert not looked(*[50] * 12, 25, *[50] * 12, *[0] * 30).is_gone(LIMIT_S), "it paused for half a second"
    assert not looked(*[1] * KNOWN, *[0, 1] * 10).is_gone(LIMIT_S)


def test_of_many_lines_each_is_looked_at_less_often_and_judged_alike() -> None:
    assert looked(*[50] * 24, *[0] * 8, every_s=4).is_gone(LIMIT_S)
    assert not looked(*[50] * 24, *[0] * 4, every_s=4).is_gone(LIMIT_S)
    assert not looked(*[50] * 14, 25, *[50] * 13, *[0] * 40, every_s=4).is_gone(LIMIT_S), "it paused for half a second"


def test_what_is_sent_while_somebody_talks_proves_nothing() -> None:
    assert not looked(*[50] * 60, *[0] * 30, at_rest=False).is_gone(LIMIT_S)


def test_a_network_that_falters_begins_anew() -> None:
    assert not looked(*[50] * KNOWN, 0, 0, 0, *[50] * 5, *[0] * 10).is_gone(LIMIT_S)
    assert looked(*[50] * KNOWN, 0, 0, 0, 200, *[50] * KNOWN, *[0] * 5).is_gone(LIMIT_S)
