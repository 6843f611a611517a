"""The pieces a prompt is made of, and what a caller hears of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from core.media import Part, Silence, Sound, Speech, Tone
from definitions import saying
from ivr.filters import number_of
from ivr.templates import Template, TemplateFailed

TONES = ("beep", "busy", "congestion", "ringback")

Variables = Mapping[str, object]


class Item(Protocol):
    """One piece. `names`: the variables it mentions; `needed`: those it cannot do without."""

    @property
    def names(self) -> frozenset[str]: ...

    @property
    def needed(self) -> frozenset[str]: ...

    def parts(self, variables: Variables, language: str, fallbacks: Sequence[str]) -> tuple[Part, ...]:
        """Raises TemplateFailed when a value cannot be said."""
        ...

    def sounds(self, language: str) -> frozenset[Sound]:
        """The recordings it needs in this language."""
        ...

    def gist(self, language: str) -> str: ...


@dataclass(frozen=True, slots=True)
class Said:
    """Words in the language the caller hears, or in one of their own (`For English, press 9` in a Spanish menu)."""

    text: Template
    voice: str = ""
    language: str = ""

    @property
    def names(self) -> frozenset[str]:
        return self.text.names

    @property
    def needed(self) -> frozenset[str]:
        return self.text.needed

    def parts(self, variables: Variables, language: str, fallbacks: Sequence[str]) -> tuple[Part, ...]:
        language = self.language or language
        text = " ".join(self.text.render(variables, language).split())
        return (Speech(text, language, self.voice),) if text else ()

    def sounds(self, language: str) -> frozenset[Sound]:
        return frozenset()

    def gist(self, language: str) -> str:
        return " ".join(self.text.source.split())


@dataclass(frozen=True, slots=True)
class Value:
    """A number, an amount, a date …, as words. `kind` is the key it was written under; `region`: the country that a
    phone number without its own belongs to, empty for the language's."""

    kind: str
    value: Template
    currency: Template | None = None
    region: str = ""

    @property
    def names(self) -> frozenset[str]:
        return self.value.names | (self.currency.names if self.currency else frozenset())

    @property
    def needed(self) -> frozenset[str]:
        return self.value.needed | (self.currency.needed if self.currency else frozenset())

    def parts(self, variables: Variables, language: str, fallbacks: Sequence[str]) -> tuple[Part, ...]:
        text = self.value.render(variables, language).strip()
        try:
            if self.currency is not None:
                currency = self.currency.render(variables, language).strip()
                return (Speech(saying.say_money(number_of(text), currency, language), language),)
            if self.region:
                return (Speech(saying.say_phone(text, language, region=self.region), language),)
            return (Speech(SAYERS[self.kind](text, language), language),)
        except ValueError as error:
            raise TemplateFailed(f"{self.kind} {self.value.source!r}: {error}") from None

    def sounds(self, language: str) -> frozenset[Sound]:
        return frozenset()

    def gist(self, language: str) -> str:
        return self.value.source


SAYERS: Mapping[str, Callable[[str, str], str]] = {
    "number": lambda text, language: saying.say_number(number_of(text), language),
    "money": lambda text, language: saying.say_money(number_of(text), "EUR", language),
    "date": saying.say_date,
    "time": saying.say_time,
    "digits": saying.say_digits,
    "phone": saying.say_phone,
    "duration": lambda text, language: saying.say_duration(number_of(text), language),
}


@dataclass(frozen=True, slots=True)
class Recorded:
    """A sound of the flow's own or of Asterisk's, in the language the caller hears."""

    name: str
    names: frozenset[str] = frozenset()
    needed: frozenset[str] = frozenset()

    def parts(self, variables: Variables, language: str, fallbacks: Sequence[str]) -> tuple[Part, ...]:
        return (Sound(self.name, language),)

    def sounds(self, language: str) -> frozenset[Sound]:
        return frozenset({Sound(self.name, language)})

    def gist(self, language: str) -> str:
        return f"♪ {self.name}"


@dataclass(frozen=True, slots=True)
class Signal:
    """Silence or a tone: the same in every language."""

    part: Silence | Tone
    names: frozenset[str] = frozenset()
    needed: frozenset[str] = frozenset()

    def parts(self, variables: Variables, language: str, fallbacks: Sequence[str]) -> tuple[Part, ...]:
        return (self.part,)

    def sounds(self, language: str) -> frozenset[Sound]:
        return frozenset()

    def gist(self, language: str) -> str:
        return f"♪ {self.part.name}" if isinstance(self.part, Tone) else ""


@dataclass(frozen=True, slots=True)
class ByLanguage:
    """Something else in each language, in the order it was written."""

    choices: Mapping[str, tuple[Item, ...]]

    @property
    def names(self) -> frozenset[str]:
        return frozenset().union(*(item.names for items in self.choices.values() for item in items))

    @property
    def needed(self) -> frozenset[str]:
        return frozenset().union(*(item.needed for items in self.choices.values() for item in items))

    def parts(self, variables: Variables, language: str, fallbacks: Sequence[str]) -> tuple[Part, ...]:
        chosen = choose_language(language, self.choices, fallbacks) or next(iter(self.choices))
        return tuple(part for item in self.choices[chosen] for part in item.parts(variables, chosen, fallbacks))

    def sounds(self, language: str) -> frozenset[Sound]:
        chosen = choose_language(language, self.choices, ())
        items = self.choices[chosen] if chosen else ()
        return frozenset().union(*(item.sounds(chosen or language) for item in items))

    def gist(self, language: str) -> str:
        chosen = choose_language(language, self.choices, ()) or next(iter(self.choices))
        return " ".join(filter(None, (item.gist(chosen) for item in self.choices[chosen])))


def choose_language(language: str, available: Iterable[str], fallbacks: Sequence[str]) -> str | None:
    """The tag to use: the very one, its base (`es` for `es-AR`), a sibling (`es-AR` for `es`), then the fallbacks."""
    tags = list(available)
    for wanted in (language, *fallbacks):
        base = wanted.partition("-")[0]
        siblings = (tag for tag in tags if tag.partition("-")[0] == base)
        if wanted in tags:
            return wanted
        if base in tags:
            return base
        if (sibling := next(siblings, None)) is not None:
            return sibling
    return None
