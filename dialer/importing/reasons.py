"""Why a row, or one of its cells, was not taken; in the words of whoever has to mend it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Language = Literal["en", "es"]
LANGUAGES: tuple[Language, ...] = ("en", "es")


@dataclass(frozen=True, slots=True)
class Refusal:
    """`code`: a key of the words below; `values`: what stands in their braces. `column`: its header, empty for the row
    as a whole."""

    code: str
    values: Mapping[str, str] = field(default_factory=dict)
    column: str = ""

    def say(self, language: Language = "en") -> str:
        return _WORDS[self.code][language == "es"].format_map(self.values)


def refusal(code: str, **values: object) -> Refusal:
    """Cells are cut to what fits a line."""
    return Refusal(code, {name: str(value)[:60] for name, value in values.items()})


_WORDS: Mapping[str, tuple[str, str]] = {
    "no_number": (
        "there is no phone number in this row",
        "esta fila no tiene ningún número de teléfono",
    ),
    "letters": (
        "'{text}' is not a phone number: it has letters",
        "«{text}» no es un número de teléfono: tiene letras",
    ),
    "no_digits": (
        "'{text}' is not a phone number",
        "«{text}» no es un número de teléfono",
    ),
    "scientific": (
        "the spreadsheet cut this number to {text}: format the column as text and export it again",
        "la hoja de cálculo recortó este número a {text}: dé formato de texto a la columna y expórtela de nuevo",
    ),
    "no_country": (
        "'{text}' has no country code, and the import names no country: name one, or write it like +34911234567",
        "«{text}» no lleva prefijo de país y la importación no dice país: elija uno o escríbalo como +34911234567",
    ),
    "too_short": (
        "'{text}' has too few digits for {country}",
        "«{text}» tiene muy pocas cifras para {country}",
    ),
    "too_long": (
        "'{text}' has too many digits for {country}",
        "«{text}» tiene demasiadas cifras para {country}",
    ),
    "invalid": (
        "no phone number of {country} begins like '{text}'",
        "ningún teléfono de {country} empieza como «{text}»",
    ),
    "extension": (
        "'{text}' has an extension: a campaign dials a direct number",
        "«{text}» lleva extensión: una campaña llama a números directos",
    ),
    "emergency": (
        "{text} is an emergency number: it is never dialed",
        "{text} es un número de emergencias: nunca se llama",
    ),
    "premium": (
        "{text} is a premium-rate number: it is never dialed",
        "{text} es un número de tarificación especial: nunca se llama",
    ),
    "short": (
        "{text} is a short number: it is never dialed",
        "{text} es un número corto: nunca se llama",
    ),
    "listed": (
        "{number} is on the do-not-call list {register}",
        "{number} está en la lista de exclusión {register}",
    ),
    "duplicate": (
        "the same {by} as lead {lead}, in this list already",
        "{by} igual que el contacto {lead}, que ya está en esta lista",
    ),
    "duplicate_elsewhere": (
        "the same {by} as lead {lead} of the list {list}",
        "{by} igual que el contacto {lead} de la lista {list}",
    ),
    "time_zone": (
        "'{text}' is no time zone we know: write it like Europe/Madrid, or leave the column out",
        "«{text}» no es una zona horaria conocida: escríbala como Europe/Madrid o quite la columna",
    ),
    "country": (
        "'{text}' is no country: write its code, like ES",
        "«{text}» no es un país: escriba su código, como ES",
    ),
    "date": (
        "'{text}' is no date: write it like 2026-11-22 or 22/11/2026",
        "«{text}» no es una fecha: escríbala como 2026-11-22 o 22/11/2026",
    ),
    "future": (
        "consent of {text} lies in the future",
        "el consentimiento del {text} está en el futuro",
    ),
    "basis": (
        "'{text}' is no ground to call: write consent, contract, relationship, obligation, request or none",
        "«{text}» no es una base para llamar: consentimiento, contrato, relación, obligación, petición o ninguna",
    ),
    "number": (
        "'{text}' is not a whole number",
        "«{text}» no es un número entero",
    ),
    "decimal": (
        "'{text}' is not a number",
        "«{text}» no es un número",
    ),
    "language": (
        "'{text}' is no language: write its code, like es",
        "«{text}» no es un idioma: escriba su código, como es",
    ),
    "too_many_cells": (
        "the row has {found} cells, the header {wanted}: is there a separator inside a cell without quotes?",
        "la fila tiene {found} celdas y la cabecera {wanted}: ¿hay un separador dentro de una celda sin comillas?",
    ),
    "quotes": (
        "a quotation mark is opened here and never closed",
        "aquí se abren unas comillas que no se cierran",
    ),
    "line_too_long": (
        "the line has more than {most} characters: is this a text file of rows?",
        "la línea tiene más de {most} caracteres: ¿es un archivo de texto con filas?",
    ),
    "nothing": (
        "the row has a NUL byte: part of it may be lost; write it again",
        "la fila tiene un byte NUL: puede faltar parte de ella; escríbala de nuevo",
    ),
    "cell_too_long": (
        "the cell has more than {most} characters",
        "la celda tiene más de {most} caracteres",
    ),
}
CODES = frozenset(_WORDS)
_BY: Mapping[str, tuple[str, str]] = {"number": ("number", "número"), "external_id": ("id", "identificador")}


def by_words(by: str, language: Language) -> str:
    """By what two leads are the same, in words."""
    return _BY[by][language == "es"]
