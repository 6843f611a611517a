"""Person or recording, by rhythm: people answer with something short and wait; greetings go on.

A person is heard when a pause follows that is long for what was said before it: half a second after "hello?", more than
one after a business's greeting, for recordings breathe too. A recording is heard when it goes on for longer than people
do before they let the other side speak. Lengths after LiveKit's and Twilio's published settings, app_amd's, and the
temporal features of arXiv 2604.09675.
"""

from __future__ import annotations

from dialer.amd.labels import HUMAN, MACHINE, SILENCE, Finding
from dialer.amd.speech import Timeline

PAUSES = ((0.35, 0.60), (1.1, 0.55), (2.0, 0.75), (3.2, 1.0), (4.5, 1.3), (6.0, 1.6))
"""(spoken at most, pause from which on it is a person), seconds. Very short noises say little."""
MACHINE_S, MACHINE_ALONE_S = 5.2, 4.2
"""Spoken in all, and without a pause of `speech.PAUSE_S`, from which on it is a recording."""
DEAD_AIR_S = 3.5
NOISE_S = 0.12
"""What is shorter is a click or a breath."""


def judge(line: Timeline, quiet_s: float) -> Finding | None:
    """`quiet_s`: how long nothing at all has been heard. None: it is too early to say."""
    spoken_s = line.spoken_s
    if spoken_s < NOISE_S:
        if quiet_s >= DEAD_AIR_S:
            return Finding(SILENCE, line.now_s, 0.8, f"nothing was heard for {quiet_s:.1f} s")
        return None
    if line.speaking and line.last_s >= MACHINE_ALONE_S:
        return Finding(MACHINE, line.now_s, 0.8, f"it spoke for {line.last_s:.1f} s without a pause")
    if spoken_s >= MACHINE_S:
        return Finding(MACHINE, line.now_s, 0.85, f"it spoke for {spoken_s:.1f} s in {len(line.utterances)} stretches")
    if line.speaking:
        return None
    wanted_s = next((pause for most, pause in PAUSES if spoken_s <= most), PAUSES[-1][1])
    if line.pause_s >= wanted_s:
        sure = 0.95 if spoken_s <= PAUSES[1][0] else 0.85
        told = f"it said something for {spoken_s:.1f} s and has waited for {line.pause_s:.1f} s"
        return Finding(HUMAN, line.now_s, sure, told, line.pause_s)
    return None
