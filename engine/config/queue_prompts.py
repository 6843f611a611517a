"""What is said around a wait: the words of a queue's announcements, and what its agent hears before she talks.

    # config/queues/sales.yaml
    announcements: {first_s: 10, every_s: 30, comfort_every_s: 60}
    prompts:
      position: {es: …, en: …}          {{ position }}, {{ waiting }}
      ewt: …                            {{ ewt_range }}, {{ ewt_low_minutes }}, {{ ewt_high_minutes }};
                                        the likely one alone: {{ ewt_minutes }}, {{ ewt_s }}
      comfort: […]                      one after another, then from the beginning
      whisper: …                        to the agent; every variable of the flow that the caller comes from
      returned: …                       her agent was lost: she goes back to the head of the queue
      callback: …                       how to be called back, while the wait is long; knows all that `ewt` knows
      back: …                           she was away for a callback, and is on the line again
      recording_notice: …               before a conversation that is recorded

All know `title` and `queue`. What a queue does not say itself is said in our words.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import Field, field_validator

from acd import queue_definitions
from acd.reading import Filed
from core.media import Speech
from definitions.faults import did_you_mean
from definitions.models import Definition
from definitions.problems import Problems
from definitions.saying import say_wait, speaks, wait_minutes
from ivr.node import Path
from ivr.prompt_items import choose_language
from ivr.prompts import Prompt

MOST_SPOKEN = 20
"""So many places, and so many minutes, are rendered before anybody waits."""

POSITION = Prompt(
    [
        {"es": "Su posición en la cola es la número:", "en": "Your place in the queue is number:"},
        {"number": "{{ position }}"},
    ]
)
EWT = Prompt(
    [
        {"es": "El tiempo de espera estimado es de:", "en": "The estimated waiting time is:"},
        "{{ ewt_range }}",
    ]
)
WHISPER = Prompt([{"tone": "beep"}, "{{ title }}"])
RETURNED = Prompt(
    {
        "es": "Disculpe, se ha cortado la comunicación con la persona que le atendía. Enseguida le atiende otra.",
        "en": "We are sorry, we lost the person you were talking to. Somebody else will be with you right away.",
    }
)
BACK = Prompt(
    {
        "es": "Hemos guardado su turno. Enseguida le atendemos.",
        "en": "We have kept your place. Somebody will be with you right away.",
    }
)


class Prompts(Definition):
    """What is said around a wait."""

    position: Prompt | None = None
    """The place in the queue: `{{ position }}`, of `{{ waiting }}`."""
    ewt: Prompt | None = None
    """The expected wait: `{{ ewt_range }}` ("between three and five minutes"), `{{ ewt_low_minutes }}` to
    `{{ ewt_high_minutes }}`; the likely one alone `{{ ewt_minutes }}`, exactly `{{ ewt_s }}`."""
    comfort: tuple[Prompt, ...] = ()
    """Said in turn while somebody waits."""
    whisper: Prompt | None = None
    """What the agent hears before the caller is put through to her held line."""
    returned: Prompt | None = None
    """Said to a caller whose agent was lost, before she waits again."""
    callback: Prompt | None = None
    """Said beside the expected wait, while that is long: which key to press to be called back."""
    back: Prompt | None = None
    """Said to a caller who is on the line again after she was called back, or rang back."""
    recording_notice: Prompt | None = None
    """Said before a conversation that is recorded."""

    @field_validator("comfort", mode="before")
    @classmethod
    def _one_or_more(cls, value: Any) -> Any:
        return value if isinstance(value, list | tuple) else [value]


class Queue(queue_definitions.Queue):
    """`config/queues/*.yaml`: a place where callers wait for a person."""

    prompts: Prompts = Field(default_factory=Prompts)
    """What is said around a wait; in our words, what is not given."""


@dataclass(frozen=True)
class QueuePrompts:
    """The prompts of one queue. `whisper` and `returned` are always there; `position` and `ewt` None: not told.

    `comfort`: in turn. `constants`: `queue` and `title`, to be given to each beside what changes.
    """

    position: Prompt | None = None
    ewt: Prompt | None = None
    comfort: tuple[Prompt, ...] = ()
    whisper: Prompt = WHISPER
    returned: Prompt = RETURNED
    callback: Prompt | None = None
    back: Prompt = BACK
    recording_notice: Prompt | None = None
    constants: Mapping[str, str] = field(default_factory=dict)

    def static_speech(self, languages: Iterable[str]) -> frozenset[Speech]:
        """Everything that can be rendered before somebody waits: with the first places and minutes. What ranges of
        minutes begin with is among the phrases of the language."""
        languages = tuple(languages)
        found: set[Speech] = set()
        for prompt in (*self.comfort, self.whisper, self.returned, self.back, self.recording_notice):
            found |= prompt.static_speech(languages, self.constants) if prompt else set()
        for number in range(1, MOST_SPOKEN + 1):
            for language in languages:
                seconds = number * 60.0
                told = {"position": str(number), **ewt_values((seconds,) * 3, language), **self.constants}
                for prompt in (self.position, self.ewt, self.callback):
                    found |= prompt.static_speech((language,), told) if prompt else set()
        return frozenset(found)


def ewt_values(expected_s: tuple[float, float, float], language: str) -> dict[str, str]:
    """What prompts know of an expected wait, (low, likely, high) in seconds, low and high -1 where only the likely one
    is known. The range in words where `language` can be said."""
    low_s, likely_s, high_s = expected_s
    low, high = wait_minutes(low_s, high_s) if low_s >= 0 and high_s >= 0 else wait_minutes(likely_s, likely_s)
    values = {
        "ewt_s": str(round(likely_s)),
        "ewt_minutes": str(max(1, round(likely_s / 60))),
        "ewt_low_minutes": str(low),
        "ewt_high_minutes": str(high),
    }
    return values | ({"ewt_range": say_wait(low, high, language)} if speaks(language) else {})


def prompts_of(queue: Queue) -> QueuePrompts:
    told, said = queue.announcements, queue.prompts
    return QueuePrompts(
        position=(said.position or POSITION) if told.position and told.every_s else None,
        ewt=(said.ewt or EWT) if told.ewt and told.every_s else None,
        comfort=said.comfort if told.comfort_every_s else (),
        whisper=said.whisper or WHISPER,
        returned=said.returned or RETURNED,
        callback=said.callback if queue.callback is not None else None,
        back=said.back or BACK,
        recording_notice=said.recording_notice,
        constants={"queue": queue.queue, "title": queue.title or queue.queue},
    )


_COMMON = frozenset({"queue", "title", "language"})
_EWT = frozenset({"ewt_range", "ewt_low_minutes", "ewt_high_minutes", "ewt_minutes", "ewt_s"})
_KNOWN: Mapping[str, frozenset[str]] = {
    "position": _COMMON | {"position", "waiting"},
    "ewt": _COMMON | {"position", "waiting"} | _EWT,
    "comfort": _COMMON,
    "returned": _COMMON,
    "callback": _COMMON | {"position", "waiting"} | _EWT,
    "back": _COMMON,
    "recording_notice": _COMMON,
}
"""The variables each may mention; the whisper may mention any."""


def check_prompts(
    filed: Filed[Queue], languages: Iterable[str], sounds: Mapping[str, frozenset[str]] | None, problems: Problems
) -> None:
    """Adds what is wrong: a language without words, a variable nobody gives, a sound that is not there."""
    languages = tuple(languages)
    for name, prompt, path in _placed(filed.value.prompts):
        for language in prompt.missing_languages(languages):
            hint = f"callers may speak {', '.join(languages)}: add a text for {language}"
            filed.say(problems, path, f"this prompt says nothing in '{language}'", hint)
        known = _KNOWN.get(name)
        for variable in sorted(prompt.needed - known) if known is not None else ():
            hint = did_you_mean(variable, known or (), what="variables")
            filed.say(problems, path, f"nobody gives '{variable}' to this prompt", hint)
        for sound in sorted(prompt.sounds(languages), key=lambda sound: (sound.name, sound.language)):
            folder = choose_language(sound.language, sounds, ()) if sounds is not None else None
            if sounds is not None and sound.name not in (sounds[folder] if folder else ()):
                hint = f"put it at flows/sounds/{sound.language}/{sound.name}.wav"
                filed.say(problems, path, f"there is no sound '{sound.name}' in '{sound.language}'", hint)
    told = filed.value.announcements
    if told.comfort_every_s and not filed.value.prompts.comfort and not filed.marked.is_lost(("prompts", "comfort")):
        what = "comfort messages are wanted and there are none"
        filed.say(problems, ("announcements", "comfort_every_s"), what, "write them under `prompts: comfort:`")


def _placed(prompts: Prompts) -> Iterator[tuple[str, Prompt, Path]]:
    for name in ("position", "ewt", "whisper", "returned", "callback", "back", "recording_notice"):
        prompt = getattr(prompts, name)
        if prompt is not None:
            yield name, prompt, ("prompts", name)
    for index, prompt in enumerate(prompts.comfort):
        yield "comfort", prompt, ("prompts", "comfort", index)
