"""Campaigns in memory, for `desk/fake_engine.py`: they start and stop, show leads, count; nobody is dialed.

fake.dialer.add_campaign("renewals", mode="predictive"); fake.dialer.show_lead("renewals", "ana", "Carmen Díaz")
fake.dialer.pace("renewals", count=3, why="4 ready agents", dialing=2, connected=4)
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from typing import Any

Json = dict[str, Any]
Key = tuple[str, str]
Tell = Callable[[str, str, str, Json | None], None]
"""(kind, id, tenant, value)"""

_TODAY = (
    *("dialed", "answered", "live", "connected", "abandoned", "machine"),
    *("no_answer", "busy", "failed", "invalid", "blocked"),
)
_LEADS = ("new", "staged", "dialing", "waiting", "callback", "blocked", "exhausted", "done")
_AFTER = {"start": "running", "pause": "paused", "drain": "draining", "stop": "stopped"}
FORM: list[Json] = [
    {
        "name": "plan",
        "title": {"es": "Plan elegido", "en": "Chosen plan"},
        "type": "choice",
        "choices": ["300", "600"],
        "required": False,
    },
    {"name": "email", "title": {"es": "Correo", "en": "E-mail"}, "type": "text", "choices": [], "required": False},
    {"name": "pay_on", "title": {"es": "Pagará el", "en": "Pays on"}, "type": "date", "choices": [], "required": False},
    {"name": "sum", "title": {"es": "Importe", "en": "Amount"}, "type": "money", "choices": [], "required": False},
]
_NUMBER = re.compile(r"\+[1-9][0-9]{3,14}")
_EMERGENCY = ("112", "911", "061", "091")
_PREVIEW_S = 30.0
_DECISIONS = 100


class Refusal(Exception):
    """What was asked cannot be; the message is for the person."""


def campaign_view(tenant: str, campaign: str, title: str, mode: str, queue: str, list_id: str) -> Json:
    """As the engine's: a campaign that has just been written."""
    return {
        "tenant": tenant,
        "campaign": campaign,
        "title": title or campaign.title(),
        "mode": mode,
        "purpose": "sales",
        "packs": ["es"],
        "state": "stopped",
        "why": "",
        "queue": queue,
        "lists": [{"list_id": list_id, "weight": 1}],
        "lines": dict.fromkeys(("dialing", "ringing", "screening", "waiting", "connected", "leaving_message"), 0),
        "agents": {"ready": 0, "busy": 0, "lines": 0},
        "today": dict.fromkeys(_TODAY, 0),
        "dispositions": {},
        "abandonment": [
            {
                "rule": "es/abandonment",
                "most": 0.03,
                "live": 0,
                "abandoned": 0,
                "ratio": 0.0,
                "spare": 0,
                "from_s": 0.0,
                "until_s": 0.0,
            }
        ],
        "detector": {"told": 0, "machines": 0, "least": 0.0, "most": 1.0},
        "last": {"at_s": 0.0, "count": 0, "why": ""},
        "hopper": 0,
        "leads": dict.fromkeys(_LEADS, 0),
        "previews": [],
        "in_person": [],
    }


class FakeDialer:
    """`tell` gives what changed to the floor's stream."""

    def __init__(self, tell: Tell, now_s: Callable[[], float]) -> None:
        self._tell = tell
        self._now_s = now_s
        self.campaigns: dict[Key, Json] = {}
        self.decisions: dict[Key, list[Json]] = {}
        self.listed: set[tuple[str, str, str]] = set()
        """(tenant, campaign, number)"""
        self.whys: dict[Key, Json] = {}
        """(tenant, lead) -> what is told of it."""
        self.answers: dict[str, dict[str, str]] = {}
        """Interaction -> what was filled into its form."""
        self._numbers = itertools.count(1)

    def add_campaign(
        self, campaign: str, title: str = "", mode: str = "predictive", queue: str = "sales", tenant: str = "main"
    ) -> None:
        view = campaign_view(tenant, campaign, title, mode, queue, campaign)
        self.campaigns[tenant, campaign] = view
        self.decisions[tenant, campaign] = []
        self._changed(view)

    def pace(self, campaign: str, count: int = 0, why: str = "", tenant: str = "main", **lines: int) -> None:
        """A pacing decision, and how many lines there are now."""
        view, now_s = self.campaigns[tenant, campaign], self._now_s()
        view["lines"] = {**dict.fromkeys(view["lines"], 0), **lines}
        view["last"] = {"at_s": now_s, "count": count, "why": why}
        view["today"]["dialed"] += count
        decided = self.decisions[tenant, campaign]
        decided.append({**view["last"], "since_s": now_s, "times": 1})
        del decided[:-_DECISIONS]
        self._changed(view)

    def count(self, campaign: str, tenant: str = "main", **parts: Json) -> None:
        """Other parts of the view: `today={"live": 90}`, `agents={"ready": 2}`, `abandonment={"abandoned": 1}`."""
        view = self.campaigns[tenant, campaign]
        for part, values in parts.items():
            (view[part][0] if part == "abandonment" else view[part]).update(values)
        self._changed(view)

    def show_lead(
        self,
        campaign: str,
        agent_id: str,
        name: str = "",
        called: str = "+34600112233",
        tenant: str = "main",
        callback: bool = False,
    ) -> str:
        """A lead is put before an agent. Returns the attempt."""
        view, now_s = self.campaigns[tenant, campaign], self._now_s()
        number = next(self._numbers)
        shown = {
            "attempt_id": f"a-{number}",
            "agent_id": agent_id,
            "number": called,
            "callback": callback,
            "lead": {"lead_id": f"lead-{number}", "name": name, "fields": {"plan": "Fibra 600", "city": "Cádiz"}},
            "ends_s": now_s + _PREVIEW_S,
        }
        view["previews"].append(shown)
        self._changed(view)
        return f"a-{number}"

    def show_attempt(self, campaign: str, agent_id: str, phase: str, tenant: str = "main", **more: Any) -> None:
        """What is dialed for one agent: it replaces what was shown before; `more`: outcome, cause, why, name."""
        view = self.campaigns[tenant, campaign]
        shown: Json = {"attempt_id": f"p-{agent_id}", "agent_id": agent_id, "lead_id": "", "name": ""}
        shown |= {"mode": "manual", "number": "+34600112233", "phase": phase, "outcome": "", "cause": 0, "why": ""}
        view["in_person"] = [{**shown, "since_s": self._now_s(), **more}] if phase else []
        self._changed(view)

    def snapshot(self) -> Json:
        return {"now_s": self._now_s(), "campaigns": list(self.campaigns.values())}

    def detail(self, tenant: str, campaign: str) -> Json | None:
        view = self.campaigns.get((tenant, campaign))
        return None if view is None else {**view, "decisions": self.decisions[tenant, campaign][::-1]}

    def setup(self) -> list[Json]:
        """What an agent's page needs of each campaign."""
        return [
            {
                "tenant": tenant,
                "campaign": campaign,
                "title": view["title"],
                "mode": view["mode"],
                "queue": view["queue"],
                "script": {"es": "Pregunta si le va bien ahora.", "en": "Ask whether it is a good moment."},
                "form": FORM,
            }
            for (tenant, campaign), view in self.campaigns.items()
        ]

    def do(self, fact: str, fields: Json) -> str:
        """What is told with it. Raises Refusal, KeyError, ValueError: no such request."""
        handlers: dict[str, Callable[[Json], str | None]] = {
            "CampaignActed": self._campaign_acted,
            "NumberListed": self._number_listed,
            "LeadActed": self._lead_acted,
            "ManualAsked": self._manual_asked,
            "PreviewActed": self._preview_acted,
            "FormFilled": self._form_filled,
            "ListsChanged": self._lists_changed,
        }
        return handlers[fact](fields) or ""

    def explain(
        self, campaign: str, lead_id: str, *sentences: str, blocks: Json | None = None, tenant: str = "main"
    ) -> None:
        """What is told of a lead; `blocks`: rule -> why."""
        refused = [{"rule": rule, "why": why, "law": "", "not_before_s": None} for rule, why in (blocks or {}).items()]
        number = {"number": "+34600112233", "label": "mobile", "dead": "", "identity": "+34911222333"}
        self.whys[tenant, lead_id] = {
            "tenant": tenant,
            "lead_id": lead_id,
            "campaign": campaign,
            "state": "waiting",
            "reason": "",
            "promise": None,
            "sentences": list(sentences),
            "numbers": [{**number, "allowed": not refused, "blocks": refused, "next_s": None}],
            "attempts": [],
            "next_s": None,
        }

    def _campaign_acted(self, asked: Json) -> str:
        view, action = self._view(asked), asked["action"]
        state = view["state"]
        if action not in _AFTER:
            raise ValueError(action)
        if action in ("pause", "drain") and state == "stopped":
            raise Refusal(f"{view['campaign']} is stopped: start it first")
        view["state"] = _AFTER[action]
        view["why"] = f"{asked.get('by') or 'somebody'} asked"
        self._changed(view)
        if action != "start" or sum(view["leads"].values()):
            return ""
        name = view["lists"][0]["list_id"]
        return f"there is no lead to dial, {name} is empty: centralita lists import FILE --list {name}"

    def _number_listed(self, asked: Json) -> None:
        called = asked["called"]
        if not _NUMBER.fullmatch(called):
            raise Refusal(f"'{called}' is not E.164: write it like +34911234567")
        entry = (asked["tenant"], asked.get("campaign", ""), called)
        self.listed.add(entry) if asked.get("listed", True) else self.listed.discard(entry)

    def _lead_acted(self, asked: Json) -> None:
        if asked["action"] not in ("callback", "opt_out", "reopen", "finish", "kept", "broken"):
            raise ValueError(asked["action"])
        self._view(asked)
        told = self.whys.get((asked["tenant"], asked["lead_id"]), {})
        if told.get("promise") and asked["action"] in ("kept", "broken"):
            told["promise"]["outcome"] = asked["action"]
        if asked["action"] == "callback" and asked.get("at_s", 0.0) <= self._now_s():
            raise Refusal("a callback is in the future")

    def _manual_asked(self, asked: Json) -> None:
        view, called = self._view(asked), asked["called"]
        if called in _EMERGENCY:
            raise Refusal(f"{called} is an emergency number: it is never dialed by a campaign")
        if not _NUMBER.fullmatch(called):
            raise Refusal(f"'{called}' is not a number that can be dialed: write it like +34911234567")
        if {(asked["tenant"], "", called), (asked["tenant"], view["campaign"], called)} & self.listed:
            raise Refusal(f"{called} asked not to be called again")
        view["today"]["dialed"] += 1
        self._changed(view)

    def _preview_acted(self, asked: Json) -> None:
        if asked["action"] not in ("dial", "skip"):
            raise ValueError(asked["action"])
        for view in self.campaigns.values():
            for each in view["previews"]:
                if (each["attempt_id"], each["agent_id"]) == (asked["attempt_id"], asked["agent_id"]):
                    view["previews"].remove(each)
                    view["today"]["dialed"] += asked["action"] == "dial"
                    self._changed(view)
                    return
        raise Refusal("this lead is no longer shown to you")

    def _form_filled(self, asked: Json) -> None:
        names = [field["name"] for field in FORM]
        for name in asked["answers"]:
            if name not in names:
                raise Refusal(f"the form has no field '{name}': its fields are {', '.join(names)}")
        if asked["answers"].get("sum", "").isalpha():
            raise Refusal(f"sum: '{asked['answers']['sum']}' is no amount: write it like 1250.00")
        if asked["complete"] and asked["disposition"] == "promise" and not asked["answers"].get("pay_on"):
            raise Refusal("fill in first: pay_on")
        self.answers.setdefault(asked["interaction_id"], {}).update(asked["answers"])

    def _lists_changed(self, asked: Json) -> None:
        if asked.get("campaign"):
            self._view(asked)

    def _view(self, asked: Json) -> Json:
        view = self.campaigns.get((asked["tenant"], asked["campaign"]))
        if view is None:
            raise Refusal("there is no such campaign")
        return view

    def _changed(self, view: Json) -> None:
        copied = {**view, **{part: [{**each} for each in view[part]] for part in ("previews", "in_person")}}
        copied |= {part: {**view[part]} for part in ("lines", "agents", "today", "dispositions", "last", "leads")}
        self._tell("campaign", view["campaign"], view["tenant"], copied)
