"""Voices and speakers whose behaviour a test chooses."""

import asyncio

import pytest

from speech.cache import PromptCache
from speech.errors import VoiceUnavailable
from speech.renderer import SpeechRenderer
from speech.speaker import InlineSpeaker
from speech.voices.fake import FakeVoice


class NamedVoice(FakeVoice):
    """The fake voice under another name, so that two of them can be told apart."""

    def __init__(self, name: str) -> None:
        self.name = name

    def id_for(self, language: str) -> str:
        return f"{self.name}/{super().id_for(language)}"


class StagedSpeaker(InlineSpeaker):
    """Speaks after `delay_s`, or fails with `problem`; remembers what it was asked to say."""

    def __init__(self, name: str, *, delay_s: float = 0.0, estimate: float = 0.0) -> None:
        super().__init__(NamedVoice(name))
        self.delay_s, self.estimate = delay_s, estimate
        self.problem: Exception | None = None
        self.said: list[str] = []

    def estimate_s(self, text: str) -> float:
        return self.estimate

    async def speak(self, text, language, file):
        self.said.append(text)
        await asyncio.sleep(self.delay_s)
        if self.problem:
            raise self.problem
        return await super().speak(text, language, file)


@pytest.fixture
def good():
    """A voice too slow for a caller who waits."""
    return StagedSpeaker("good", estimate=9.0)


@pytest.fixture
def quick():
    return StagedSpeaker("quick")


@pytest.fixture
def budget_s():
    """How long a caller may wait for the good voice."""
    return 0.2


@pytest.fixture
async def renderer(tmp_path, good, quick, budget_s):
    made = SpeechRenderer(
        [good, quick],
        kept=PromptCache(tmp_path / "kept"),
        passing=PromptCache(tmp_path / "passing"),
        shipped=PromptCache(tmp_path / "shipped", read_only=True),
        budget_s=budget_s,
    )
    yield made
    await made.close()


@pytest.fixture
def unavailable():
    return VoiceUnavailable("not installed")
