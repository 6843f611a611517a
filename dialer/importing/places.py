"""Provinces that lists name where holidays and hours go by the larger region, and the time zones of those regions."""

from __future__ import annotations

from collections.abc import Mapping

_SPAIN: Mapping[str, str] = {
    "AN": "almeria cadiz cordoba granada huelva jaen malaga sevilla",
    "AR": "huesca teruel zaragoza",
    "AS": "asturias principado_de_asturias oviedo",
    "CB": "cantabria santander",
    "CL": "avila burgos leon palencia salamanca segovia soria valladolid zamora",
    "CM": "albacete ciudad_real cuenca guadalajara toledo",
    "CN": "las_palmas las_palmas_de_gran_canaria palmas_las santa_cruz_de_tenerife tenerife islas_canarias",
    "CT": "barcelona girona gerona lleida lerida tarragona",
    "EX": "badajoz caceres",
    "GA": "a_coruna la_coruna coruna coruna_a lugo ourense orense pontevedra",
    "IB": "baleares balears illes_balears islas_baleares mallorca palma_de_mallorca",
    "MC": "murcia region_de_murcia",
    "MD": "madrid comunidad_de_madrid",
    "NC": "navarra pamplona comunidad_foral_de_navarra",
    "PV": "alava araba bizkaia vizcaya gipuzkoa guipuzcoa euskadi",
    "RI": "la_rioja rioja logrono rioja_la",
    "VC": "alicante alacant castellon castello valencia comunidad_valenciana comunitat_valenciana",
    "CE": "ceuta",
    "ML": "melilla",
}
PROVINCES: Mapping[str, Mapping[str, str]] = {
    "ES": {name: code for code, names in _SPAIN.items() for name in names.split()},
}
"""Country -> province as `columns.slug` writes it -> region."""


def zone_of_region(country: str, region: str) -> str:
    """The one time zone of a region whose country has several; empty where that is not so plain."""
    if country == "ES" and region:
        return {"CN": "Atlantic/Canary", "CE": "Africa/Ceuta", "ML": "Africa/Ceuta"}.get(region, "Europe/Madrid")
    return ""
