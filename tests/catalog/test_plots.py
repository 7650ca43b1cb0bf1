"""Plots are well-formed, escaped and within their frame for any figures."""

import re
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from catalog.plots import HEIGHT, WIDTH, Point, Series, pair_bars, points_chart, row_bars

finite = st.floats(-1e6, 1e6, allow_nan=False)


def places(svg: str, names: str) -> list[float]:
    return [float(value) for value in re.findall(rf'\b(?:{names})="(-?[\d.]+)"', svg)]


@given(st.lists(st.tuples(st.integers(0, 9), finite), max_size=10))
def test_every_mark_is_within_the_frame(points):
    svg = points_chart("t", [str(n) for n in range(10)], [Series("s", [Point(x, y) for x, y in points])])

    if points:
        ElementTree.fromstring(svg)
        assert svg.count("<circle") == len(points)
        assert all(0 <= x <= WIDTH for x in places(svg, "cx"))
        assert all(0 <= y <= HEIGHT for y in places(svg, "cy"))
    else:
        assert svg == ""


@given(st.lists(st.tuples(st.floats(0, 1e6), st.floats(0, 1e6)), max_size=30))
def test_bars_stand_on_the_ground_line(pairs):
    svg = pair_bars("t", [(str(n), *pair) for n, pair in enumerate(pairs)])

    if any(value for pair in pairs for value in pair):
        ElementTree.fromstring(svg)
        assert svg.count("<rect") == 2 * len(pairs)
        tops, heights = places(svg, "y"), places(svg, "height")
        assert all(height >= 0 for height in heights)
        assert all(0 <= top <= HEIGHT for top in tops)
    else:
        assert svg == ""


def test_intervals_and_lines_are_drawn():
    svg = points_chart("q", ["1", "2"], [Series("s", [Point(0, 0.1, 0.05, 0.15), Point(1, 0.2)])])

    assert svg.count("<polyline") == 1
    assert len(re.findall(r"<line (?!class)", svg)) == 1
    assert "<polyline" not in points_chart("q", ["1"], [Series("s", [Point(0, 0.1)])])
    assert "<polyline" not in points_chart(
        "q", ["1", "2"], [Series("s", [Point(0, 0.1), Point(1, 0.2)])], connected=False
    )


def test_text_cannot_break_out():
    name = '"><script>alert(1)</script>'

    for svg in (pair_bars(name, [(name, 1, 2)]), points_chart(name, [name], [Series(name, [Point(0, 1, note=name)])])):
        assert "<script" not in svg
        ElementTree.fromstring(svg)


def test_ticks_are_round_numbers():
    svg = points_chart("t", ["1"], [Series("s", [Point(0, 0.43)])])

    assert re.findall(r'class="plot-y"[^>]*>([^<]+)<', svg) == ["0", "0.2", "0.4", "0.6"]


@given(st.lists(st.tuples(st.text('<&"x', max_size=9), st.floats(0, 100), st.floats(0, 100)), max_size=20))
def test_rows_of_bars_stay_in_the_frame(rows):
    svg = row_bars("t", rows, ("everybody", "you"))

    if any(value for _, *pair in rows for value in pair):
        ElementTree.fromstring(svg)
        assert svg.count("<rect") == 2 * len(rows)
        assert all(124 + width <= WIDTH for width in places(svg, "width"))
    else:
        assert svg == ""
