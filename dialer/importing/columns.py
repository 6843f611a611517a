"""What each column of a list probably is, from its header and what stands in it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache

from dialer.importing.plan import TARGETS, WRITTEN, Column

_WORDS: Mapping[str, tuple[str, ...]] = {
    "phone": (
        *("phone", "telephone", "tel", "tlf", "tfno", "telf", "telefono", "fono", "number", "numero", "phone_number"),
        *("numero_de_telefono", "numero_telefono", "telefono_contacto", "telefono_de_contacto", "contact_phone"),
        *(
            "mobile",
            "cell",
            "cellphone",
            "cell_phone",
            "movil",
            "celular",
            "telefono_movil",
            "mobile_phone",
            "whatsapp",
        ),
        *("home", "home_phone", "fijo", "telefono_fijo", "landline", "work", "work_phone", "trabajo", "casa"),
        *(
            "telefono_casa",
            "telefono_trabajo",
            "alt_phone",
            "otro_telefono",
            "alternative_phone",
            "telefono_alternativo",
        ),
    ),
    "name": (
        "name",
        "full_name",
        "nombre_completo",
        "nombre_y_apellidos",
        "cliente",
        "customer",
        "contact",
        "contacto",
    ),
    "first_name": ("first_name", "firstname", "nombre", "nombres", "given_name"),
    "last_name": ("last_name", "lastname", "surname", "apellido", "apellidos", "family_name"),
    "external_id": (
        *("id", "external_id", "customer_id", "client_id", "id_cliente", "codigo", "codigo_cliente", "cod_cliente"),
        *(
            "num_cliente",
            "numero_cliente",
            "numero_de_cliente",
            "vendor_lead_code",
            "source_id",
            "crm_id",
            "referencia",
        ),
    ),
    "time_zone": ("time_zone", "timezone", "tz", "zona_horaria", "huso", "huso_horario"),
    "region": ("region", "state", "province", "provincia", "comunidad", "comunidad_autonoma", "departamento", "estado"),
    "country": ("country", "pais", "country_code", "codigo_pais"),
    "language": ("language", "lang", "idioma", "lengua"),
    "basis": ("basis", "legal_basis", "base_legal", "base_juridica", "legitimacion"),
    "consent": (
        *("consent", "consent_date", "consentimiento", "fecha_consentimiento", "fecha_de_consentimiento", "opt_in"),
        *("optin", "fecha_opt_in", "opt_in_date", "lopd", "rgpd", "gdpr"),
    ),
    "proof": ("proof", "consent_proof", "prueba", "prueba_consentimiento", "evidencia"),
    "priority": ("priority", "prioridad"),
    "rank": ("rank", "score", "puntuacion", "orden"),
}
_TARGET_OF = {word: target for target, words in _WORDS.items() for word in words}
_OURS = re.compile(r"_(row|column|what|reason)")
_NUMBERED = re.compile(r"_?[0-9]{1,2}$")
_PHONE_LIKE = re.compile(r"\+?[0-9][0-9 .()/\-]{6,18}[0-9](?:\.0)?")
_LABELS: Mapping[str, str] = {
    **dict.fromkeys(("mobile", "cell", "cellphone", "cell_phone", "movil", "celular", "telefono_movil"), "mobile"),
    **dict.fromkeys(("mobile_phone", "whatsapp"), "mobile"),
    **dict.fromkeys(("home", "home_phone", "fijo", "telefono_fijo", "landline", "casa", "telefono_casa"), "home"),
    **dict.fromkeys(("work", "work_phone", "trabajo", "telefono_trabajo"), "work"),
}


@lru_cache(maxsize=8_192)
def slug(header: str) -> str:
    """`Teléfono móvil ` -> `telefono_movil`: how headers are compared, and what a field is called."""
    plain = unicodedata.normalize("NFKD", header.strip().lower())
    plain = "".join(each for each in plain if not unicodedata.combining(each))
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:60]


def looks_like_phone(text: str) -> bool:
    return _PHONE_LIKE.fullmatch(text.strip()) is not None and sum(each.isdigit() for each in text) >= 8


def guess(headers: Sequence[str], samples: Sequence[Sequence[str]]) -> tuple[Column, ...]:
    """One column for each header. `samples`: some rows. What is not known is a field of its own; columns of a file of
    rejected rows that say why are ignored."""
    found = [_by_header(index, header) for index, header in enumerate(headers)]
    if not any(column.target == "phone" for column in found):
        found = _phones_by_content(found, samples)
    names = {column.target for column in found}
    # `Nombre` beside `Apellidos` is a first name, alone it is all there is.
    if "first_name" in names and "last_name" not in names and "name" not in names:
        found = [_retarget(column, "name") if column.target == "first_name" else column for column in found]
    return tuple(_distinct(found))


def mapped(columns: Sequence[Column], wishes: Sequence[tuple[str, str]]) -> tuple[Column, ...]:
    """The columns after somebody said what some of them are: (`phone` or `phone:mobile`, header or number from 1).

    Raises:
        ValueError: there is no such column or no such target; in words.
    """
    found = {column.index: column for column in columns}
    told: set[int] = set()
    for wish, header in wishes:
        target, _, label = wish.partition(":")
        if target not in TARGETS:
            raise ValueError(f"'{wish[:40]}' is nothing a column can be: choose among {', '.join(TARGETS)}")
        index = index_of(columns, header)
        told.add(index)
        found[index] = Column(index, found[index].header, target, label or _label(target, found[index].header))
    single = {found[index].target for index in told} - {"phone", "field", "ignore"}
    return tuple(
        _retarget(column, "field") if column.target in single and index not in told else column
        for index, column in sorted(found.items())
    )


def index_of(columns: Sequence[Column], header: str) -> int:
    """The column of that header, or of that number from 1. Raises ValueError: there is none."""
    for column in columns:
        if header in (column.header, column.header.strip()):
            return column.index
    wanted = slug(header)
    close = [column.index for column in columns if slug(column.header) == wanted]
    if len(close) == 1:
        return close[0]
    if header.isdecimal() and any(column.index == int(header) - 1 for column in columns):
        return int(header) - 1
    names = ", ".join(f"'{column.header}'" for column in columns)
    raise ValueError(f"there is no column '{header[:40]}': the file has {names[:400]}")


def _by_header(index: int, header: str) -> Column:
    name = slug(header)
    if _OURS.fullmatch(header.strip()):
        return Column(index, header, "ignore")
    target = _TARGET_OF.get(name) or _TARGET_OF.get(_NUMBERED.sub("", name)) or ""
    many = any(_TARGET_OF.get(name.removesuffix(end)) == "phone" for end in ("s", "es"))
    if not target and (many or re.search(r"(^|_)(phone|telefono|tel|tlf|movil|mobile|celular)(e?s)?(_|[0-9]|$)", name)):
        target = "phone"
    target = target or "field"
    return Column(index, header, target, _label(target, header))


def _phones_by_content(columns: Sequence[Column], samples: Sequence[Sequence[str]]) -> list[Column]:
    found = []
    for column in columns:
        cells = [row[column.index] for row in samples if column.index < len(row) and row[column.index].strip()]
        likely = len(cells) > 0 and sum(map(looks_like_phone, cells)) >= 0.6 * len(cells)
        found.append(_retarget(column, "phone") if likely and column.target in ("field", "external_id") else column)
    return found


def _distinct(columns: Sequence[Column]) -> list[Column]:
    """Of what can be there once, the first; of labels, each its own."""
    seen: set[tuple[str, str]] = set()
    found = []
    for column in columns:
        once = column.target not in ("phone", "field", "ignore")
        if once and (column.target, "") in seen:
            column = _retarget(column, "field")
        label, number = column.label, 2
        while column.target in ("phone", "field") and (column.target, label) in seen:
            label, number = f"{column.label}{'_' if column.target == 'field' else ''}{number}", number + 1
        column = Column(column.index, column.header, column.target, label)
        seen.add((column.target, label if column.target in ("phone", "field") else ""))
        found.append(column)
    return found


def _retarget(column: Column, target: str) -> Column:
    return Column(column.index, column.header, target, _label(target, column.header))


def _label(target: str, header: str) -> str:
    if target in WRITTEN:
        return slug(header) or target
    if target == "phone":
        name = _NUMBERED.sub("", slug(header))
        return _LABELS.get(name, "phone")
    return ""
