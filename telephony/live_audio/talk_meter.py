"""What TALK_DETECT would tell of audio that is at hand: for tests and benchmarks, without Asterisk.

By the definition of its dsp.c and func_talkdetect.c: a frame is silence when the mean of its samples' amounts is below
the threshold; somebody talks until the silence is as long as asked for. So the first frame always counts as talk.
"""

from __future__ import annotations

import numpy as np

from core.live_audio import BLOCK_S, AudioBlock, TalkJudge, Verdict


class TalkMeter:
    """A `core.live_audio.Listener` for a judge that gets no audio. It hears nothing before the answer."""

    def __init__(self, judge: TalkJudge) -> None:
        self._judge = judge
        self._pause_blocks = round(judge.pause_s / BLOCK_S)
        self._blocks = self._silent_blocks = 0
        self._talks = False
        self._talked_from_s = 0.0

    @property
    def at_s(self) -> float:
        """Since the answer."""
        return self._blocks * BLOCK_S

    def feed(self, block: AudioBlock) -> Verdict | None:
        if not block.answered:
            return None
        self._blocks += 1
        loud = int(np.abs(np.frombuffer(block.pcm, np.int16).astype(np.int32)).mean()) >= self._judge.loudness
        self._silent_blocks = 0 if loud else self._silent_blocks + 1
        talks = self._silent_blocks < self._pause_blocks
        if talks and not self._talks:
            self._talked_from_s = self.at_s
            self._judge.talks(self.at_s)
        elif self._talks and not talks:
            silent_s = max(0.0, self.at_s - self._judge.pause_s)
            self._judge.silent(silent_s, silent_s - self._talked_from_s)
        self._talks = talks
        return self._judge.look(self.at_s)

    def end(self) -> Verdict:
        return self._judge.end(self.at_s)
