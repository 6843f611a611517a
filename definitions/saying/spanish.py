"""Spanish: of Spain (the default), Argentina, Colombia, Mexico and the rest of the Americas."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, time
from typing import Final

from babel.numbers import get_currency_name
from num2words import num2words

from definitions.saying.currencies import is_plain

_MONTHS: Final = (
    "enero", "febrero", "marzo", "abril", "mayo", "junio",
    "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre",
)  # fmt: skip
_WEEKDAYS: Final = ("lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo")
_DIGITS: Final = ("cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve")
_LETTER_NAMES: Final = (
    "a", "be", "ce", "de", "e", "efe", "ge", "hache", "i", "jota", "ka", "ele", "eme", "ene",
    "eñe", "o", "pe", "cu", "erre", "ese", "te", "u", "uve", "uve doble", "equis", "i griega", "zeta",
)  # fmt: skip
_LETTERS: Final = dict(zip("ABCDEFGHIJKLMNÑOPQRSTUVWXYZ", _LETTER_NAMES, strict=True))
_UNITS: Final = {
    "day": ("día", "días", False),
    "hour": ("hora", "horas", True),
    "minute": ("minuto", "minutos", False),
    "second": ("segundo", "segundos", False),
}
_CENTAVOS: Final = frozenset(
    {"ARS", "BOB", "BRL", "CAD", "CLP", "COP", "CUP", "DOP", "GTQ", "HNL", "MXN", "NIO", "PHP", "USD"}
)
_CENTESIMOS: Final = frozenset({"PAB", "PYG", "UYU"})
_FEMININE_ENDINGS: Final = ("a", "ión", "dad", "tad", "tud", "umbre")
_MASCULINE_NOUNS: Final = frozenset(
    {"día", "mapa", "problema", "tema", "sistema", "programa", "idioma", "trámite", "lempira", "balboa", "kwanza"}
)
# Where the decimal point is a point, and where the first of the month is "primero".
_POINT_REGIONS: Final = frozenset({"MX", "US", "PR", "DO", "GT", "HN", "NI", "PA", "SV", "PE"})
_HASH_NAMES: Final = {"MX": "gato", "AR": "numeral", "CO": "numeral", "CL": "gato", "UY": "numeral", "419": "numeral"}


@dataclass(frozen=True, slots=True)
class Spanish:
    """Keeps `Tongue`; `region` is an ISO 3166 code, a UN area such as 419, or ""."""

    region: str = ""
    minus: str = "menos"
    and_word: str = "y"
    and_cents: str = "con"
    withheld: str = "número oculto"

    def whole(self, value: int) -> str:
        words = num2words(value, lang="es")
        # num2words keeps the full form before a noun: "veintiuno mil", "treinta y uno millones".
        words = re.sub(r"veintiuno(?= (?:mil|bill))", "veintiún", words)
        return re.sub(r"\buno(?= (?:mil|bill))", "un", words)

    def with_decimals(self, whole: str, decimals: str) -> str:
        point = "punto" if self.region in _POINT_REGIONS else "coma"
        zeros = len(decimals) - len(decimals.lstrip("0"))
        rest = decimals[zeros:]
        said = [self.whole(int(rest))] if len(rest) <= 2 else [_DIGITS[int(digit)] for digit in rest]
        return " ".join([whole, point, *["cero"] * zeros, *said])

    def major_units(self, count: int, currency: str) -> str:
        singular, plural = (self._currency_name(currency, number) for number in (1, 2))
        return self.counted(count, singular, plural, None)

    def minor_units(self, count: int, currency: str) -> str:
        name = _minor_name(currency)
        return self.counted(count, name, f"{name}s", False)

    def currency_plural(self, currency: str) -> str:
        return self._currency_name(currency, 2)

    def date(self, day: date, *, weekday: bool, year: bool) -> str:
        in_spain = self.region in ("", "ES")
        number = "primero" if day.day == 1 and not in_spain else self.whole(day.day)
        words = f"{number} de {_MONTHS[day.month - 1]}"
        if weekday:
            words = f"{_WEEKDAYS[day.weekday()]} {words}"
        return f"{words} de {self.whole(day.year)}" if year else words

    def time(self, moment: time) -> str:
        hour = moment.hour % 12 or 12
        words = "la una" if hour == 1 else f"las {self.whole(hour)}"
        match moment.minute:
            case 0:
                minutes = ""
            case 1:
                minutes = " y un minuto"
            case 15:
                minutes = " y cuarto"
            case 30:
                minutes = " y media"
            case minute:
                minutes = f" y {self.whole(minute)}"
        return f"{words}{minutes} {_part_of_day(moment.hour)}"

    def character(self, character: str) -> str:
        if character.isdigit():
            return _DIGITS[int(character)]
        if character in _LETTERS:
            return _LETTERS[character]
        return {"*": "asterisco", "+": "más", "#": _HASH_NAMES.get(self.region, "almohadilla")}[character]

    def time_unit(self, count: int, unit: str) -> str:
        singular, plural, feminine = _UNITS[unit]
        return self.counted(count, singular, plural, feminine)

    def between(self, first: str, last: str) -> str:
        return f"entre {first} y {last}"

    def less_than(self, length: str, *, one_minute: bool) -> str:
        return f"menos de {length}"

    def counted(self, count: int, singular: str, plural: str, feminine: bool | None) -> str:
        if feminine is None:
            feminine = _looks_feminine(singular)
        words = _feminine(self.whole(count)) if feminine else _before_noun(self.whole(count))
        link = " de" if count and count % 1_000_000 == 0 else ""
        return f"{words}{link} {singular if count == 1 else plural}"

    def _currency_name(self, currency: str, count: int) -> str:
        """ "peso argentino", or "peso" where that is understood; Spanish names begin with the noun."""
        name = str(get_currency_name(currency, count=count, locale="es"))
        return name.split()[0] if is_plain(currency, self.region) else name


def _before_noun(words: str) -> str:
    """veintiuno -> veintiún, treinta y uno -> treinta y un."""
    return re.sub(r"uno$", "un", re.sub(r"veintiuno$", "veintiún", words))


def _feminine(words: str) -> str:
    """Hundreds and the last "uno" take the noun's gender, except what counts millions, which are masculine."""
    millions = re.match(r".*(?:ón|ones)\b", words)
    head, tail = (words[: millions.end()], words[millions.end() :]) if millions else ("", words)
    tail = re.sub(r"cientos\b", "cientas", tail).replace("quinientos", "quinientas")
    return head + re.sub(r"uno$", "una", tail)


def _looks_feminine(noun: str) -> bool:
    first = noun.lower().split()[0] if noun.strip() else ""
    return first.endswith(_FEMININE_ENDINGS) and first not in _MASCULINE_NOUNS


def _minor_name(currency: str) -> str:
    if currency == "GBP":
        return "penique"
    if currency in _CENTESIMOS:
        return "centésimo"
    return "centavo" if currency in _CENTAVOS else "céntimo"


def _part_of_day(hour: int) -> str:
    if hour == 12:
        return "del mediodía"
    if 1 <= hour < 6:
        return "de la madrugada"
    if 6 <= hour < 12:
        return "de la mañana"
    return "de la tarde" if 12 < hour < 20 else "de la noche"
