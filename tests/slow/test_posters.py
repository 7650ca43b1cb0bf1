"""Posters rendered as images."""

from itertools import combinations

import numpy as np
import pytest

from catalog.posters import draw_poster
from tests.catalog.well_known import WELL_KNOWN

pytestmark = pytest.mark.slow

LEAST_DIFFERENCE = 12  # of 255, on average over all pixels; a black and a white poster differ by 255

# So small that a shifted line does not make another picture.
DRAW = """async (svg) => {
    const picture = new Image();
    picture.src = "data:image/svg+xml," + encodeURIComponent(svg);
    await picture.decode();
    const large = document.createElement("canvas"), small = document.createElement("canvas");
    [large.width, large.height, small.width, small.height] = [300, 450, 20, 30];
    large.getContext("2d").drawImage(picture, 0, 0, 300, 450);
    const context = small.getContext("2d");
    context.imageSmoothingQuality = "high";
    context.drawImage(large, 0, 0, small.width, small.height);
    return Array.from(context.getImageData(0, 0, small.width, small.height).data);
}"""


def test_no_two_well_known_movies_look_alike(chromium):
    page = chromium.new_page()
    pictures = {
        title: np.array(page.evaluate(DRAW, draw_poster(title=title, year=year, genres=genres))).reshape(-1, 4)[:, :3]
        for title, year, genres in WELL_KNOWN
    }
    page.close()

    differences = {(a, b): float(np.abs(pictures[a] - pictures[b]).mean()) for a, b in combinations(pictures, 2)}

    closest = min(differences, key=differences.__getitem__)
    assert differences[closest] >= LEAST_DIFFERENCE, closest
    assert all(picture.std() > 10 for picture in pictures.values())  # there is something on each


@pytest.mark.parametrize("year", [1925, 1935, 1945, 1955, 1965, 1975, 1985, 1995, 2005, 2015, 2025])
def test_titles_are_not_cut(chromium, year):
    """In the letters of every decade, whatever fonts this machine has for them."""
    page = chromium.new_page()
    for title in ["WWW: What a Mammoth Wow", "Masquerade and Signal II", *(title for title, *_ in WELL_KNOWN[::4])]:
        page.set_content(f"<body style='margin: 0'>{draw_poster(title=title, year=year, genres=['Crime'])}")
        boxes = page.locator("text").evaluate_all("all => all.map(text => text.getBoundingClientRect().toJSON())")
        for box in boxes:
            assert box["left"] >= 0 and box["right"] <= 300, (title, box)
            assert box["top"] >= 0 and box["bottom"] <= 450, (title, box)
    page.close()
