"""A number that a flow always dials and no rule allows is told before a caller gets there."""

from __future__ import annotations

import pytest

from engine.config.loader import load

FLOW = """flow: card
start: ask
nodes:
  ask: {type: transfer, to: "TO", refused: bye, next: bye}
  bye: {type: hangup}
"""
RULES = """rules:
  - {name: spain, prefixes: ["+34"], trunk: carrier, hourly: 1}
  - {name: dear, prefixes: ["+34803"]}
"""


def warned(to: str, **broken: str) -> list[str]:
    sources = {
        "config/site.yaml": "site: acme\nlanguages: [es]\ncountry: ES\n",
        "config/outbound.yaml": RULES,
        "config/trunks/carrier.yaml": "trunk: carrier\nhost: sip.example\n",
        "config/devices/1001.yaml": 'device: "1001"\n',
        "config/numbers/all.yaml": "default: yes\nflow: card\n",
        "flows/card.yaml": FLOW.replace("TO", to),
    }
    loaded = load({**sources, **{f"config/{name}.yaml": text for name, text in broken.items()}})
    assert broken or loaded.configuration is not None, str(loaded.problems)
    return [str(problem) for problem in loaded.problems if problem.file == "flows/card.yaml"]


@pytest.mark.parametrize("to", ["911234567", "+34600100200", "1001", "device:1001", "{{ caller }}"])
def test_what_may_be_dialed_passes(to: str) -> None:
    assert warned(to) == []


@pytest.mark.parametrize(
    ("to", "why"),
    [
        ("+33123456789", "no rule in config/outbound.yaml allows this number"),
        ("803123456", "rule dear forbids it"),
        ("1009", "no rule in config/outbound.yaml allows this number"),
    ],
)
def test_what_is_always_refused_is_warned_of(to: str, why: str) -> None:
    (warning,) = warned(to)
    assert warning.startswith(f"flows/card.yaml:4:29: warning: '{to}' is never dialed: {why}: every caller takes")


@pytest.mark.parametrize(
    "broken",
    [
        {"outbound": "rules: ["},
        {"outbound": RULES + "  - {name: france, prefixes: 33, trunk: carrier}\n"},
        {"devices/1001": "device: ["},
    ],
)
def test_what_could_not_be_read_is_not_said_to_forbid_it(broken: dict[str, str]) -> None:
    assert warned("+33123456789", **broken) == []
