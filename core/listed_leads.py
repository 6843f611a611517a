"""What becomes of leads that wait in the store when somebody says that a number is not to be called, or may be again.

in whose call it was said    done: she has asked for it, whatever other numbers she has
others with that number      blocked, once none of their numbers may be called any more, as their turn would find; they
                             wait again when one may be, as long as they had to: a promised call comes no sooner
                             than promised, but from whoever is free. Of a campaign's own list their turn tells.

Who is in hand is the dialer's.
"""

from __future__ import annotations

from collections.abc import Collection

from core.dialing import NumberListed
from core.lead import LeadState
from core.lead_record import BY_RULE, LeadRecord

OPTED_OUT = "do_not_call"
"""The reason of a lead that asked not to be called."""
LISTED_AT_IMPORT = "do_not_call/own"
"""The reason of a lead whose numbers were on our lists when it was imported."""
_IN_HAND = (LeadState.STAGED, LeadState.DIALING)
_IDLE = (LeadState.NEW, LeadState.WAITING, LeadState.CALLBACK)


def after_word(record: LeadRecord, said: NumberListed, listed: Collection[str]) -> tuple[LeadState, str] | None:
    """Her state from now on, and its reason; None: she stays as she is. `listed`: those of her numbers that the
    tenant's list has, this word heard."""
    if record.state in _IN_HAND or record.tenant != said.tenant:
        return None
    if said.listed and said.lead_id == record.lead_id:
        return (LeadState.DONE, OPTED_OUT) if record.state is not LeadState.DONE else None
    reason = f"{BY_RULE}do_not_call/{said.tenant}"
    callable_ = [one.number for one in record.numbers if not one.dead]
    if said.campaign or not callable_:
        return None
    free = any(number not in listed for number in callable_)
    if not free and record.state in _IDLE:
        return LeadState.BLOCKED, reason
    if free and record.state is LeadState.BLOCKED and record.reason in (reason, LISTED_AT_IMPORT):
        return LeadState.WAITING, ""
    return None
