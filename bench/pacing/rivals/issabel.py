"""Issabel (Elastix) call center, as `Predictor.class.php` and `CampaignProcess.class.php` behave
(github.com/IssabelFoundation/callcenter).

About every 3 s

    lines = free + sum over busy of [1 - exp(-(elapsed + T_answer) / AHT) >= qos] - waiting

and with overcommit, after ten attempts, divided by max(answer rate of the last half hour, 0.20); lines placed and not
yet answered are taken off. The handling time counts talk and wrap-up together from the beginning of the conversation.
"""

from __future__ import annotations

import math
from collections import deque

from bench.pacing.rivals.base import Rival
from dialer.pacing import Ended, Outcome, Pool, TalkEnded, WrapUpEnded


class Issabel(Rival):
    def __init__(self, qos: float = 0.97, overcommit: bool = True) -> None:
        self.qos, self.overcommit = qos, overcommit
        self.attempts: deque[tuple[float, bool]] = deque()
        self.hits = 0
        self.talk_s, self.wrap_s, self.answer_s = 120.0, 20.0, 12.0
        self.loop_s = 0.0

    def record(self, outcome: Outcome, now_s: float) -> None:
        if isinstance(outcome, Ended):
            person = outcome.answered_by == "person"
            self.attempts.append((now_s, person))
            self.hits += person
            if person:
                self.answer_s += (outcome.ring_s - self.answer_s) / 100.0
        elif isinstance(outcome, TalkEnded):
            self.talk_s += (outcome.talk_s - self.talk_s) / 100.0
        elif isinstance(outcome, WrapUpEnded):
            self.wrap_s += (outcome.wrap_s - self.wrap_s) / 100.0

    def lines(self, pool: Pool, now_s: float) -> int:
        if now_s < self.loop_s:
            return 0
        self.loop_s = now_s + 3.0
        while self.attempts and self.attempts[0][0] < now_s - 1800.0:
            self.hits -= self.attempts.popleft()[1]
        handling_s = self.talk_s + self.wrap_s
        soon = 0
        for agent in pool.busy:
            elapsed_s = agent.for_s + (self.talk_s if agent.state == "wrap_up" else 0.0)
            soon += 1.0 - math.exp(-(elapsed_s + self.answer_s) / handling_s) >= self.qos
        wanted = float(pool.ready + soon - pool.waiting)
        if self.overcommit and len(self.attempts) >= 10:
            wanted /= max(self.hits / len(self.attempts), 0.20)
        return round(wanted) - len(pool.ringing_s) - pool.screening
