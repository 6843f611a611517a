"""A new setup in force, lists built anew, and going on after a restart."""

from __future__ import annotations

from collections.abc import Callable

from core.attempt import AttemptEvent
from core.campaign import CampaignEvent, CampaignState
from core.lead_store import Save
from dialer import staging, watch
from dialer.do_not_call import DoNotCallBook
from dialer.keeping import put_back
from dialer.progress import moved
from dialer.records import Word
from dialer.setup import DialerSetup
from dialer.state import State
from dialer.turn import Turn


def change(state: State, turn: Turn, setup: DialerSetup) -> None:
    """Attempts and leads in hand go on. What paces a campaign keeps what it has learnt as long as its method is the
    same."""
    before = state.setup
    for key in [key for key in state.pacers if before.campaigns.get(key) != setup.campaigns.get(key)]:
        turn.pacer(key)  # its picture
        del state.pacers[key]
    state.setup = setup
    state.index()
    _fit(state, turn)
    for key in sorted(setup.campaigns):
        if state.campaigns[key].created_s:
            turn.campaign(key).stage_after_s = 0.0
    turn.paced |= set(setup.campaigns)


def _fit(state: State, turn: Turn) -> None:
    """What the setup has no longer: campaigns whose file is gone stop, leads of lists that moved on go back."""
    for key in sorted(state.campaigns.keys() - state.setup.campaigns.keys()):
        watch.withdraw_previews(state, turn, key, "the campaign is gone")
        staging.empty(state, turn, key, "the campaign is gone")
        if state.campaigns[key].state is not CampaignState.STOPPED:
            turn.move_campaign(turn.campaign(key), CampaignEvent.STOP, "its file is gone")
    for row in sorted(row for row, lead in state.leads.items() if lead.in_hopper):
        lead = state.leads[row]
        owner = state.setup.of_list.get((lead.record.tenant, lead.record.list_id))
        if lead.record.list_id and owner != lead.campaign:
            put_back(state, turn, lead, "its list is another campaign's now")


def take_book(state: State, turn: Turn, book: DoNotCallBook) -> None:
    """What was heard since its reading began is said to it again; older words are in it."""
    kept: dict[str, Word] = {}
    for row, word in state.heard.items():
        if word.at_s >= book.built_s or row in state.words:
            book = book.heard(word.said, turn.now_s)
            kept[row] = word
    state.book, state.heard = book, kept
    turn.paced |= {key for key, one in state.campaigns.items() if one.state is CampaignState.RUNNING}


def resume(state: State, turn: Turn, open_: Callable[[str], bool]) -> None:
    """After `State.index`: what the store may not have is saved again, and what nobody watched is lost."""
    for row, word in sorted(state.words.items(), key=lambda item: (item[1].serial, item[0])):
        state.book = state.book.heard(word.said, turn.now_s)
        state.heard = {**state.heard, row: word}
        turn.outcome.saves.append(Save(f"dnc:{row}", word.serial, listed=word.said))
    for attempt_id in sorted(state.attempts):
        attempt = state.attempts[attempt_id]
        if not attempt.state.is_over and attempt.was_dialed and not open_(attempt.interaction_id):
            moved(state, turn, attempt, AttemptEvent.LOST, why="its interaction is gone")
    _fit(state, turn)
    said = {save.id for save in turn.outcome.saves}
    for attempt_id, attempt in sorted(state.attempts.items()):
        id_ = f"attempt:{attempt_id}"
        if attempt.serial and not attempt.kept_s and id_ not in said:
            turn.outcome.saves.append(Save(id_, attempt.serial, attempt=attempt.record()))
    for row, lead in sorted(state.leads.items()):
        id_ = f"lead:{row}"
        if not lead.held and lead.serial and lead.record.list_id and id_ not in said:
            turn.outcome.saves.append(Save(id_, lead.serial, lead=lead.record))
