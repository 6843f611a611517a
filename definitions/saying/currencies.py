"""Where a currency is at home, and when its short name is enough."""

from __future__ import annotations

from typing import Final

# The dollar, the peso and the pound of these countries share their short name with others.
_HOMES: Final = {
    "ARS": {"AR"}, "BOB": {"BO"}, "CAD": {"CA"}, "CLP": {"CL"}, "COP": {"CO"}, "CRC": {"CR"}, "CUP": {"CU"},
    "DOP": {"DO"}, "GBP": {"GB"}, "GTQ": {"GT"}, "HNL": {"HN"}, "MXN": {"MX"}, "NIO": {"NI"}, "PAB": {"PA"},
    "PEN": {"PE"}, "PYG": {"PY"}, "USD": {"US", "EC", "SV", "PR"}, "UYU": {"UY"}, "VES": {"VE"}, "AUD": {"AU"},
    "NZD": {"NZ"},
}  # fmt: skip
_OTHER_DOLLARS: Final = frozenset({"AU", "CA", "HK", "NZ", "SG"})


def is_plain(currency: str, region: str) -> bool:
    """Whether people of this region mean this currency when they use its short name.

    Without a region the flow is taken to serve the currency's own country.
    """
    if not region or region.isdigit() or currency == "EUR":
        return True
    if currency == "USD":
        return region not in _OTHER_DOLLARS
    return region in _HOMES.get(currency, ())
