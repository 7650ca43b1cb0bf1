"""Posters drawn by the site itself, for movies without one: SVG from title, year and genres alone.

The same movie always gets the same poster. The genre decides motif, colours and lettering, the title's hash
varies them.
"""

import hashlib
import random
from collections.abc import Sequence

from catalog.posters.lettering import draw_title, printable
from catalog.posters.looks import look_of
from catalog.posters.motifs import HEIGHT, WIDTH

__all__ = ["draw_poster"]


def draw_poster(*, title: str, year: int | None, genres: Sequence[str] = ()) -> str:
    look, genre = look_of(genres)
    seed = hashlib.sha256(f"{title}|{year}|{genre}".encode()).digest()
    rng = random.Random(seed)
    palette = look.palette(rng)
    facts = " · ".join(printable(str(fact)) for fact in (genre, year) if fact)
    return "".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" ',
            f'width="{WIDTH}" height="{HEIGHT}">',
            _gradient("sky", palette.top, palette.bottom),
            '<linearGradient id="shade" x2="0" y2="1"><stop offset=".42" stop-opacity="0"/>'
            '<stop offset=".78" stop-opacity=".72"/><stop offset="1" stop-opacity=".9"/></linearGradient>',
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="url(#sky)"/>',
            *look.motif(rng, palette),
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="url(#shade)"/>',
            *draw_title(title, facts, caps=look.caps, accent=palette.light),
            "</svg>",
        ]
    )


def _gradient(name: str, top: str, bottom: str) -> str:
    return (
        f'<linearGradient id="{name}" x2=".25" y2="1"><stop stop-color="{top}"/>'
        f'<stop offset="1" stop-color="{bottom}"/></linearGradient>'
    )
