"""What the engine answers itself, until somebody else does."""

import pytest

from core.commands import AskQueueStatus, OpenTicket, RequestCallback, SendMessage, is_irreversible
from core.events import CallbackRequested, CommandRejected, TicketOpened
from core.leg_commands import HangUpLeg
from engine.effects import errands
from engine.lanes import Ordered


@pytest.mark.parametrize(
    ("command", "event"),
    [
        (OpenTicket("i", "t", "Broken"), TicketOpened("i", "t", "7.1")),
        (RequestCallback("i", "c", "+34600123123"), CallbackRequested("i", "c")),
        (
            SendMessage("i", "m", "sms", "+34600123123", "Hola"),
            CommandRejected("i", "7.1", "SendMessage", "no adapter for sms", "", "m"),
        ),
    ],
)
def test_every_errand_is_answered(command, event):
    assert errands.answers(command)
    assert errands.answer(Ordered("7.1", "i", command)) == event


def test_what_is_not_the_engines_own_is_said():
    assert not errands.answers(HangUpLeg("l"))
    assert not errands.answers(AskQueueStatus("i", "r", "sales")), "the router knows"
    with pytest.raises(TypeError):
        errands.answer(Ordered("7.1", "i", HangUpLeg("l")))


def test_messages_and_tickets_are_never_repeated_blindly():
    assert is_irreversible(SendMessage("i", "m", "sms", "x", "y"))
    assert is_irreversible(OpenTicket("i", "t", "x"))
    assert not is_irreversible(RequestCallback("i", "c", "x"))
