"""Issabel (Elastix) call center, as `Predictor.class.php` and `CampaignProcess.class.php` behave
(github.com/IssabelFoundation/callcenter).

About every 3 s

    lines = free + sum over busy of [1 - exp(-(elapsed + T_answer) / AHT) >= qos] - waiting

and lines placed and not yet answered are taken off. `overcommit`, off as it comes, divides that after ten attempts by
max(answer rate of the last half hour, 0.20). Busy are agents in conversation; those who write up are on a break.
"""

from __future__ import annotations

import math
from collections import deque

from bench.pacing.rivals.base import Rival
from dialer.pacing import Ended, Outcome, Pool, TalkEnded


class Issabel(Rival):
    def __init__(self, qos: float = 0.97, overcommit: bool = False) -> None:
        self.qos, self.overcommit = qos, overcommit
        self.attempts: deque[tuple[float, bool]] = deque()
        self.hits = 0
        self.talk_s, self.answer_s = 120.0, 12.0
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

    def lines(self, pool: Pool, now_s: float) -> int:
        if now_s < self.loop_s:
            return 0
        self.loop_s = now_s + 3.0
        while self.attempts and self.attempts[0][0] < now_s - 1800.0:
            self.hits -= self.attempts.popleft()[1]
        talking = [agent.for_s for agent in pool.busy if agent.state == "talk"]
        soon = sum(1.0 - math.exp(-(for_s + self.answer_s) / self.talk_s) >= self.qos for for_s in talking)
        wanted = float(pool.ready + soon - pool.waiting)
        if self.overcommit and len(self.attempts) >= 10:
            wanted /= max(self.hits / len(self.attempts), 0.20)
        return round(wanted) - len(pool.ringing_s) - pool.screening
