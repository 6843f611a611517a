"""Cells that are not phone numbers: dates, grounds to call, places, ranks. Each returns its value or a refusal."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays as public_holidays
import phonenumbers

from dialer.compliance.local_time import known_zone, knows_region
from dialer.compliance.rules import Basis
from dialer.importing.columns import slug
from dialer.importing.places import PROVINCES
from dialer.importing.reasons import Refusal, refusal

_NOTHING = frozenset(
    {"", "na", "n_a", "none", "null", "nan", "nil", "no_tiene", "sin_telefono", "sin_numero", "s_n", "sn", "no_consta"}
    | {"unknown", "desconocido", "no", "x", "ref", "n_d", "nd", "value", "valor", "div_0", "0", "00000000", "000000000"}
)
_YES = frozenset({"yes", "y", "si", "s", "true", "verdadero", "1", "x", "ok", "aceptado", "accepted", "granted"})
_NO = frozenset({"no", "n", "false", "falso", "0", "denied", "denegado", "rechazado", "revoked", "revocado"})
_BASIS: Mapping[str, Basis] = {
    **{basis.value: basis for basis in Basis},
    **dict.fromkeys(("consentimiento", "opt_in", "optin"), Basis.CONSENT),
    **dict.fromkeys(("contrato", "contractual"), Basis.CONTRACT),
    **dict.fromkeys(("cliente", "customer", "relacion", "interes_legitimo", "legitimate_interest"), Basis.RELATIONSHIP),
    **dict.fromkeys(("obligacion", "obligacion_legal", "legal_obligation", "legal"), Basis.OBLIGATION),
    **dict.fromkeys(("peticion", "solicitud", "solicitado", "asked"), Basis.REQUEST),
    **dict.fromkeys(("ninguna", "ninguno", "sin_base"), Basis.NONE),
}
_MONTH_FIRST = frozenset({"US", "PH", "PR", "GU"})
_NUMERIC = re.compile(
    r"([0-9]{1,4})[/.\-]([0-9]{1,2})[/.\-]([0-9]{2,4})(?:[ T]+([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?.*)?"
)
_SERIAL = re.compile(r"([0-9]{5})(?:[.,]([0-9]+))?")
_EXCEL_EPOCH = datetime(1899, 12, 30, tzinfo=UTC)
_LANGUAGE = re.compile(r"[a-zA-Z]{2,3}(?:[-_][a-zA-Z]{2,4})?")
_LANGUAGES: Mapping[str, str] = {
    **dict.fromkeys(("espanol", "castellano", "spanish"), "es"),
    **dict.fromkeys(("ingles", "english"), "en"),
    **dict.fromkeys(("catalan", "catala"), "ca"),
    **dict.fromkeys(("euskera", "vasco", "basque"), "eu"),
    **dict.fromkeys(("gallego", "galego", "galician"), "gl"),
    **dict.fromkeys(("portugues", "portuguese"), "pt"),
    **dict.fromkeys(("frances", "french"), "fr"),
    **dict.fromkeys(("aleman", "german", "deutsch"), "de"),
    **dict.fromkeys(("italiano", "italian"), "it"),
}


def is_nothing(text: str) -> bool:
    """What people write into a cell that should be empty."""
    return not text or (len(text) <= 20 and slug(text) in _NOTHING)


def is_no(text: str) -> bool:
    return slug(text) in _NO


def is_yes(text: str) -> bool:
    return slug(text) in _YES


def basis_of(text: str) -> Basis | Refusal:
    return _BASIS.get(slug(text)) or refusal("basis", text=text)


@lru_cache(maxsize=8_192)
def moment_of(text: str, country: str, zone: str = "") -> float | Refusal:
    """UTC seconds of a date as people and spreadsheets write it: `2026-11-22`, `22/11/26 18:30`, `46348.5`. Without an
    hour it is noon in `zone`; day before month but where people write it the other way."""
    parsed = _iso(text) or _serial(text) or _numeric(text, country)
    if parsed is None or not 1990 <= parsed.year <= 2100:
        return refusal("date", text=text)
    if parsed.tzinfo is None:
        parsed = parsed.replace(tzinfo=_zone(zone))
    return parsed.timestamp()


def zone_of_text(text: str) -> str | Refusal:
    name = text.strip().replace(" ", "_")
    if "/" in name and known_zone(name):
        return name
    proper = "/".join("_".join(part.capitalize() for part in each.split("_")) for each in name.lower().split("/"))
    return proper if "/" in proper and known_zone(proper) else refusal("time_zone", text=text)


@lru_cache(maxsize=512)
def country_of_text(text: str) -> str | Refusal:
    code = text.strip().upper()
    if code in phonenumbers.SUPPORTED_REGIONS:
        return code
    return _COUNTRY_NAMES.get(slug(text)) or refusal("country", text=text)


@lru_cache(maxsize=4096)
def region_of_text(text: str, country: str) -> str:
    """The code that rules and holidays know, from it or from the region's name; empty when nobody knows it."""
    code = text.strip().upper()
    if knows_region(country, code):
        return code
    if country in ("US", "CA") and len(code) == 2 and code.isalpha():
        return code
    name = slug(text)
    return PROVINCES.get(country, {}).get(name, "") or _region_names(country).get(name, "")


def language_of(text: str) -> str | Refusal:
    named = _LANGUAGES.get(slug(text))
    if named:
        return named
    if not _LANGUAGE.fullmatch(text.strip()):
        return refusal("language", text=text)
    first, _, place = text.strip().replace("_", "-").partition("-")
    return first.lower() + (f"-{place.upper()}" if place else "")


def whole_of(text: str) -> int | Refusal:
    plain = re.sub(r"[.,]0+$", "", text.strip())
    return int(plain) if re.fullmatch(r"[+-]?[0-9]{1,9}", plain) else refusal("number", text=text)


def decimal_of(text: str) -> float | Refusal:
    plain = text.strip()
    if "," in plain and "." not in plain:
        plain = plain.replace(",", ".")
    return float(plain) if re.fullmatch(r"[+-]?[0-9]{1,12}(\.[0-9]{1,9})?", plain) else refusal("decimal", text=text)


def _iso(text: str) -> datetime | None:
    try:
        parsed = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return parsed + timedelta(hours=12) if len(text.strip()) <= 10 else parsed


def _serial(text: str) -> datetime | None:
    """Days since the end of 1899: what a date is in a spreadsheet whose column lost its format."""
    found = _SERIAL.fullmatch(text.strip())
    if found is None:
        return None
    part = float(f"0.{found[2]}") if found[2] else 0.5
    return (_EXCEL_EPOCH + timedelta(days=int(found[1]) + part)).replace(tzinfo=None)


def _numeric(text: str, country: str) -> datetime | None:
    found = _NUMERIC.fullmatch(text.strip())
    if found is None:
        return None
    first, second, third = int(found[1]), int(found[2]), int(found[3])
    if len(found[1]) == 4:
        year, month, day = first, second, third
    elif country in _MONTH_FIRST:
        year, month, day = third, first, second
    else:
        year, month, day = third, second, first
    year += 2000 if year < 100 else 0
    try:
        if found[4] is None:
            return datetime.combine(date(year, month, day), datetime.min.time()) + timedelta(hours=12)
        return datetime(year, month, day, int(found[4]), int(found[5]), int(found[6] or 0))  # noqa: DTZ001 - its zone follows
    except ValueError:
        return None


def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name) if name and known_zone(name) else ZoneInfo("UTC")


@lru_cache(maxsize=64)
def _region_names(country: str) -> dict[str, str]:
    if country not in public_holidays.list_supported_countries():
        return {}
    aliases = getattr(getattr(public_holidays, country, None), "subdivisions_aliases", None) or {}
    return {slug(name): code for name, code in aliases.items()}


_COUNTRY_NAMES: Mapping[str, str] = {
    **dict.fromkeys(("espana", "spain", "esp"), "ES"),
    **dict.fromkeys(("argentina", "arg"), "AR"),
    **dict.fromkeys(("colombia", "col"), "CO"),
    **dict.fromkeys(("mexico", "mex"), "MX"),
    **dict.fromkeys(("chile", "chl"), "CL"),
    **dict.fromkeys(("peru", "per"), "PE"),
    **dict.fromkeys(("portugal", "prt"), "PT"),
    **dict.fromkeys(("francia", "france", "fra"), "FR"),
    **dict.fromkeys(("italia", "italy", "ita"), "IT"),
    **dict.fromkeys(("alemania", "germany", "deu"), "DE"),
    **dict.fromkeys(("reino_unido", "united_kingdom", "uk", "gbr", "england", "inglaterra"), "GB"),
    **dict.fromkeys(("estados_unidos", "united_states", "eeuu", "ee_uu", "usa"), "US"),
}
