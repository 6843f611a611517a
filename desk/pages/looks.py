"""How values look on a page: durations, percentages, icons. Pure."""

from __future__ import annotations

from markupsafe import Markup

_PEOPLE = "M8 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM17 12a2.5 2.5 0 1 0 0-5M2 20c0-4 3-6 6-6s6 2 6 6M16 14c3 0 6 2 6 6"
_ICONS = {
    "ready": "M5 13l4 4L19 7",
    "not_ready": "M9 5v14M15 5v14",
    "logged_out": "M9 5H5v14h4M14 8l4 4-4 4M18 12H9",
    "phone": ("M6 3h3l2 5-2.5 1.5a11 11 0 0 0 6 6L16 13l5 2v3a3 3 0 0 1-3 3A15 15 0 0 1 3 6a3 3 0 0 1 3-3z"),
    "hang_up": "M3 14c5-5 13-5 18 0l-2 3-4-1.5v-3a9 9 0 0 0-6 0v3L5 17z",
    "hold": "M9 6v12M15 6v12",
    "listen": "M4 18v-5a8 8 0 0 1 16 0v5M4 14h3v6H5a1 1 0 0 1-1-1zM20 14h-3v6h2a1 1 0 0 0 1-1z",
    "resume": "M8 5l11 7-11 7z",
    "mute": "M9 9v3a3 3 0 0 0 5 2M15 11V6a3 3 0 0 0-6-.5M5 12a7 7 0 0 0 11 5M19 12v1M12 19v3M3 3l18 18",
    "transfer": "M4 12h14M13 6l6 6-6 6",
    "consult": "M4 5h10v8H8l-4 3zM14 9h6v10l-3-3h-5",
    "swap": "M7 4v14M3 14l4 4 4-4M17 20V6M13 10l4-4 4 4",
    "conference": _PEOPLE,
    "record": "M12 17a5 5 0 1 0 0-10 5 5 0 0 0 0 10z",
    "clock": "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7v5l3 2",
    "people": _PEOPLE,
    "queue": "M4 7h16M4 12h16M4 17h10",
    "target": "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8z",
    "bell": "M6 17V11a6 6 0 0 1 12 0v6l2 2H4zM10 21h4",
    "note": "M5 4h14v16H5zM8 8h8M8 12h8M8 16h5",
    "unreachable": "M3 3l18 18M8 6h8a2 2 0 0 1 2 2v8M6 8v10a2 2 0 0 0 2 2h8",
    "start": "M7 4l13 8-13 8z",
    "drain": "M4 4h16l-6 8v7l-4 2v-9z",
    "stop": "M6 6h12v12H6z",
    "upload": "M12 16V4M7 9l5-5 5 5M4 16v4h16v-4",
    "download": "M12 4v12M7 11l5 5 5-5M4 20h16",
    "no_call": "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM6 6l12 12",
    "skip": "M5 5l9 7-9 7zM18 5v14",
    "digits": "M6 6h.01M12 6h.01M18 6h.01M6 12h.01M12 12h.01M18 12h.01M12 18h.01",
}


def clock(seconds: float) -> str:
    """`3:07`, `1:02:03`."""
    whole = max(0, int(seconds))
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02d}:{left:02d}" if hours else f"{minutes}:{left:02d}"


def percent(value: float | None) -> str:
    return "—" if value is None else f"{value:.0f} %"


def share(value: float | None) -> str:
    """A share as percent with two digits: 0.0284 is `2.84 %`."""
    return "—" if value is None else f"{100 * value:.2f} %"


def initials(name: str) -> str:
    words = name.split()
    return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper() or "?"


def icon(name: str) -> Markup:
    """A line drawing; text beside it says the same."""
    path = _ICONS.get(name, _ICONS["clock"])
    return Markup(  # noqa: S704 - both parts are constants of this file
        f'<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d="{path}"/></svg>'
    )
