"""A floor of agents and queues in memory: what `desk/fake_engine.py` shows. Longest idle first, one contact each."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from typing import Any

from desk import fake_consult, fake_steering, fake_supervision
from desk import fake_views as views

Json = dict[str, Any]
_LOOKS = {"offered": "ringing", "active": "talking", "held": "hold", "consulting": "consulting", "wrap_up": "wrap_up"}
_TALK_STATES = {"hold": "held", "resume": "active"}


class RefusedByFake(Exception):
    """What was asked cannot be now; the message is for the person."""


class Floor:
    """`events`: all that changed, `{seq, kind, id, tenant, value}`; `told(event)` is called with each."""

    def __init__(self, now_s: Callable[[], float] = time.time) -> None:
        self.now_s = now_s
        self.seq = 0
        self.events: list[Json] = []
        self.agents: dict[tuple[str, str], Json] = {}
        self.queues: dict[tuple[str, str], Json] = {}
        self.stays: dict[str, Json] = {}
        self.talks: dict[str, Json] = {}
        self.contacts: dict[str, Json] = {}
        self._numbers = itertools.count(1)
        self._idle_since_s: dict[tuple[str, str], float] = {}

    def told(self, event: Json) -> None:
        """For whoever passes them on."""

    # -- who and what there is -------------------------------------------------------------------------
    def add_queue(self, queue: str, title: str = "", tenant: str = "main") -> None:
        self.queues[tenant, queue] = views.queue_view(tenant, queue, title)
        self._tell_queue(tenant, queue)

    def add_agent(self, agent_id: str, name: str = "", tenant: str = "main", queues: Sequence[str] = ()) -> None:
        device = f"{tenant}-{1000 + len(self.agents)}"
        self.agents[tenant, agent_id] = views.agent_view(tenant, agent_id, name, device, queues)
        self._tell_agent(tenant, agent_id)

    def remove_agent(self, agent_id: str, tenant: str = "main") -> None:
        del self.agents[tenant, agent_id]
        self._tell("agent", agent_id, tenant, None)

    def snapshot(self) -> Json:
        return {
            "now_s": self.now_s(),
            "agents": list(self.agents.values()),
            "queues": list(self.queues.values()),
            "stays": list(self.stays.values()),
            "talks": list(self.talks.values()),
        }

    def setup(self) -> Json:
        return views.setup_view(self.agents, self.queues)

    # -- what callers do -------------------------------------------------------------------------------
    def arrive(self, queue: str, caller: str = "+34600112233", name: str = "", tenant: str = "main") -> str:
        """A caller waits, and is offered to who is free. Returns the interaction."""
        interaction_id = f"i-{next(self._numbers)}"
        self.contacts[interaction_id] = views.contact_card(tenant, caller, name, queue, self.now_s())
        self.stays[f"{interaction_id}.s1"] = views.stay_view(tenant, interaction_id, queue, self.now_s())
        self.queues[tenant, queue]["today"]["offered"] += 1
        self._tell_stay(f"{interaction_id}.s1")
        self._match()
        return interaction_id

    def hang_up(self, interaction_id: str) -> None:
        """The caller leaves, waiting or talking."""
        for stay in tuple(self.stays.values()):
            if stay["interaction_id"] == interaction_id:
                self._end_stay(stay, "abandoned")
        for key, agent in self.agents.items():
            for each in agent["assignments"]:
                if each["interaction_id"] == interaction_id:
                    self._over(key, each)
        if (talk := self.talks.pop(interaction_id, None)) is not None:
            self._tell("talk", interaction_id, talk["tenant"], None)
        self._match()

    def accept(self, agent_id: str, tenant: str = "main") -> None:
        """Her phone is picked up."""
        agent = self.agents[tenant, agent_id]
        offer = next(each for each in agent["assignments"] if each["state"] == "offered")
        stay = self._stay_of(offer)
        self.queues[tenant, offer["queue"]]["today"]["in_target"] += 1
        self._end_stay(stay, "answered")
        self._put(agent, offer, "active")
        self.talks[offer["interaction_id"]] = views.talk_view(
            tenant, offer["interaction_id"], offer["queue"], agent_id, self.now_s()
        )
        self._tell("talk", offer["interaction_id"], tenant, self.talks[offer["interaction_id"]])

    def answer_consulted(self, interaction_id: str) -> None:
        """Who is asked first picks up."""
        talk = self.talks[interaction_id]
        fake_consult.answered(talk)
        self._tell("talk", interaction_id, talk["tenant"], talk)

    def lose_consulted(self, interaction_id: str) -> None:
        """Who is asked does not come."""
        talk = self.talks[interaction_id]
        agent, mine = self._mine(talk["tenant"], talk["parties"][0]["agent_id"], interaction_id, ("consulting",))
        fake_consult.act(talk, {"action": "cancel_consult"}, self.agents)
        self._put(agent, mine, "active")
        self._tell_agent(agent["tenant"], agent["agent_id"])
        self._tell("talk", interaction_id, talk["tenant"], talk)

    def answer_supervisor(self, interaction_id: str) -> None:
        """The phone of who wants to follow it is picked up."""
        talk = self.talks[interaction_id]
        talk["supervisor"] = {**talk["supervisor"], "up": True}
        self._tell("talk", interaction_id, talk["tenant"], talk)

    # -- what people ask ---------------------------------------------------------------------------------
    def do(self, fact: str, fields: Json) -> None:
        """Raises RefusedByFake, KeyError, ValueError: no such request."""
        handlers = {
            "AgentActed": self._agent_acted,
            "OfferRefused": self._offer_refused,
            "WrapUpActed": self._wrap_up_acted,
            "QueueActed": self._queue_acted,
            "StayActed": self._stay_acted,
            "ConversationActed": self._conversation_acted,
            "SupervisionActed": self._supervision_acted,
        }
        handlers[fact](fields)
        self._match()

    def _agent_acted(self, asked: Json) -> None:
        agent = self.agents.get((asked["tenant"], asked["agent_id"]))
        if agent is None:
            raise RefusedByFake("there is no such agent")
        action = asked["action"]
        if action not in ("log_in", "log_out", "ready", "not_ready"):
            raise ValueError(action)
        if agent["presence"] == "logged_out" and action in ("ready", "not_ready"):
            raise RefusedByFake("log in first")
        if agent["assignments"] and action in ("log_out", "not_ready"):
            agent["pending"] = action
            self._tell_agent(agent["tenant"], agent["agent_id"])
            return
        self._presence(agent, action, asked.get("reason", ""))

    def _presence(self, agent: Json, action: str, reason: str) -> None:
        presence = {"log_in": "not_ready", "log_out": "logged_out"}.get(action, action)
        if presence != agent["presence"] or reason != agent["reason"]:
            agent["since_s"] = self.now_s()
        reason = reason or ("login" if action == "log_in" else "")
        agent.update(presence=presence, reason=reason if presence == "not_ready" else "", pending="")
        self._tell_agent(agent["tenant"], agent["agent_id"])

    def _queue_acted(self, asked: Json) -> None:
        queue = self.queues.get((asked["tenant"], asked["queue"]))
        if queue is None:
            raise RefusedByFake("there is no such queue")
        queue["open"] = asked["action"] != "close"
        queue["forced"] = {"open": "open", "close": "closed"}.get(asked["action"], "")
        self._tell_queue(asked["tenant"], asked["queue"])

    def _stay_acted(self, asked: Json) -> None:
        stay = self.stays.get(asked["stay_id"])
        if why := fake_steering.why_not(stay, asked, self.queues):
            raise RefusedByFake(why)
        assert stay is not None
        if asked["action"] == "prioritise":
            stay["priority"] = asked["priority"]
            self._tell_stay(stay["stay_id"])
            return
        for key, agent in self.agents.items():
            for each in tuple(agent["assignments"]):
                if each["state"] == "offered" and each["interaction_id"] == stay["interaction_id"]:
                    self._over(key, each)
        self._end_stay(stay, "overflowed")
        fresh = fake_steering.moved(stay, asked["queue"], self.now_s())
        self.stays[fresh["stay_id"]] = fresh
        self.queues[stay["tenant"], asked["queue"]]["today"]["offered"] += 1
        self._tell_stay(fresh["stay_id"])

    def _offer_refused(self, asked: Json) -> None:
        agent, offer = self._mine(asked["tenant"], asked["agent_id"], asked["interaction_id"], ("offered",))
        agent["assignments"].remove(offer)
        stay = self._stay_of(offer)
        stay.update(state="waiting", offer_id="", agent_id="")
        self._presence(agent, "not_ready", "break")
        self._tell_stay(stay["stay_id"])

    def _conversation_acted(self, asked: Json) -> None:
        key = next((k for k, a in self.agents.items() if k[1] == asked["agent_id"]), ("", ""))
        agent, mine = self._mine(*key, asked["interaction_id"], ("active", "held", "consulting"))
        action, talk = asked["action"], self.talks[asked["interaction_id"]]
        if action in ("transfer", "consult") and not asked["target"]:
            raise RefusedByFake("say where to")
        if action in ("mute", "unmute"):
            talk["parties"] = [{**each, "muted": action == "mute"} for each in talk["parties"]]
        elif action in ("pause_recording", "resume_recording"):
            talk["recording_paused"] = action == "pause_recording"
        elif action in ("hang_up", "transfer", "complete"):
            self._over(key, mine)
        elif action in _TALK_STATES:
            self._put(agent, mine, _TALK_STATES[action])
            talk.update(customer_in=mine["state"] == "active")
        elif action in fake_consult.ACTIONS:
            if why := fake_consult.act(talk, asked, self.agents):
                raise RefusedByFake(why)
            self._put(agent, mine, "consulting" if talk["consulting"] else "active")
        if asked["interaction_id"] in self.talks:
            self._tell("talk", asked["interaction_id"], key[0], talk)

    def _supervision_acted(self, asked: Json) -> None:
        interaction_id = asked["interaction_id"]
        talk = self.talks.get(interaction_id)
        if why := fake_supervision.act(talk, asked):
            raise RefusedByFake(why)
        assert talk is not None
        if asked["action"] == "take_over":
            for key, agent in self.agents.items():
                for each in agent["assignments"]:
                    if each["interaction_id"] == interaction_id:
                        self._over(key, each)
            self.talks[interaction_id] = talk
        self._tell("talk", interaction_id, talk["tenant"], talk)

    def _wrap_up_acted(self, asked: Json) -> None:
        states = ("active", "held", "consulting", "wrap_up")
        agent, mine = self._mine(asked["tenant"], asked["agent_id"], asked["interaction_id"], states)
        given = asked.get("disposition") or mine.get("disposition", "")
        leaves = {each["path"] for each in views.DISPOSITIONS if each["leaf"]}
        if given and given not in leaves:
            raise RefusedByFake(f"{given} is no disposition of this queue")
        if asked.get("finish") and mine["state"] != "wrap_up":
            raise RefusedByFake("the conversation is not over")
        if asked.get("finish") and not given:
            leaf_paths = ", ".join(each["path"] for each in views.DISPOSITIONS if each["leaf"])
            raise RefusedByFake(f"choose a disposition first: {leaf_paths}")
        mine["disposition"] = given
        if asked.get("text"):
            note = {"at_s": self.now_s(), "by": asked["agent_id"], "text": asked["text"]}
            self.contacts[asked["interaction_id"]]["notes"].append(note)
        if asked.get("extend_s"):
            mine["wrap_up_ends_s"] += asked["extend_s"]
            mine["extended_s"] += asked["extend_s"]
        if asked.get("finish"):
            agent["assignments"].remove(mine)
            agent["handled"] += 1
            self._idle_since_s[agent["tenant"], agent["agent_id"]] = self.now_s()
            if agent["pending"]:
                self._presence(agent, agent["pending"], "")
        self._tell_agent(agent["tenant"], agent["agent_id"])

    # -- how it hangs together ---------------------------------------------------------------------------
    def _stay_of(self, offer: Json) -> Json:
        return next(each for each in self.stays.values() if each["interaction_id"] == offer["interaction_id"])

    def _mine(self, tenant: str, agent_id: str, interaction_id: str, states: Sequence[str]) -> tuple[Json, Json]:
        agent = self.agents.get((tenant, agent_id))
        for each in (agent or {}).get("assignments", ()):
            if each["interaction_id"] == interaction_id and each["state"] in states:
                assert agent is not None
                return agent, each
        raise RefusedByFake("you have no such conversation now")

    def _match(self) -> None:
        for stay in sorted(self.stays.values(), key=lambda each: each["joined_s"]):
            key = stay["tenant"], stay["queue"]
            free = [
                agent
                for agent in self.agents.values()
                if agent["tenant"] == key[0] and agent["presence"] == "ready" and not agent["assignments"]
                if not agent["queues"] or key[1] in agent["queues"]
            ]
            if stay["state"] != "waiting" or not free:
                continue
            agent = min(free, key=lambda each: each["since_s"])
            offer = views.offer_view(stay, f"{stay['interaction_id']}.o{next(self._numbers)}", self.now_s())
            agent["assignments"].append(offer)
            stay.update(state="offered", offer_id=offer["offer_id"], agent_id=agent["agent_id"])
            self._tell_stay(stay["stay_id"])
            self._tell_agent(agent["tenant"], agent["agent_id"])

    def _over(self, key: tuple[str, str], mine: Json) -> None:
        agent = self.agents[key]
        if mine["state"] == "offered":
            agent["assignments"].remove(mine)
        elif mine["state"] != "wrap_up":
            mine["wrap_up_ends_s"] = self.now_s() + 30.0
            self._put(agent, mine, "wrap_up")
            self.talks.pop(mine["interaction_id"], None)
            self._tell("talk", mine["interaction_id"], key[0], None)
        self._tell_agent(*key)

    def _put(self, agent: Json, mine: Json, state: str) -> None:
        mine.update(state=state, since_s=self.now_s())
        self._tell_agent(agent["tenant"], agent["agent_id"])

    def _end_stay(self, stay: Json, how: str) -> None:
        today = self.queues[stay["tenant"], stay["queue"]]["today"]
        today[how] += 1
        served = today["answered"] + today["abandoned"]
        today["service_level"] = round(100.0 * today["in_target"] / served, 1) if served else None
        del self.stays[stay["stay_id"]]
        self._tell("stay", stay["stay_id"], stay["tenant"], None)
        self._tell_queue(stay["tenant"], stay["queue"])

    def _tell_stay(self, stay_id: str) -> None:
        stay = self.stays[stay_id]
        same = sorted(
            (each for each in self.stays.values() if each["queue"] == stay["queue"]), key=lambda each: each["joined_s"]
        )
        stay["position"] = same.index(stay) + 1
        self._tell("stay", stay_id, stay["tenant"], stay)
        self._tell_queue(stay["tenant"], stay["queue"])

    def _tell_queue(self, tenant: str, queue: str) -> None:
        view = self.queues[tenant, queue]
        waiting = [each for each in self.stays.values() if (each["tenant"], each["queue"]) == (tenant, queue)]
        serving = [
            agent
            for agent in self.agents.values()
            if agent["tenant"] == tenant and (not agent["queues"] or queue in agent["queues"])
        ]
        view.update(
            waiting=len(waiting),
            longest_wait_s=max((self.now_s() - each["joined_s"] for each in waiting), default=0.0),
            waits_since_s=min((each["joined_s"] for each in waiting), default=0.0),
            logged_in=sum(agent["presence"] != "logged_out" for agent in serving),
            available=sum(agent["presence"] == "ready" and not agent["assignments"] for agent in serving),
        )
        self._tell("queue", queue, tenant, view)

    def _tell_agent(self, tenant: str, agent_id: str) -> None:
        agent = self.agents[tenant, agent_id]
        at_work = next((_LOOKS[each["state"]] for each in agent["assignments"]), "")
        agent["looks"] = at_work or agent["presence"]
        idle_s = self._idle_since_s.get((tenant, agent_id), 0.0) if agent["presence"] == "ready" else 0.0
        free_s = max(agent["since_s"], idle_s)
        agent["looks_since_s"] = max((each["since_s"] for each in agent["assignments"]), default=free_s)
        self._tell("agent", agent_id, tenant, agent)
        for owner, queue in self.queues:
            if owner == tenant and (not agent["queues"] or queue in agent["queues"]):
                self._tell_queue(tenant, queue)

    def _tell(self, kind: str, id_: str, tenant: str, value: Json | None) -> None:
        self.seq += 1
        copied = None if value is None else {**value}
        if copied is not None and "assignments" in copied:
            copied["assignments"] = [{**each} for each in copied["assignments"]]
        event = {"seq": self.seq, "kind": kind, "id": id_, "tenant": tenant, "value": copied}
        self.events.append(event)
        self.told(event)
