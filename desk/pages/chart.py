"""Where lines of a chart run: numbers in, SVG coordinates out. Pure; a template draws them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from desk.live.trail import Sample

WIDTH, HEIGHT = 640, 150
_MOST_POINTS = 240


@dataclass(frozen=True, slots=True)
class Curve:
    """`path`: the `d` of an SVG path, in steps; `area`: closed to the ground; `last`: its value now."""

    name: str
    path: str
    area: str
    last: float


@dataclass(frozen=True, slots=True)
class Chart:
    """`ticks`: (y, value); `caps`: y of a dashed line, for each stretch (x, width, y)."""

    top: float
    curves: tuple[Curve, ...]
    ticks: tuple[tuple[float, float], ...]
    cap: str = ""


Value = Callable[[Sample], float]


def draw(samples: Sequence[Sample], now_s: float, span_s: float, values: Sequence[tuple[str, Value]]) -> Chart:
    """Curves of whole numbers over the last `span_s` seconds."""
    top = _round_up(max((value(each) for each in samples for _, value in values), default=0.0))
    return _chart(samples, now_s, span_s, values, top)


def draw_share(samples: Sequence[Sample], now_s: float, span_s: float, value: Value, cap: Value) -> Chart:
    """A share with the cap it must not pass, which is drawn at four fifths of the height when nothing is above it."""
    highest = max((max(value(each), cap(each)) for each in samples), default=0.0) or 0.01
    chart = _chart(samples, now_s, span_s, [("ratio", value), ("cap", cap)], highest * 1.25)
    ratio, caps = chart.curves
    ticks = ((HEIGHT, 0.0), (_y(highest, highest * 1.25), highest))
    return Chart(chart.top, (ratio,), ticks, caps.path if caps.last > 0 else "")


def _chart(
    samples: Sequence[Sample], now_s: float, span_s: float, values: Sequence[tuple[str, Value]], top: float
) -> Chart:
    thin = samples[:: max(1, math.ceil(len(samples) / _MOST_POINTS))]
    if samples and thin[-1] is not samples[-1]:
        thin = [*thin, samples[-1]]
    times = [_x(each.at_s, now_s, span_s) for each in thin]
    curves = []
    for name, value in values:
        points = [(x, _y(value(each), top)) for x, each in zip(times, thin, strict=True)]
        path = _steps(points)
        area = f"{path}V{HEIGHT}H{points[0][0]:g}Z" if points else ""
        curves.append(Curve(name, path, area, value(samples[-1]) if samples else 0.0))
    return Chart(top, tuple(curves), tuple((_y(part, top), part) for part in (0.0, top / 2, top)))


def _steps(points: Sequence[tuple[float, float]]) -> str:
    """A value holds until the next one is known, the last one until now."""
    if not points:
        return ""
    path = f"M{points[0][0]:g} {points[0][1]:g}"
    for x, y in points[1:]:
        path += f"H{x:g}V{y:g}"
    return f"{path}H{WIDTH}"


def _x(at_s: float, now_s: float, span_s: float) -> float:
    return round(WIDTH * (1 - (now_s - at_s) / span_s), 1)


def _y(value: float, top: float) -> float:
    return round(HEIGHT * (1 - min(value, top) / top), 1)


def _round_up(value: float) -> float:
    """A number that reads well on an axis, not below 4."""
    if value <= 4:
        return 4.0
    step = 10 ** math.floor(math.log10(value))
    return float(next(step * part for part in (1, 2, 4, 6, 8, 10) if step * part >= value))
