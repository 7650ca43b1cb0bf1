"""Plots as SVG, rendered on the server without scripts or requests. Colours are classes in static/css/plots.css."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

WIDTH, HEIGHT = 420, 200
LEFT, RIGHT, TOP, BOTTOM = 46, 10, 12, 30
ROW, ROW_LABEL, ROW_VALUE = 26, 124, 40
N_COLOURS = 6
MAX_X_LABELS = 7

Names = tuple[str | Promise, str | Promise]
BEFORE_AND_NOW: Names = (gettext_lazy("before"), gettext_lazy("now"))


@dataclass(frozen=True)
class Point:
    """A point. `x` is an index of the labels. `low` and `high` are the ends of an optional interval."""

    x: int
    y: float
    low: float | None = None
    high: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Series:
    name: str
    points: Sequence[Point]


def points_chart(title: str, labels: Sequence[str], series: Sequence[Series], *, connected: bool = True) -> SafeString:
    """Returns a chart of points with intervals. `connected` joins the points of a series with a line."""
    values = [value for row in series for point in row.points for value in _extent(point)]
    if not values:
        return SafeString("")
    scale = _Scale(min(0.0, *values), max(values), len(labels))
    marks = [_series(row, at % N_COLOURS, scale, connected) for at, row in enumerate(series)]
    return _svg(title, [_grid(scale), _x_labels(labels, scale), *marks])


def pair_bars(title: str, bars: Iterable[Sequence[object]], names: Names = BEFORE_AND_NOW) -> SafeString:
    """Returns a bar chart with two bars per category: [label, before, now]. `names` describe the two."""
    rows = [(str(label), float(str(before)), float(str(now))) for label, before, now in bars]
    top = max((value for _, *pair in rows for value in pair), default=0.0)
    if not top:
        return SafeString("")
    scale = _Scale(0.0, top, len(rows))
    half = min(14.0, 0.4 * scale.step)
    drawn = []
    for at, (label, before, now) in enumerate(rows):
        drawn.append(_bar("before", f"{label} {names[0]}", before, scale.x(at) - half, half, scale))
        drawn.append(_bar("now", f"{label} {names[1]}", now, scale.x(at), half, scale))
    return _svg(title, [_grid(scale), _x_labels([label for label, *_ in rows], scale), *drawn])


def row_bars(title: str, rows: Sequence[tuple[str, float, float]], names: Names) -> SafeString:
    """Returns horizontal bars for long labels, two per category. Prints the second value."""
    longest = max((value for _, *pair in rows for value in pair), default=0.0)
    if not longest:
        return SafeString("")
    per_unit = (WIDTH - ROW_LABEL - ROW_VALUE) / longest
    drawn = []
    for top, (label, before, now) in zip(range(4, ROW * len(rows), ROW), rows, strict=True):
        marks = (("now", names[1], top, now), ("before", names[0], top + 8, before))
        drawn += [_row_bar(kind, f"{label} {name}", place, value, per_unit) for kind, name, place, value in marks]
        texts = '<text class="plot-y" x="{}" y="{}">{}</text><text x="{}" y="{}">{}</text>'
        end = _n(ROW_LABEL + max(now, before) * per_unit + 6)
        drawn.append(format_html(texts, ROW_LABEL - 8, top + 12, label, end, top + 11, f"{now:.0f}"))
    return _svg(title, drawn, height=ROW * len(rows))


def _row_bar(kind: str, label: str, top: int, value: float, per_unit: float) -> SafeString:
    html = '<rect class="plot-{}" x="{}" y="{}" width="{}" height="7"><title>{}: {}</title></rect>'
    return format_html(html, kind, ROW_LABEL, top, _n(value * per_unit), label, f"{value:.3g}")


class _Scale:
    """Maps values to coordinates. The upper end is a round number."""

    def __init__(self, low: float, high: float, n_places: int) -> None:
        self.tick = _round_step((high - low) / 4 or 1.0)
        self.low = self.tick * math.floor(low / self.tick + 1e-9)
        self.high = self.tick * max(math.ceil(high / self.tick - 1e-9), round(self.low / self.tick) + 1)
        self.step = (WIDTH - LEFT - RIGHT) / max(1, n_places)

    def x(self, place: int) -> float:
        return LEFT + (place + 0.5) * self.step

    def y(self, value: float) -> float:
        return TOP + (self.high - value) / (self.high - self.low) * (HEIGHT - TOP - BOTTOM)

    def ticks(self) -> list[float]:
        return [self.low + at * self.tick for at in range(round((self.high - self.low) / self.tick) + 1)]


def _round_step(step: float) -> float:
    """Rounds up to 1, 2 or 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(step))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= step * (1 - 1e-9))


def _extent(point: Point) -> list[float]:
    return [value for value in (point.y, point.low, point.high) if value is not None]


def _series(row: Series, colour: int, scale: _Scale, connected: bool) -> SafeString:
    places = " ".join(f"{_n(scale.x(point.x))},{_n(scale.y(point.y))}" for point in row.points)
    line = format_html('<polyline points="{}"/>', places) if connected and len(row.points) > 1 else ""
    intervals = format_html_join(
        "",
        '<line x1="{0}" x2="{0}" y1="{1}" y2="{2}"/>',
        (
            (_n(scale.x(point.x)), _n(scale.y(point.low)), _n(scale.y(point.high)))
            for point in row.points
            if point.low is not None and point.high is not None
        ),
    )
    dots = format_html_join(
        "",
        '<circle cx="{}" cy="{}" r="3.5"><title>{}</title></circle>',
        (
            (_n(scale.x(point.x)), _n(scale.y(point.y)), f"{row.name}: {point.y:.4g} {point.note}".strip())
            for point in row.points
        ),
    )
    return format_html('<g class="plot-series plot-series-{}">{}{}{}</g>', colour, intervals, line, dots)


def _bar(name: str, label: str, value: float, left: float, width: float, scale: _Scale) -> SafeString:
    html = '<rect class="plot-{}" x="{}" y="{}" width="{}" height="{}"><title>{}: {}</title></rect>'
    top, height = scale.y(value), scale.y(0.0) - scale.y(value)
    return format_html(html, name, _n(left), _n(top), _n(width), _n(height), label, f"{value:.4g}")


def _grid(scale: _Scale) -> SafeString:
    return format_html_join(
        "",
        '<line class="plot-grid" x1="{}" x2="{}" y1="{}" y2="{}"/><text class="plot-y" x="{}" y="{}">{}</text>',
        (
            (LEFT, WIDTH - RIGHT, _n(scale.y(tick)), _n(scale.y(tick)), LEFT - 6, _n(scale.y(tick) + 4), f"{tick:.4g}")
            for tick in scale.ticks()
        ),
    )


def _x_labels(labels: Sequence[str], scale: _Scale) -> SafeString:
    longest = max((len(label) for label in labels), default=1)
    fitting = max(1, min(MAX_X_LABELS if longest > 3 else 2 * MAX_X_LABELS, int(60 / longest)))
    every = math.ceil(len(labels) / fitting)
    return format_html_join(
        "",
        '<text class="plot-x" x="{}" y="{}">{}</text>',
        ((_n(scale.x(at)), HEIGHT - 10, label) for at, label in enumerate(labels) if at % every == 0),
    )


def _svg(title: str, parts: Iterable[SafeString], height: int = HEIGHT) -> SafeString:
    inner = format_html_join("", "{}", ((part,) for part in parts))
    return format_html(
        '<svg class="plot" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>', WIDTH, height, title, inner
    )


def _n(value: float) -> str:
    return f"{value:.1f}"
