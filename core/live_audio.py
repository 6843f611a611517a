"""Live audio of a leg: what listens to it, what it says, and the port through which the engine asks for it.

    engine                      node                        worker process
      ListenToLeg  ->  a media leg beside the leg  ->  Listener.feed(block), 50 times a second
      .  <- AudioVerdict  <- - - - - - - - - - - - - -  Verdict

A `Listener` is a pure streaming detector: blocks in, verdicts out. It reads no clock: a block says when it was. It runs
in a worker process, so call control never waits for it, and whatever happens to it costs its verdict alone: no verdict
is to be read as "not sure".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, Protocol

from core.frozen import dataclass
from core.leg_commands import ListenToLeg

BLOCK_S = 0.02
"""What one block lasts."""
MEDIA_LEG = "media-"
"""How the ids of media legs begin: a node's channels through which legs are heard, and nobody's legs."""
NOT_SURE = "not_sure"
"""The label of a listener that cannot say."""

Direction = Literal["said"]
"""What the leg's party says. What it hears is known to whoever said it."""


@dataclass(frozen=True, slots=True)
class AudioBlock:
    """20 ms of what a leg says.

    Args:
        at_s: when its first sample was heard (UTC seconds); the next block's is exactly 20 ms later.
        seq: 0, 1, 2, ... without a gap.
        pcm: signed 16-bit samples in the machine's byte order (`numpy.frombuffer(block.pcm, numpy.int16)`).
        rate_hz: 8000 or 16000.
        answered: whether the leg had been answered by then; before, it is what the network says while it rings.
        filled: nothing came from the network for so long that silence stands in its place.
    """

    leg_id: str
    at_s: float
    seq: int
    pcm: bytes
    rate_hz: int = 8000
    answered: bool = True
    filled: bool = False
    direction: Direction = "said"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a listener found. `label`: a word of its own, or `not_sure`; `confidence` 0 to 1; `evidence`: in words.
    `final`: it wants to hear no more. `past_s`: how long ago it was: a pause that tells a person began so long ago."""

    label: str
    confidence: float = 1.0
    evidence: str = ""
    final: bool = True
    past_s: float = 0.0


class Listener(Protocol):
    """Whatever it raises ends its listening, and no other."""

    def feed(self, block: AudioBlock) -> Verdict | None:
        """Called for every block in order, within milliseconds of its arrival; must take well under 1 ms."""
        ...

    def end(self) -> Verdict:
        """No more blocks will come: the leg ended, was bridged, or the time is over. Not called after a final one."""
        ...


class Mouth(Protocol):
    """What a listener may say to its leg. It is heard at the pace of speech, however fast it is given."""

    def say(self, pcm: bytes) -> None:
        """Queues samples of the listener's rate; what is beyond the longest queue (15 s) is dropped."""
        ...

    def flush(self) -> None:
        """What is queued and not yet heard will not be: the leg barged in."""
        ...

    @property
    def queued_s(self) -> float:
        """How much of what was said is still to be heard, as far as is known."""
        ...


class Talker(Listener, Protocol):
    """A listener that also speaks."""

    def begin(self, mouth: Mouth) -> None:
        """Called once, before the first block."""
        ...


class Ear(Protocol):
    """Writes down what somebody said: elsewhere and later, and where there is too much to do, not at all."""

    def ask(self, pcm: bytes, rate_hz: int, language: str) -> None:
        """Returns at once. Whatever was asked before and is not yet begun will not be heard."""
        ...

    def answer(self) -> str | None:
        """What was heard, told once; None: nothing yet, or never."""
        ...


class Reader(Listener, Protocol):
    """A listener that also wants words, where somebody can recognise them."""

    def hear_with(self, ear: Ear) -> None:
        """Called at most once, before the first block."""
        ...


ListenerFactory = Callable[[Mapping[str, str]], Listener]
"""Makes a listener from the options of its `ListenToLeg`; raises ValueError when they make no sense."""


@dataclass(frozen=True, slots=True)
class ListenerKind:
    """One entry of the registry. `factory`: `package.module:callable`, a `ListenerFactory`, imported in workers alone.
    `rate_hz`: of the blocks it wants."""

    factory: str
    rate_hz: Literal[8000, 16000] = 8000


# -- without the audio: what the node itself notices -------------------------------------------------------
class TalkJudge(Protocol):
    """Is told when a leg is loud, and nothing of what it says. Times are seconds since the answer, or since it began to
    listen to a leg that was up by then. It reads no clock: whoever has one asks it again at `due_s`."""

    @property
    def pause_s(self) -> float:
        """So long a silence ends talk."""
        ...

    @property
    def loudness(self) -> int:
        """The mean of samples, of 32767, from which on they are talk."""
        ...

    @property
    def due_s(self) -> float: ...

    def talks(self, since_s: float) -> None: ...

    def silent(self, since_s: float, lasted_s: float) -> None:
        """Somebody talked for `lasted_s`, and less than 0 where hardly a sound was heard."""
        ...

    def look(self, at_s: float) -> Verdict | None:
        """After news, and at `due_s`."""
        ...

    def end(self, at_s: float) -> Verdict:
        """As a listener's."""
        ...


class NodeJudge(Protocol):
    """An application of the node's listens instead; this says how it is asked, and what its answer means."""

    @property
    def arguments(self) -> str: ...

    def told(self, status: str, cause: str) -> Verdict: ...


@dataclass(frozen=True, slots=True)
class WatchKind:
    """One entry of the registry of those who judge a leg without its audio: TALK_DETECT tells `by_talk`, or else the
    application AMD `by_node`. Both make a judge from the options of a `ListenToLeg`, and raise ValueError when those
    make no sense."""

    by_talk: Callable[[Mapping[str, str]], TalkJudge] | None = None
    by_node: Callable[[Mapping[str, str]], NodeJudge] | None = None


class LiveAudio(Protocol):
    async def listen(self, command: ListenToLeg) -> None:
        """Returns when the leg is heard, or cannot be: the latter is told as `ListenerLost`, and hinders nothing.

        Raises:
            LegGone: the leg has ended.
        """
        ...

    async def dismiss(self, leg_id: str, listening_id: str) -> None:
        """Its `end()` is told as an `AudioVerdict`. Dismissing what is over is fine."""
        ...
