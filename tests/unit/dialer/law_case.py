"""Rules, packs and campaigns as tests write them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

from dialer.compliance import rules
from dialer.compliance.check import Dialing, LeadFacts
from dialer.compliance.loader import read_packs
from dialer.compliance.rules import Basis, Mode, Purpose, RulePack, Scope, Source
from dialer.compliance.strictest import strictest
from dialer.dnc import DoNotCall, NumberSet

ROOT = Path(__file__).parents[3]
DAY_S = 86_400.0
ALL_DAY = dict.fromkeys(range(7), ((0, 1440),))
SHIPPED = read_packs(
    {f"config/compliance/{path.name}": path.read_text("utf-8") for path in ROOT.glob("config/compliance/*.yaml")}
)
NEW_YORK = "+12125550100"
MIAMI = "+13055550100"
MADRID = "+34911234567"
SPANISH_MOBILE = "+34622123456"
LONDON = "+442071234567"
BOGOTA = "+576012345678"
BUENOS_AIRES = "+541147000000"


def at(text: str, zone: str = "UTC") -> float:
    """`2026-11-23 09:00` on the wall of a zone, in UTC seconds."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


def utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def source(rule: str = "rule", pack: str = "test") -> Source:
    return Source(pack, rule, "a law", None, date(2030, 1, 1))


def pack(*of: rules.Rule, name: str = "test", countries: frozenset[str] = frozenset()) -> RulePack:
    return RulePack(name, name, countries, of)


def hours(week: rules.Week, name: str = "hours", holidays: rules.Holidays | None = None) -> rules.Hours:
    return rules.Hours(source(name), Scope(), week, holidays)


def cap(most: int, within_s: float, **more: str) -> rules.Cap:
    return rules.Cap(source("cap"), Scope(), most, within_s, **more)  # type: ignore[arg-type]


def abandonment(percent: int, days: int = 30) -> rules.Abandonment:
    window = rules.Window("successive", days * DAY_S)
    return rules.Abandonment(source(f"abandonment_{days}"), Scope(), Fraction(percent, 100), window)


def registers(now_s: float, *numbers: str) -> tuple[DoNotCall, ...]:
    """Every register a shipped pack asks for, of today, with these numbers in each."""
    names = sorted(
        {
            name
            for one in SHIPPED.packs.values()
            for r in one.rules
            if isinstance(r, rules.ListsNeeded)
            for name in r.lists
        }
    )
    return tuple(DoNotCall(name, "national", now_s, NumberSet(numbers)) for name in names)


def campaign(
    *packs: RulePack | str,
    purpose: Purpose = Purpose.SALES,
    mode: Mode = Mode.PREDICTIVE,
    identity: str = "+34911000000",
    lists: tuple[DoNotCall, ...] = (),
) -> Dialing:
    named = [SHIPPED.packs[one] if isinstance(one, str) else one for one in packs]
    return Dialing("c1", strictest(named, purpose, mode), identity, lists)


def lead(**more: object) -> LeadFacts:
    facts = {"lead_id": "7", "basis": Basis.CONSENT, "consent_s": at("2026-06-01 12:00"), "proof": "form 12", **more}
    return LeadFacts(**facts)  # type: ignore[arg-type]
