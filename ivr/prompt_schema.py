"""The JSON Schema of a prompt: what an editor offers and checks while one is written."""

from __future__ import annotations

from typing import Any

from definitions.schema import NAMED
from ivr.prompt_items import SAYERS, TONES

Schema = dict[str, Any]

_LANGUAGE = "^[A-Za-z]{2}([-_]([A-Za-z]{2}|[0-9]{3}))?$"
_FLAG: Schema = {"anyOf": [{"type": "boolean"}, {"enum": ["yes", "no", "sí"]}]}
_TEXT: Schema = {
    NAMED: "Text",
    "type": ["string", "number", "boolean"],
    "description": "What is said; it may hold {{ variable | filter }}.",
}
_EXAMPLES = {
    "number": "{{ waiting }}",
    "money": "{{ balance }}",
    "date": "{{ due }}",
    "time": "{{ appointment }}",
    "digits": "{{ document }}",
    "phone": "{{ caller }}",
    "duration": "{{ wait_s }}",
}
_SAID_AS = {
    "number": "A number, as words.",
    "money": "An amount, as words.",
    "date": "A date like 2026-03-15, as words.",
    "time": "A time like 9:30, as words.",
    "digits": "One digit after another.",
    "phone": "A phone number, in its country's groups.",
    "duration": "A length of time in seconds, as words.",
}

_BESIDE: dict[str, dict[str, Schema]] = {
    "money": {"currency": {"type": "string", "examples": ["EUR", "ARS", "USD"]}},
    "phone": {"region": {"type": "string", "pattern": "^[A-Z]{2}$", "examples": ["ES", "AR", "US"]}},
}


def _only(required: str, description: str, **properties: Schema) -> Schema:
    return {
        "type": "object",
        "description": description,
        "properties": properties,
        "required": [required],
        "additionalProperties": False,
    }


def _by_language(value: Schema) -> Schema:
    return {
        "type": "object",
        "description": "One for each language of the flow: {es: …, en: …}.",
        "properties": {"es": value, "en": value},
        "patternProperties": {_LANGUAGE: value},
        "additionalProperties": False,
        "minProperties": 1,
    }


_VALUES = [
    _only(
        kind,
        _SAID_AS[kind],
        **{kind: {**_TEXT, NAMED: None, "examples": [_EXAMPLES[kind]], "description": _SAID_AS[kind]}},
        **_BESIDE.get(kind, {}),
    )
    for kind in SAYERS
]
_PIECE: Schema = {
    NAMED: "PromptPiece",
    "description": "One thing that is heard.",
    "anyOf": [
        _TEXT,
        _only(
            "sound",
            "A recording: flows/sounds/<language>/<name>.wav, or one of Asterisk's.",
            sound={"type": "string", "examples": ["welcome", "vm-intro"]},
        ),
        _only(
            "say",
            "Words, with a voice or a language of their own.",
            say={"anyOf": [_TEXT, _by_language(_TEXT)]},
            voice={"type": "string", "description": "A voice other than the language's own."},
            language={"type": "string", "pattern": _LANGUAGE, "description": "Whatever language the caller hears."},
        ),
        *_VALUES,
        _only("silence_s", "Silence, in seconds.", silence_s={"type": "number", "minimum": 0, "maximum": 60}),
        _only("tone", "A signal.", tone={"enum": list(TONES)}),
    ],
}
_PIECES: Schema = {"anyOf": [_PIECE, {"type": "array", "minItems": 1, "items": _PIECE}]}
_PART: Schema = {NAMED: "PromptPart", "anyOf": [_PIECE, _by_language(_PIECES)]}
_PLAY: Schema = {"anyOf": [_PART, {"type": "array", "minItems": 1, "items": _PART}]}

PROMPT_SCHEMA: Schema = {
    NAMED: "Prompt",
    "description": "What the caller hears: a text, one for each language, or a list of texts, recordings and values.",
    "anyOf": [
        _PART,
        {"type": "array", "minItems": 1, "items": _PART, "description": "One after another."},
        _only(
            "play",
            "With options.",
            play=_PLAY,
            barge_in={**_FLAG, "description": "Whether a digit silences it; yes unless told."},
            recording_notice={**_FLAG, "description": "Say before it, once, that the call may be recorded."},
        ),
    ],
    "examples": [{"es": "Bienvenido.", "en": "Welcome."}],
}
