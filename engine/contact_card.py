"""What an agent may know of the contact she is offered: who calls, where she has been, what was noted.

Read from the journal, so it also answers for a contact that has ended and is being wrapped up. Sensitive values are
not in the journal, and so not here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.agent_facts import WrapUpActed
from core.commands import JoinQueue, NoteInteraction, RequestCallback, TagInteraction
from core.decisions import REQUEST_REFUSED, InteractionOpened, NodeEntered, Noted, VariablesSet
from core.dialing import AttemptWanted
from core.events import CommandRejected, LegArrived
from core.talk_facts import ConversationActed, TalkEnded
from engine.handover import CAME_BACK
from store.entry import Recorded

HIDDEN = "***"
_ATTEMPT = ("attempt_id", "campaign", "lead_id", "called", "mode", "purpose", "script")
"""What is told of the attempt by which we reached her."""
_REFUSED = ("refused", "event_refused", REQUEST_REFUSED)
_SAID = ("name", "lead_id", "lead_name", "campaign")
"""Variables of an attempt that the card says already."""


def contact_card(records: Sequence[Recorded], language: str = "") -> dict[str, Any] | None:
    """None when the records tell of no contact. `language`: the one her flow speaks now."""
    card: dict[str, Any] = {
        "tenant": "",
        "caller": "",
        "caller_name": "",
        "called": "",
        "language": language,
        "opened_s": 0.0,
        "attempt": None,
        "path": [],
        "variables": {},
        "tags": [],
        "notes": [],
        "came_back_from": None,
        "callback_to": "",
    }
    sender = sent_to = ""
    for record in records:
        event = record.event
        if isinstance(event, AttemptWanted):
            card["attempt"] = {name: getattr(event, name) for name in _ATTEMPT}
            card["caller_name"] = event.variables.get("lead_name", "")
            said = {*_SAID, "script"} if event.script else _SAID
            card["variables"].update({name: value for name, value in event.variables.items() if name not in said})
        elif isinstance(event, LegArrived):
            card["caller_name"] = card["caller_name"] or event.caller_name
            card["callback_to"] = ""  # she rang back by herself
        elif isinstance(event, WrapUpActed) and event.text and not _refused(record):
            card["notes"].append({"at_s": record.at_s, "by": event.agent_id, "text": event.text})
        elif isinstance(event, ConversationActed) and event.action in ("transfer", "consult") and not _refused(record):
            card["variables"].update(event.values)
            sender, sent_to = event.agent_id, event.target
        elif isinstance(event, TalkEnded):
            card["came_back_from"], card["callback_to"] = None, ""
            sent_to = sent_to if event.agent_id == sender else ""
        elif isinstance(event, CommandRejected) and event.what == RequestCallback.__name__:
            card["callback_to"] = ""
        for decision in record.decisions:
            _learn(card, decision, record.at_s)
            if isinstance(decision, Noted) and decision.what == CAME_BACK:
                card["came_back_from"], sent_to = sent_to, ""
        for command in record.commands:
            if isinstance(command, TagInteraction):
                card["tags"] = [tag for tag in card["tags"] if tag not in (*command.removed, *command.tags)]
                card["tags"].extend(command.tags)
            elif isinstance(command, RequestCallback):
                card["callback_to"] = command.target
            elif isinstance(command, JoinQueue):
                card["callback_to"] = ""  # she waits on the line after all
            elif isinstance(command, NoteInteraction):
                card["notes"].append({"at_s": record.at_s, "by": "", "text": command.text})
    return card if card["tenant"] else None


def _refused(record: Recorded) -> bool:
    """What was refused is not so: she still has it before her, and will say it again."""
    return any(isinstance(each, Noted) and each.what in _REFUSED for each in record.decisions)


def _learn(card: dict[str, Any], decision: object, at_s: float) -> None:
    match decision:
        case InteractionOpened():
            card.update(tenant=decision.tenant, caller=decision.caller, called=decision.called, opened_s=at_s)
            card["language"] = card["language"] or decision.language
        case NodeEntered():
            node = f"{decision.flow}.{decision.node}"
            if not card["path"] or card["path"][-1] != node:
                card["path"].append(node)
        case VariablesSet():
            card["variables"].update({name: value for name, value in decision.values.items() if value != HIDDEN})
        case _:
            pass
