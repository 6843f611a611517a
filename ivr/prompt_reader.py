"""How the forms of a prompt are read from YAML: every mistake is noted at its place, what is right becomes items."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic_core import PydanticCustomError

from core.media import Silence, Tone
from definitions import saying
from definitions.faults import Faults, Path, did_you_mean
from definitions.fields import LANGUAGE_PATTERN, country, language_tag, read_flag, read_seconds, typed
from ivr.filters import text_of
from ivr.prompt_items import SAYERS, TONES, ByLanguage, Item, Recorded, Said, Signal, Value
from ivr.templates import Template, TemplateRefused

MOST_ITEMS = 40
_KINDS = ("say", "sound", *SAYERS, "silence_s", "tone")
_BESIDE = {"say": ("voice", "language"), "money": ("currency",), "phone": ("region",)}
_SOUND = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*(/[A-Za-z0-9][A-Za-z0-9_.-]*)*")


class ItemReader:
    """Reads the forms of a prompt; every mistake goes to `faults` with its path."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self.barge_in = True
        self.recording_notice = False

    def prompt(self, source: Any) -> tuple[Item, ...]:
        if not (isinstance(source, Mapping) and "play" in source):
            return self.items(source, ())
        for key, value in source.items():
            match key:
                case "play":
                    pass
                case "barge_in" | "recording_notice":
                    self._option(key, value)
                case _:
                    hint = did_you_mean(key, ["play", "barge_in", "recording_notice"])
                    self.faults.add((key,), f"unknown key '{key}' in a prompt", hint, at_key=True)
        return self.items(source["play"], ("play",))

    def _option(self, key: str, value: Any) -> None:
        try:
            setattr(self, key, read_flag(value))
        except PydanticCustomError as error:
            self.faults.add_error((key,), error)

    def items(self, source: Any, path: Path, *, by_language: bool = True) -> tuple[Item, ...]:
        """The items of a string, a map or a list of those."""
        if isinstance(source, list | tuple):
            if not source:
                self.faults.add(path, "this prompt is empty", "write what the caller hears")
            if len(source) > MOST_ITEMS:
                self.faults.add(path, f"this prompt has {len(source)} parts", f"the limit is {MOST_ITEMS}")
                return ()
            found = [self._item(part, (*path, index), by_language) for index, part in enumerate(source)]
        else:
            found = [self._item(source, path, by_language)]
        return tuple(item for item in found if item is not None)

    def _item(self, source: Any, path: Path, by_language: bool) -> Item | None:
        if not isinstance(source, Mapping):
            if isinstance(source, list | tuple):
                self.faults.add(path, "a list stands inside a list", "write all parts in one list")
                return None
            text = self._text(source, path)
            return Said(text) if text else None
        if not source:
            self.faults.add(path, "this prompt is empty", "write what the caller hears, by language: {es: …, en: …}")
            return None
        kind = next((key for key in source if key in _KINDS), None)
        if kind is not None:
            return self._kind(kind, source, path, by_language)
        if all(LANGUAGE_PATTERN.fullmatch(str(key)) for key in source) and by_language:
            return self._languages(source, path)
        for key in source:
            if not LANGUAGE_PATTERN.fullmatch(str(key)) or not by_language:
                hint = did_you_mean(str(key), [*_KINDS, "play"], what="a prompt holds a language (es, en) or")
                self.faults.add((*path, key), f"unknown key '{key}' in a prompt", hint, at_key=True)
        return None

    def _languages(self, source: Mapping[Any, Any], path: Path) -> Item:
        choices = {
            language_tag(str(key)): self.items(value, (*path, key), by_language=False) for key, value in source.items()
        }
        return ByLanguage(choices)

    def _kind(self, kind: str, source: Mapping[Any, Any], path: Path, by_language: bool) -> Item | None:
        allowed = _BESIDE.get(kind, ())
        for key in source:
            if key != kind and key not in allowed:
                hint = (
                    did_you_mean(str(key), allowed) if allowed else f"`{kind}` stands alone; put more parts in a list"
                )
                self.faults.add((*path, key), f"unknown key '{key}' beside `{kind}`", hint, at_key=True)
        value, place = source[kind], (*path, kind)
        match kind:
            case "say" if isinstance(value, Mapping):
                if by_language:
                    return self._item(value, place, by_language)
                self.faults.add(place, "languages inside a language", "write the text")
                return None
            case "say":
                text, language = self._text(value, place), self._own_language(source, path)
                return Said(text, str(source.get("voice", "")), language) if text else None
            case "sound":
                return self._sound(value, place)
            case "silence_s":
                return self._silence(value, place)
            case "tone":
                return self._tone(value, place)
            case "money" if "currency" in source:
                amount, currency = self._text(value, place), self._text(source["currency"], (*path, "currency"))
                return Value(kind, amount, self._currency(currency, path)) if amount and currency else None
            case "phone" if "region" in source:
                text, region = self._text(value, place), self._country(source["region"], (*path, "region"))
                return Value(kind, text, region=region) if text and region else None
            case _:
                text = self._text(value, place)
                return Value(kind, text) if text else None

    def _text(self, source: Any, path: Path) -> Template | None:
        try:
            text = typed(source, "a text") if not isinstance(source, str) else source
            if not text.strip():
                self.faults.add(path, "this text is empty", "write what the caller hears")
                return None
            return Template(text)
        except TemplateRefused as refused:
            self.faults.add(path, refused.what, refused.hint)
        except PydanticCustomError as error:
            self.faults.add_error(path, error)
        return None

    def _own_language(self, source: Mapping[Any, Any], path: Path) -> str:
        try:
            return language_tag(source["language"]) if "language" in source else ""
        except PydanticCustomError as error:
            self.faults.add_error((*path, "language"), error)
            return ""

    def _country(self, source: Any, path: Path) -> str:
        try:
            return country(source)
        except PydanticCustomError as error:
            self.faults.add_error(path, error)
            return ""

    def _currency(self, currency: Template, path: Path) -> Template:
        if currency.is_static:
            try:
                saying.say_money(1, currency.source, "en")
            except ValueError as error:
                what, _, hint = str(error).partition(": ")
                self.faults.add((*path, "currency"), what, hint)
        return currency

    def _sound(self, value: Any, path: Path) -> Item | None:
        name = text_of(value) if isinstance(value, str | int) else ""
        if not _SOUND.fullmatch(name) or len(name) > 80:
            hint = "write the file's name without its folder and ending: {sound: welcome}"
            self.faults.add(path, f"'{name[:40]}' cannot be the name of a sound", hint)
            return None
        if name.endswith((".wav", ".gsm", ".mp3", ".sln16", ".ulaw", ".alaw")):
            self.faults.add(path, f"the sound '{name}' has an ending", f"write {name.rpartition('.')[0]}")
        return Recorded(name)

    def _silence(self, value: Any, path: Path) -> Item | None:
        try:
            seconds = read_seconds(value)
        except PydanticCustomError as error:
            self.faults.add_error(path, error)
            return None
        if seconds > 60:
            self.faults.add(path, f"{seconds:g} s of silence make callers hang up", "write at most 60")
        return Signal(Silence(seconds))

    def _tone(self, value: Any, path: Path) -> Item | None:
        if value not in TONES:
            self.faults.add(path, f"there is no tone '{value}'", did_you_mean(str(value), TONES, what="tones"))
            return None
        return Signal(Tone(str(value)))
