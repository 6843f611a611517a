"""Impact Dialing, as `app/models/predictive.rb` and `simulated_values.rb` behave
(github.com/impactdialing/impactdialing).

    lines = floor(factor x ready) - ringing - waiting

The factor is 1 at first; the one its simulation liked best, once there are 50 attempts; three quarters of that, at
least 1, when more than 3% of answers were abandoned. The simulation replays 240 s with six candidates
max(1, i / (6 x answer rate)), ring times of 10 s (answered) and 15 s (not), conversations as they were lately, 5 s of
wrap-up, a person lost at once when no agent is free, and keeps the candidate with the highest utilisation among those
under the limit. It is run every minute here, with throws of its own.
"""

from __future__ import annotations

import heapq
import random
from collections import deque

from bench.pacing.rivals.base import Rival
from dialer.pacing import Abandoned, Ended, Outcome, Pool, Served, TalkEnded


class Impact(Rival):
    def __init__(self, limit: float = 0.03) -> None:
        self.limit, self.best, self.next_s = limit, 1.0, 60.0
        self.attempts: deque[bool] = deque(maxlen=100)
        self.talks: deque[float] = deque(maxlen=100)
        self.answers: deque[tuple[float, bool]] = deque()
        self.lost = 0
        self.dice = random.Random(7)

    def record(self, outcome: Outcome, now_s: float) -> None:
        if isinstance(outcome, Ended):
            self.attempts.append(outcome.answered_by == "person")
        elif isinstance(outcome, TalkEnded):
            self.talks.append(outcome.talk_s)
        elif isinstance(outcome, Served | Abandoned):
            self.answers.append((now_s, isinstance(outcome, Abandoned)))
            self.lost += isinstance(outcome, Abandoned)

    def lines(self, pool: Pool, now_s: float) -> int:
        while self.answers and self.answers[0][0] < now_s - 1800.0:
            self.lost -= self.answers.popleft()[1]
        if now_s >= self.next_s:
            self.next_s = now_s + 60.0
            talking = sum(agent.state == "talk" for agent in pool.busy)
            self.best = self._simulated(pool.agents) if talking >= min(5, pool.agents // 2) else 1.0
        over = bool(self.answers) and self.lost / len(self.answers) > self.limit
        factor = max(1.0, 0.75 * self.best) if over else self.best
        return int(factor * pool.ready) - len(pool.ringing_s) - pool.screening - pool.waiting

    def _simulated(self, agents: int) -> float:
        if len(self.attempts) < 50 or not self.talks or not any(self.attempts):
            return 1.0
        rate = sum(self.attempts) / len(self.attempts)
        tried = [self._try(max(1.0, i / (6.0 * rate)), agents, rate) for i in range(1, 7)]
        good = [one for one in tried if one[1] < self.limit]
        return max(good)[2] if good else 1.0

    def _try(self, factor: float, agents: int, rate: float) -> tuple[float, float, float]:
        """Utilisation, share abandoned and the factor, over 240 s from a standing start."""
        dice, free, ringing, worked, answers, lost = self.dice, agents, 0, 0.0, 0, 0
        heap: list[tuple[float, str]] = [(0.0, "look")]
        while heap:
            now_s, what = heapq.heappop(heap)
            if now_s > 240.0:
                break
            if what == "free":
                free += 1
            elif what != "look":
                ringing -= 1
                if what == "person":
                    answers += 1
                    if free:
                        free -= 1
                        talk_s = dice.choice(self.talks)
                        worked += min(talk_s, 240.0 - now_s)
                        heapq.heappush(heap, (now_s + talk_s + 5.0, "free"))
                    else:
                        lost += 1
            for _ in range(int(factor * free) - ringing):
                ringing += 1
                heapq.heappush(heap, (now_s + 10.0, "person") if dice.random() < rate else (now_s + 15.0, "nobody"))
        return worked / (240.0 * agents), lost / answers if answers else 0.0, factor
