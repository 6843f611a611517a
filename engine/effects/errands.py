"""What the engine answers itself, until there is somebody to answer: tickets and callbacks are kept in the journal, no
channel carries messages."""

from __future__ import annotations

from core.commands import Command, OpenTicket, RequestCallback, SendMessage
from core.events import CallbackRequested, CommandRejected, Event, TicketOpened
from engine.lanes import Ordered


def answers(command: Command) -> bool:
    """Whether the engine answers this command itself."""
    return isinstance(command, OpenTicket | RequestCallback | SendMessage)


def answer(ordered: Ordered) -> Event:
    """To a command whose event is durable, as far as it must be."""
    command, interaction_id = ordered.command, ordered.interaction_id
    match command:
        case OpenTicket():
            return TicketOpened(interaction_id, command.ticket_id, ordered.command_id)
        case RequestCallback():
            return CallbackRequested(interaction_id, command.callback_id)
        case SendMessage(channel=channel, message_id=message_id):
            why = f"no adapter for {channel}"
            return CommandRejected(interaction_id, ordered.command_id, "SendMessage", why, subject_id=message_id)
        case _:
            raise TypeError(f"not the engine's own: {type(command).__name__}")
