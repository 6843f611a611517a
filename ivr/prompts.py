"""What a caller hears at a node, in every language of the flow.

    prompt: "Hola"                                              every language says this
    prompt: {es: "Hola", en: {sound: hello}}                    one thing per language
    prompt: {sound: welcome}                                    a recording
    prompt: [{sound: chime}, {es: "Debe", en: "You owe"}, {money: "{{ balance }}", currency: EUR}]
    prompt: {play: …any of these…, barge_in: no, recording_notice: yes}

A prompt becomes `core.media` parts for one caller; numbers and dates are words by then. Each part of a list is
rendered and cached on its own, so texts without variables are ready when the flow has been loaded, and only the
others are synthesised while the caller waits.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from core.media import Part, Sound, Speech
from definitions.faults import Faults
from definitions.schema import NAMED
from ivr.prompt_items import ByLanguage, Item, choose_language
from ivr.prompt_reader import ItemReader
from ivr.templates import TemplateFailed

__all__ = ["Prompt"]


class Prompt:
    """What to play, one part after another. `barge_in`: a digit silences it. `recording_notice`: before it, the
    caller is told once that the call may be recorded. Equal by its source; read-only."""

    __slots__ = ("barge_in", "items", "names", "recording_notice", "source")

    def __init__(self, source: Any) -> None:
        """Raises pydantic's ValidationError, each fault at its place inside `source`."""
        faults = Faults()
        reader = ItemReader(faults)
        self.source = source
        self.items: tuple[Item, ...] = reader.prompt(source)
        self.barge_in: bool = reader.barge_in
        self.recording_notice: bool = reader.recording_notice
        self.names: frozenset[str] = frozenset[str]().union(*(item.names for item in self.items))
        """The variables it mentions."""
        faults.raise_any("prompt")

    def parts(
        self, variables: Mapping[str, object], language: str, fallback_languages: Sequence[str] = ()
    ) -> tuple[Part, ...]:
        """What this caller hears. Where its language is missing, the nearest one there is.

        Raises:
            TemplateFailed: a variable is not set, or a value cannot be said.
        """
        return tuple(part for item in self.items for part in item.parts(variables, language, fallback_languages))

    def static_speech(
        self, languages: Sequence[str], constants: Mapping[str, object] | None = None
    ) -> frozenset[Speech]:
        """Every piece of speech known before anybody calls, exactly as `parts` will ask for it. `constants`:
        variables that never change."""
        known = constants or {}
        found: set[Part] = set()
        for item in self.items:
            if item.names <= known.keys():
                for language in languages:
                    try:
                        found.update(item.parts(known, language, languages))
                    except TemplateFailed:
                        continue  # said, and failing, at run time
        return frozenset(part for part in found if isinstance(part, Speech))

    def sounds(self, languages: Iterable[str]) -> frozenset[Sound]:
        """The recordings it needs for callers of these languages."""
        return frozenset[Sound]().union(*(item.sounds(language) for item in self.items for language in languages))

    def missing_languages(self, languages: Iterable[str]) -> tuple[str, ...]:
        """Those of `languages` in which something here says nothing."""
        choices = [item.choices for item in self.items if isinstance(item, ByLanguage)]
        return tuple(
            language for language in languages if any(choose_language(language, each, ()) is None for each in choices)
        )

    @property
    def needed(self) -> frozenset[str]:
        """Those of `names` it cannot do without."""
        return frozenset[str]().union(*(item.needed for item in self.items))

    @property
    def is_static(self) -> bool:
        """The same for every caller of a language."""
        return not self.names

    def gist(self, language: str) -> str:
        """Its words for a drawing or a log: templates as written, sounds as `♪ name`."""
        return " ".join(filter(None, (item.gist(language) for item in self.items)))

    def __repr__(self) -> str:
        return f"Prompt({self.source!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Prompt) and self.source == other.source

    def __hash__(self) -> int:
        return hash(repr(self.source))

    def __reduce__(self) -> tuple[Any, ...]:
        return Prompt, (self.source,)

    @classmethod
    def _validate(cls, value: Any) -> Prompt:
        return value if isinstance(value, Prompt) else cls(value)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        to_plain = core_schema.plain_serializer_function_ser_schema(lambda prompt: prompt.source)
        return core_schema.no_info_plain_validator_function(cls._validate, serialization=to_plain)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {NAMED: "Prompt"}  # written out by ivr.schema
