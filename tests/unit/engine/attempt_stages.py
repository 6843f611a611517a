"""A campaign's call brought into each state it can be in, and what a detector says of it."""

from dataclasses import replace

from core.dialing import AttemptCancelled
from core.events import AudioVerdict, LegRinging, LegUp
from tests.unit.engine.attempt_case import AGENTLESS, HER, ID, WANTED, Case


def heard(label, *, final=True, at_s=0.0):
    return AudioVerdict(HER, "at-1.amd", "amd", label, 0.9, "so it sounds", final, at_s)


def dialing(wanted=WANTED):
    return Case(wanted)


def ringing(wanted=WANTED):
    case = Case(wanted)
    case.tell(LegRinging(HER))
    return case


def waiting():
    return ringing().answer()


def offered():
    case = waiting()
    case.tell(case.offer("ana"))
    return case


def connected():
    return waiting().connect()


def rung_connected():
    case = waiting()
    offer = case.offer("ana")
    case.tell(offer, LegUp(offer.offer_id))
    return case


def dropped():
    case = waiting()
    case.wait(2.1)
    return case


def queued_on():
    case = ringing(replace(WANTED, drop_action="queue")).answer()
    case.wait(2.1)
    return case


def in_flow():
    return ringing(AGENTLESS).answer()


def cancelling():
    case = ringing()
    case.tell(AttemptCancelled(ID, "at-1"))
    return case


def cancelled():
    case = cancelling()
    case.wait(16)
    return case


BEFORE = [dialing, ringing, cancelling, cancelled]
AFTER = [waiting, offered, connected, rung_connected, dropped, queued_on, in_flow]
