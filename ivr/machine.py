"""The interpreter's workbench: one fact's worth of turns over a run, then thrown away.

It enters and leaves nodes, keeps the digits nobody has taken yet and counts node visits so that no flow spins.
Verbs say what is to be done; this says in which order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from core.commands import Command
from core.decisions import Decision, NodeEntered, NodeLeft, Noted, VariablesSet
from core.errors import CentralitaError
from core.events import DigitPressed, Event
from core.leg import EndReason
from core.leg_commands import HangUpLeg
from ivr.effects import Effects
from ivr.guard import Guard
from ivr.node import Call, End, GiveBack, Leave, NodeModel, Returned, Turn, Visit, World, fail
from ivr.nodes import VERBS
from ivr.place import Place
from ivr.prompts import Prompt
from ivr.run import Detour, Ended, FlowRun, Leaving, Outcome, Step
from ivr.secrets import names_needed, names_said

TYPE_AHEAD = 32
"""Digits kept for nodes to come; more is a storm."""
SWALLOW_S = 3.0
"""How long a terminator pressed out of habit still means nothing."""
DEPTH = 8
"""Flows within one another."""


class Machine:
    """Mutable for one step: `take_turns` until nothing more happens at once, then `step` gives the frozen result."""

    def __init__(self, world: World, run: FlowRun, now_s: float) -> None:
        self.world, self.run, self.now_s = world, run, now_s
        self.effects = Effects(run.interaction_id, run.leg_id, now_s, run.leg_up, run.playing, run.music, run.timers)
        self.decisions: list[Decision] = []
        self.ended: Ended | None = None
        self.at = Place(world, run)
        self.guard = Guard(run)
        self.serial, self.language = run.serial, run.language
        self.verb, self.memory, self.secret, self.leaving = run.verb, run.memory, run.secret, run.leaving
        self.typed, self.pending = run.typed, ""
        self.swallow, self.swallow_until_s = run.swallow, run.swallow_until_s
        self.notified = run.notified

    def step(self) -> Step:
        """The run from now on, with everything that is to be done."""
        effects, guard, over = self.effects, self.guard, self.ended is not None
        before = self.run
        # Positional, in the order of the fields: twenty-six keywords cost more than the whole rest of the step.
        run = FlowRun(
            before.interaction_id,
            before.leg_id,
            before.tenant,
            before.release_id,
            self.language,
            self.at.frames(),
            before.facts,
            before.seed,
            guard.visits,
            self.serial,
            self.verb,
            None if over else self.memory,
            self.secret and not over,
            None if over else self.leaving,
            "" if over else effects.playing,
            effects.timers,
            "" if over else (self.typed + self.pending)[:TYPE_AHEAD],
            self.swallow,
            self.swallow_until_s,
            effects.leg_up,
            self.notified,
            guard.failing,
            guard.failures,
            guard.quick_visits,
            guard.quick_since_s,
            over,
            effects.music,
        )
        return Step(run, tuple(effects.commands), tuple(self.decisions), self.ended)

    # -- turns -----------------------------------------------------------------------------------------
    def take_turns(self, turn: Turn | None) -> None:
        """Carries out this turn and all that follow from it at once."""
        while turn is not None and self.ended is None:
            self._take(turn)
            leave = turn.leave
            if leave is None:
                turn = self._feed()
            elif type(leave) is Leave:
                turn = self._leave(leave)
            elif type(leave) is Call:
                turn = self._call(leave)
            elif type(leave) is GiveBack:
                turn = self._give_back(leave)
            else:
                assert type(leave) is End
                self._hang_up(leave)
                turn = None

    def tell(self, event: Event | Returned) -> Turn:
        """The present node's answer to a fact."""
        return self._ask(VERBS[self.verb].on_event, self.at.node, self.memory, event)

    def press(self, digit: str) -> Turn | None:
        """A digit: for the present node, or kept for a later one."""
        if self.leaving is None:
            self.pending += digit
            return self._feed()
        if not self.leaving.barge_in or self._is_habit(digit):
            return None
        self.typed = (self.typed + digit)[:TYPE_AHEAD]
        return self.go_on()

    def go_on(self) -> Turn | None:
        """The last words of a node are over: on to the next."""
        assert self.leaving is not None
        leaving, self.leaving = self.leaving, None
        return self._go(leaving.target, leaving.failed)

    def fail(self, why: str) -> Turn:
        """The present node cannot go on: what it holds in the world is let go, and it takes its error exit."""
        assert self.at.node is not None
        self._let_go()
        return fail(self.at.node, why)

    def hung_up(self, reason: str) -> None:
        """The caller has gone."""
        if self.leaving is None:
            self._let_go()
        self._note_left("hangup", "")
        self.end("caller_hung_up", reason, None)

    def _let_go(self) -> None:
        """What the node still has in the world: a queue stay, a recording."""
        verb, memory, self.memory = VERBS.get(self.verb), self.memory, None
        if verb is None or verb.on_hangup is None or memory is None:
            return
        visit = self._visit()
        try:
            self._carry_out(verb.on_hangup(self.at.node, memory, visit))
        except Exception as failure:
            self.decisions.append(Noted("error", type(failure).__name__))
        self.serial = max(self.serial, visit.serial)

    def _take(self, turn: Turn) -> None:
        self.memory = turn.memory
        if turn.commands:
            self._carry_out(turn.commands)
        if turn.decisions:
            self.decisions.extend(turn.decisions)
        if turn.flush:
            self.typed = self.pending = ""
        if turn.untaken:
            self.typed = (self.typed + turn.untaken)[:TYPE_AHEAD]
        if turn.swallow:
            self.swallow, self.swallow_until_s = turn.swallow, self.now_s + SWALLOW_S

    def _carry_out(self, commands: tuple[Command, ...]) -> None:
        self.effects.carry_out(commands, early=self.at.node is not None and self.at.node.is_early)

    def _is_habit(self, digit: str) -> bool:
        """Whether this key, pressed to end what had ended already, means nothing. Asked once per key."""
        habit = bool(self.swallow) and digit == self.swallow and self.now_s <= self.swallow_until_s
        self.swallow = ""
        return habit

    def _feed(self) -> Turn | None:
        while self.pending:
            digit, self.pending = self.pending[0], self.pending[1:]
            if self._is_habit(digit):
                continue
            return self.tell(DigitPressed(self.run.leg_id, digit))
        return None

    def _ask(self, function: Callable[..., Turn], *args: Any) -> Turn:
        visit = self._visit()
        try:
            turn = function(*args, visit)
            if type(turn) is not Turn:
                raise TypeError(f"node type {self.verb}: a verb answers with a Turn, not with {type(turn).__name__}")
        except Exception as failure:  # a plugin's verb may raise anything: the caller goes on by the error exit
            # What the failure says may quote a value, and values may be secret.
            secret = self.secret or bool(self.at.secrets)
            turn = self.fail(type(failure).__name__ if secret else f"{type(failure).__name__}: {failure}")
        if visit.serial > self.serial:
            self.serial = visit.serial
        self.notified = visit.notified
        if visit.language != self.language:
            self.language = visit.language
            self.at.speak(visit.language)
            self.decisions.append(Noted("language", visit.language))
        return turn

    def _visit(self) -> Visit:
        assert self.at.flow is not None
        return Visit(
            self.run.interaction_id,
            self.run.leg_id,
            f"{self.run.interaction_id}.{self.at.visit}",
            self.run.tenant,
            self.at.flow_id,
            self.at.flow.languages,
            self.at.node_id,
            self.now_s,
            self.language,
            self.at.variables,
            self.at.secrets,
            self.world,
            self.effects.leg_up,
            self.serial,
            self.at.flow.recording_notice,
            self.notified,
            self.run.seed,
        )

    # -- entering ----------------------------------------------------------------------------------------
    def enter(self, node_id: str) -> Turn | None:
        """Visits a node of the present flow, or first the one that must ask again for a secret it needs."""
        self.effects.settle()
        node = self.at.find(node_id)
        if node is None or node.type not in VERBS:
            self.end("error", f"flow {self.at.flow_id} has no node {node_id}")
            return None
        if why := self.guard.count_visit(self.now_s):
            if self.at.node is None or self.guard.failing:
                self.end("error", why)
                return None
            return self.fail(why)
        if self.guard.is_worn_out:
            self.end("error", f"{self.guard.visits} node visits and {self.guard.failures} failures in one call")
            return None
        self.at.node_id, self.at.node, self.verb, self.memory = node_id, node, node.type, None
        if setter := self._setter_of(names_needed, node, Detour(node_id, node.type)):
            return self.enter(setter)
        self.at.visit, self.secret = self.guard.visits, node.is_sensitive
        self.pending, self.typed = ("" if self.secret else (self.typed + self.pending)[:TYPE_AHEAD]), ""
        self.decisions.append(NodeEntered(self.at.flow_id, node_id, self.guard.visits))
        return self._ask(VERBS[self.verb].enter, node)

    def resume(self) -> Turn | None:
        """The present node after a gap: nothing is known about what played, and no timer is armed."""
        if self.leaving is not None:
            return self.go_on()
        if self.at.node is None:
            self.end("error", f"flow {self.at.flow_id} has no node {self.at.node_id}")
            return None
        if VERBS[self.verb].resume is None or self.memory is None:
            return self.enter(self.at.node_id)
        return self._take_up(self.memory)

    def _take_up(self, memory: object) -> Turn | None:
        """The present node goes on with what it remembers."""
        self.effects.settle()
        assert self.at.node is not None
        verb = VERBS[self.verb]
        assert verb.resume is not None
        waiting = Detour(self.at.node_id, self.verb, verb.version, None if self.at.node.is_sensitive else memory)
        if setter := self._setter_of(names_said, self.at.node, waiting):
            return self.enter(setter)
        self.memory, self.secret = memory, self.at.node.is_sensitive
        return self._ask(verb.resume, self.at.node, memory)

    def _setter_of(self, needs: Callable[[NodeModel], frozenset[str]], node: NodeModel, waiting: Detour) -> str:
        """The node that must first set a secret again, lost in a restart; empty when nothing that is needed is lost."""
        if not self.at.has_lost:
            return ""
        return self.at.setter_of(needs(node), waiting, self.language)

    def _close_flow(self) -> None:
        self.at.close(self.language)
        if self.at.node is not None:
            self.verb, self.memory, self.secret = self.at.node.type, None, False

    # -- leaving -----------------------------------------------------------------------------------------
    def _leave(self, leave: Leave) -> Turn | None:
        if self.guard.count_leave(leave.failed):
            self._note_left(leave.branch, "")
            self.end("error", "a failure on the way out of a failure")
            return None
        if leave.variables:
            self.decisions.append(VariablesSet(self.at.keep(leave.variables, leave.sensitive)))
        if self.at.detours:
            if any(name in self.at.secrets for name in leave.variables):
                return self._go_back(leave.branch)
            self.at.detours = ()
        target = leave.target or ""
        self._note_left(leave.branch, target)
        if leave.prompt is not None and self._say_last_words(leave.prompt):
            self.leaving = Leaving(target, leave.prompt.barge_in, leave.failed)
            return None
        return self._go(target, leave.failed)

    def _go(self, target: str, failed: bool) -> Turn | None:
        if target:
            return self.enter(target)
        if failed and self.at.outer:  # a flow without an error exit fails as a whole
            self._close_flow()
            self.guard.failing = False
            return self.fail("its flow failed and had no error exit")
        if failed:
            self.end("error", f"node {self.at.node_id} failed and has no error exit")
            return None
        return self._give_back(GiveBack("end"))

    def _say_last_words(self, prompt: Prompt) -> bool:
        self.effects.settle()
        visit = self._visit()
        try:
            parts = visit.parts(prompt)
        except CentralitaError as failure:
            self.decisions.append(Noted("error", f"the prompt cannot be said: {type(failure).__name__}"))
            return False
        if parts:
            self._carry_out((visit.play(parts),))
            self.serial, self.notified = visit.serial, visit.notified
        return bool(parts)

    def _go_back(self, branch: str) -> Turn | None:
        """A lost secret is there again: back to the node that needed it."""
        waiting, self.at.detours = self.at.detours[-1], self.at.detours[:-1]
        self._note_left(branch, waiting.node_id)
        node = self.at.find(waiting.node_id)
        if waiting.memory is None or node is None:
            return self.enter(waiting.node_id)
        self.guard.visits += 1
        self.at.node_id, self.at.node, self.at.visit, self.verb = waiting.node_id, node, self.guard.visits, node.type
        self.decisions.append(NodeEntered(self.at.flow_id, self.at.node_id, self.guard.visits))
        return self._take_up(waiting.memory)

    def _call(self, call: Call) -> Turn | None:
        flow = self.at.find_flow(call.flow_id)
        if flow is None or len(self.at.outer) + 1 >= DEPTH:
            why = f"there is no flow {call.flow_id}" if flow is None else f"more than {DEPTH} flows within one another"
            return self.fail(why)
        self.at.call(flow, {**self.facts, **call.variables}, call.sensitive)
        return self.enter(flow.start)

    @property
    def facts(self) -> Mapping[str, object]:
        """What every flow of this call sees."""
        return {**self.run.facts, "language": self.language}

    def _give_back(self, given: GiveBack) -> Turn | None:
        if not self.at.outer:
            self._hang_up(End())
            return None
        self.effects.settle()
        if type(given) is GiveBack and self.at.node is not None:
            self._note_left(given.branch, "")
        self._close_flow()
        return self.tell(Returned(given.branch, given.variables, given.sensitive))

    def _hang_up(self, end: End) -> None:
        self._note_left("end", "")
        served = end.reason is EndReason.HUNG_UP_BY_US
        self.end("completed" if served else "refused", end.why, end.reason if end.hang_up else None)

    def end(self, outcome: Outcome, why: str = "", reason: EndReason | None = EndReason.HUNG_UP_BY_US) -> None:
        """The run is over. We hang up, unless there is no `reason` to."""
        self.effects.disarm_all()
        if reason is not None:
            self.effects.carry_out((HangUpLeg(self.run.leg_id, reason),))
        self.ended = Ended(outcome, why)

    def _note_left(self, branch: str, target: str) -> None:
        self.decisions.append(NodeLeft(self.at.flow_id, self.at.node_id, self.at.visit, branch, target))
