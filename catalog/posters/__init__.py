"""Posters drawn by the site for movies without one: SVG from title, year and genres alone.

The same movie always gets the same poster. Its genre decides motif, colours and lettering; a hash of its title varies
them.
"""

import hashlib
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from catalog.posters import motifs
from catalog.posters.lettering import draw_title, printable
from catalog.posters.motifs import HEIGHT, WIDTH, Palette

__all__ = ["draw_poster"]


@dataclass(frozen=True)
class Theme:
    motif: Callable[[random.Random, Palette], list[str]]
    hues: tuple[int, ...]  # degrees on the colour wheel, one is chosen
    saturation: int = 55
    lightness: int = 34
    contrast: int = 150  # degrees from the hue to the light colour
    caps: bool = False

    def palette(self, rng: random.Random) -> Palette:
        hue = rng.choice(self.hues) + rng.randint(-12, 12)
        return Palette(
            top=_hsl(hue, self.saturation, self.lightness + 8),
            bottom=_hsl(hue + 28, self.saturation, max(self.lightness - 18, 8)),
            dark=_hsl(hue + 14, self.saturation, max(self.lightness - 20, 6)),
            middle=_hsl(hue - 16, self.saturation, self.lightness + 16),
            light=_hsl(_no_lime(hue + self.contrast), 64, 74),
        )


def _no_lime(hue: int) -> int:
    """Replaces yellowish greens, which clash with everything, by a warm gold."""
    return 46 if 58 <= hue % 360 <= 140 else hue


def _hsl(hue: int, saturation: int, lightness: int) -> str:
    return f"hsl({hue % 360},{saturation}%,{lightness}%)"


# Most telling genre first; the first one that a movie has decides.
THEMES = {
    "Film-Noir": Theme(motifs.blinds, (210, 230), saturation=12, lightness=26, contrast=190, caps=True),
    "Western": Theme(motifs.ridges, (18, 28), saturation=62, lightness=42, contrast=24, caps=True),
    "Horror": Theme(motifs.moon, (350, 260, 150), saturation=48, lightness=20, contrast=30, caps=True),
    "Musical": Theme(motifs.bars, (310, 285, 335), contrast=110),
    "Documentary": Theme(motifs.contours, (165, 195, 40), saturation=30, lightness=32, contrast=210),
    "Animation": Theme(motifs.tiles, (195, 160, 280, 20), saturation=60, lightness=44),
    "Sci-Fi": Theme(motifs.orbits, (225, 190, 265), saturation=58, lightness=26, contrast=170, caps=True),
    "Fantasy": Theme(motifs.arches, (265, 290, 180), contrast=140),
    "War": Theme(motifs.rays, (70, 30, 200), saturation=26, lightness=30, contrast=320, caps=True),
    "Mystery": Theme(motifs.blinds, (200, 175, 280), saturation=38, lightness=26, contrast=190),
    "Crime": Theme(motifs.blinds, (355, 215, 20), saturation=45, lightness=26, contrast=40, caps=True),
    "Romance": Theme(motifs.rings, (345, 10, 325), saturation=58, lightness=46, contrast=50),
    "Adventure": Theme(motifs.ridges, (150, 185, 205), saturation=46, lightness=38, contrast=230),
    "Thriller": Theme(motifs.rays, (240, 5, 190), saturation=44, lightness=26, contrast=150, caps=True),
    "Children": Theme(motifs.tiles, (45, 200, 100), saturation=62, lightness=46, contrast=180),
    "Action": Theme(motifs.rays, (14, 220, 30), saturation=66, lightness=38, contrast=34, caps=True),
    "Comedy": Theme(motifs.tiles, (35, 350, 175), saturation=62, lightness=46, contrast=160),
    "Drama": Theme(motifs.waves, (215, 25, 170, 330), saturation=40, lightness=34, contrast=190),
}
PLAIN = Theme(motifs.contours, (220, 30, 160, 290), saturation=28, lightness=30, contrast=180)
SYNONYMS = {
    "Science Fiction": "Sci-Fi",
    "Family": "Children",
    "Music": "Musical",
    "History": "Drama",
    "Children's": "Children",
}


def theme_for(genres: Sequence[str]) -> tuple[Theme, str]:
    """The theme of the most telling genre, and that genre's name as the movie has it."""
    by_name = {SYNONYMS.get(genre, genre): genre for genre in genres}
    for name, theme in THEMES.items():
        if name in by_name:
            return theme, by_name[name]
    return PLAIN, genres[0] if genres else ""


def draw_poster(*, title: str, year: int | None, genres: Sequence[str] = ()) -> str:
    theme, genre = theme_for(genres)
    seed = hashlib.sha256(f"{title}|{year}|{genre}".encode()).digest()
    rng = random.Random(seed)
    palette = theme.palette(rng)
    facts = " · ".join(printable(str(fact)) for fact in (genre, year) if fact)
    return "".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" ',
            f'width="{WIDTH}" height="{HEIGHT}">',
            _gradient("sky", palette.top, palette.bottom),
            '<linearGradient id="shade" x2="0" y2="1"><stop offset=".42" stop-opacity="0"/>'
            '<stop offset=".78" stop-opacity=".72"/><stop offset="1" stop-opacity=".9"/></linearGradient>',
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="url(#sky)"/>',
            *theme.motif(rng, palette),
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="url(#shade)"/>',
            *draw_title(title, facts, caps=theme.caps, accent=palette.light),
            "</svg>",
        ]
    )


def _gradient(name: str, top: str, bottom: str) -> str:
    return (
        f'<linearGradient id="{name}" x2=".25" y2="1"><stop stop-color="{top}"/>'
        f'<stop offset="1" stop-color="{bottom}"/></linearGradient>'
    )
