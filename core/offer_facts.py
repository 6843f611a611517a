"""Facts about an agent who is to take a contact: reserved, rung, there, or not to be had."""

from __future__ import annotations

from typing import Literal

from core.frozen import dataclass


@dataclass(frozen=True, slots=True)
class OfferMade:
    """An agent is reserved for this interaction: ring her, or use her held line.

    Args:
        offer_id: unique for ever; also the id of the leg that rings her.
        device: name inside Asterisk (`main-1001`); empty for a channel that rings no phone.
        line_leg_id: the leg of her held line, empty when she has none.
        ring_s: gives up after.
        queue: empty for a direct offer.
    """

    interaction_id: str
    stay_id: str
    offer_id: str
    agent_id: str
    device: str
    queue: str = ""
    line_leg_id: str = ""
    line_interaction_id: str = ""
    ring_s: float = 20.0
    auto_answer: bool = False
    purpose: Literal["serve", "transfer", "consult"] = "serve"
    waited_s: float = 0.0


@dataclass(frozen=True, slots=True)
class OfferWithdrawn:
    """Somebody else has it, or nobody wants it any more: stop ringing. `why`: for the journal. `answered`: somebody
    else has answered it, so that her phone need not show a missed call."""

    interaction_id: str
    offer_id: str
    why: str = ""
    answered: bool = False


@dataclass(frozen=True, slots=True)
class OfferRinging:
    interaction_id: str
    offer_id: str


@dataclass(frozen=True, slots=True)
class OfferTaken:
    """The agent is there and the customer, whose stay is virtual, is being called: `OfferAccepted` or `OfferFailed`
    follows before `until_s`."""

    interaction_id: str
    offer_id: str
    until_s: float


@dataclass(frozen=True, slots=True)
class OfferAccepted:
    """The agent took it: for a voice offer, her leg is up."""

    interaction_id: str
    offer_id: str


@dataclass(frozen=True, slots=True)
class OfferFailed:
    """`rejected`: she (or her phone, busy) said no; `rona`: it rang out; `unreachable`: the phone cannot be rung;
    `no_customer`: who was to be called back was not reached, which is nothing against the agent."""

    interaction_id: str
    offer_id: str
    how: Literal["rejected", "rona", "unreachable", "no_customer"]
    why: str = ""


@dataclass(frozen=True, slots=True)
class OfferRefused:
    """An agent declines an offer at her desk; the interaction's leg is then withdrawn."""

    tenant: str
    agent_id: str
    offer_id: str
    interaction_id: str = ""
