"""What each genre looks like: its motif, its range of colours, its lettering."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from catalog.posters import motifs
from catalog.posters.motifs import Palette


@dataclass(frozen=True)
class Look:
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
    """Yellowish greens glare beside any other colour: warm gold instead."""
    return 46 if 58 <= hue % 360 <= 140 else hue


def _hsl(hue: int, saturation: int, lightness: int) -> str:
    return f"hsl({hue % 360},{saturation}%,{lightness}%)"


# In order of how much a genre says about a movie: the first one a movie has decides.
LOOKS = {
    "Film-Noir": Look(motifs.blinds, (210, 230), saturation=12, lightness=26, contrast=190, caps=True),
    "Western": Look(motifs.ridges, (18, 28), saturation=62, lightness=42, contrast=24, caps=True),
    "Horror": Look(motifs.moon, (350, 260, 150), saturation=48, lightness=20, contrast=30, caps=True),
    "Musical": Look(motifs.bars, (310, 285, 335), contrast=110),
    "Documentary": Look(motifs.contours, (165, 195, 40), saturation=30, lightness=32, contrast=210),
    "Animation": Look(motifs.tiles, (195, 160, 280, 20), saturation=60, lightness=44),
    "Sci-Fi": Look(motifs.orbits, (225, 190, 265), saturation=58, lightness=26, contrast=170, caps=True),
    "Fantasy": Look(motifs.arches, (265, 290, 180), contrast=140),
    "War": Look(motifs.rays, (70, 30, 200), saturation=26, lightness=30, contrast=320, caps=True),
    "Mystery": Look(motifs.blinds, (200, 175, 280), saturation=38, lightness=26, contrast=190),
    "Crime": Look(motifs.blinds, (355, 215, 20), saturation=45, lightness=26, contrast=40, caps=True),
    "Romance": Look(motifs.rings, (345, 10, 325), saturation=58, lightness=46, contrast=50),
    "Adventure": Look(motifs.ridges, (150, 185, 205), saturation=46, lightness=38, contrast=230),
    "Thriller": Look(motifs.rays, (240, 5, 190), saturation=44, lightness=26, contrast=150, caps=True),
    "Children": Look(motifs.tiles, (45, 200, 100), saturation=62, lightness=46, contrast=180),
    "Action": Look(motifs.rays, (14, 220, 30), saturation=66, lightness=38, contrast=34, caps=True),
    "Comedy": Look(motifs.tiles, (35, 350, 175), saturation=62, lightness=46, contrast=160),
    "Drama": Look(motifs.waves, (215, 25, 170, 330), saturation=40, lightness=34, contrast=190),
}
PLAIN = Look(motifs.contours, (220, 30, 160, 290), saturation=28, lightness=30, contrast=180)
SYNONYMS = {
    "Science Fiction": "Sci-Fi",
    "Family": "Children",
    "Music": "Musical",
    "History": "Drama",
    "Children's": "Children",
}


def look_of(genres: Sequence[str]) -> tuple[Look, str]:
    """The look of the genre that says most, and that genre by the name the movie has it under."""
    by_look = {SYNONYMS.get(genre, genre): genre for genre in genres}
    for name, look in LOOKS.items():
        if name in by_look:
            return look, by_look[name]
    return PLAIN, genres[0] if genres else ""
