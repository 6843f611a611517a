"""What is expected of a person's greeting when nobody hears it, only when it was loud: the numbers of Asterisk's AMD.

    |<- silence ->|<-- greeting -->|<- after_greeting ->|      a person says something short, and waits
                  |<-- longer than greeting: a recording ...

`asterisk`: the amd.conf that Asterisk ships (configs/samples/amd.conf.sample). `vicidial`: the arguments of AMD() in
VICIdial (docs/conf_examples/extensions.conf.sample-1.8, extension 8369): `AMD(2000,2000,1000,5000,120,50,4,256)`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Profile:
    """`silence_s`: before anybody speaks, at most. `greeting_s`: of speech in all, at most. `after_greeting_s`: of
    silence, by which a person is known. `total_s`: no verdict comes later. A sound shorter than `word_s` is none, and
    as many as `words`, parted by `between_words_s`, are a recording's. `loudness`: a stretch whose samples' mean is
    less, of 32767, is silence."""

    silence_s: float
    greeting_s: float
    after_greeting_s: float
    total_s: float
    word_s: float
    between_words_s: float
    words: int
    loudness: int


PROFILES: Mapping[str, Profile] = {
    "asterisk": Profile(2.5, 1.5, 0.8, 5.0, 0.1, 0.05, 2, 256),
    "vicidial": Profile(2.0, 2.0, 1.0, 5.0, 0.12, 0.05, 4, 256),
}
USUAL = "vicidial"


def profile_of(options: Mapping[str, str]) -> Profile:
    """Raises ValueError when `profile` names none."""
    name = options.get("profile", USUAL)
    if name not in PROFILES:
        raise ValueError(f"there is no profile {name!r}: choose from {', '.join(PROFILES)}")
    return PROFILES[name]


def seconds_of(options: Mapping[str, str], name: str, usual_s: float, least_s: float, most_s: float = 30.0) -> float:
    """An option in seconds. Raises ValueError when it is no number, or out of range."""
    try:
        value_s = float(options.get(name, usual_s))
    except ValueError:
        raise ValueError(f"{name} {options[name]!r}: write seconds") from None
    if not least_s <= value_s <= most_s:
        raise ValueError(f"{name} {value_s:g}: between {least_s:g} and {most_s:g}")
    return value_s
