"""The worlds a pacing method is tried in: who answers, when, how long people talk, when agents come and go.

The base world is the one the figures of the literature note were made in: a person answers a quarter of all attempts
after 3 s + Gamma(4), 12 s on average; of the others three in ten reach a machine (20 s of ringing and 2.5 s until it
is known), one in eight is busy or fails within seconds, the rest ring out after 25 s. So an attempt that reaches no
person takes 21.5 s. Talk is lognormal, 90 s on average, with a coefficient of variation of 0.9; wrap-up is lognormal,
20 s on average.
"""

from __future__ import annotations

import math
from dataclasses import replace

from dialer.simulation.world import HOUR_S, World, always, steps, wave


def _lunch(now_s: float) -> float:
    """Half of the team away in the fourth hour, the other half in the fifth; all come and go at once."""
    return 0.5 if 3 * HOUR_S <= now_s < 5 * HOUR_S else 1.0


def _drying(now_s: float) -> float:
    return max(0.04, 0.35 * math.exp(-now_s / (3.5 * HOUR_S)))


BASE = World("base", "answer rate .25, talk 90 s, wrap-up 20 s")

WORLDS: dict[str, World] = {
    world.name: world
    for world in (
        BASE,
        replace(BASE, name="answer08", says="answer rate .08", answer_rate=always(0.08)),
        replace(BASE, name="answer40", says="answer rate .40", answer_rate=always(0.40)),
        replace(
            BASE, name="drift", says="answer rate .10 to .40 and back every 2 h", answer_rate=wave(0.10, 0.40, 7200)
        ),
        replace(
            BASE,
            name="step",
            says="answer rate .35, .10, .25, .08, .40 for 40 min each",
            answer_rate=steps(0.35, 0.10, 0.25, 0.08, 0.40, every_s=2400),
        ),
        replace(
            BASE,
            name="machines10",
            says="1 answer in 10 a machine, verdict in 1.2 s, few errors",
            machine_share=0.037,
            detector_s=1.2,
            taken_for_machine=0.003,
            taken_for_person=0.03,
        ),
        replace(
            BASE,
            name="machines60",
            says="6 answers in 10 machines, a third at once; 0.5% of people lost, 8% of machines let in",
            machine_share=0.50,
            machine_at_once=0.33,
            detector_s=1.2,
            taken_for_machine=0.005,
            taken_for_person=0.08,
        ),
        replace(BASE, name="talk60", says="talk 60 s", talk_s=always(60.0)),
        replace(
            BASE,
            name="talk240",
            says="talk 240 s with a heavy tail",
            talk_s=always(240.0),
            talk_cv=1.3,
            pareto_share=0.1,
        ),
        replace(BASE, name="talkdrift", says="talk 60 to 180 s and back every 3 h", talk_s=wave(60, 180, 10800)),
        replace(BASE, name="wrapwide", says="wrap-up 20 s on average, very unequal (cv 1.5)", wrap_cv=1.5),
        replace(BASE, name="lunch", says="half the team leaves at once for two hours", present=_lunch),
        replace(
            BASE,
            name="dry",
            says="answer rate .35 falling to .04, the list ends",
            answer_rate=_drying,
            leads=1500,
        ),
        replace(
            BASE,
            name="storm",
            says="steps, lunch, drifting talk and half machines at once",
            answer_rate=steps(0.30, 0.10, 0.20, 0.38, every_s=3000),
            talk_s=wave(60, 180, 10800),
            talk_cv=1.2,
            present=_lunch,
            machine_share=0.40,
            machine_at_once=0.2,
            detector_s=1.2,
            taken_for_machine=0.003,
            taken_for_person=0.05,
        ),
    )
}
