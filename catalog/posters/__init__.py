"""Posters drawn by the site for movies without one: SVG from title, year and genres alone.

The same movie always gets the same poster. Its genre decides motif, colours and lettering; a hash of its title varies
them.
"""

import hashlib
import random
import tomllib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from catalog.posters import motifs
from catalog.posters.motifs import HEIGHT, WIDTH, Palette

MARGIN = 24
SIZES = (44, 38, 33, 29, 25, 22, 19)
MAX_LINES = 4
LETTER_SPACING = 1  # of capitals
_NARROW, _WIDE = set("iljtfrI.,:;'!|()[] "), set("mwMW@%—")
_SANS = "'Avenir Next Condensed','Liberation Sans Narrow','Arial Narrow','Helvetica Neue',Arial,sans-serif"
_SERIF = "'Iowan Old Style',Palatino,Georgia,'Liberation Serif','Times New Roman',serif"
_FONTS = {
    True: f'font-family="{_SANS}" font-weight="700" letter-spacing="{LETTER_SPACING}"',
    False: f'font-family="{_SERIF}" font-weight="600"',
}


@dataclass(frozen=True)
class Theme:
    """The look of a genre, as `themes.toml` explains it."""

    motif: Callable[[random.Random, Palette], Iterator[str]]
    hues: tuple[int, ...]
    saturation: int = 55
    lightness: int = 34
    contrast: int = 150
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


def _theme(motif: str, hues: list[int], **options: Any) -> Theme:
    return Theme(getattr(motifs, motif), tuple(hues), **options)


_LOOKS: dict[str, Any] = tomllib.loads(Path(__file__).with_name("themes.toml").read_text(encoding="utf-8"))
THEMES = {name: _theme(**look) for name, look in _LOOKS["genres"].items()}
PLAIN = _theme(**_LOOKS["plain"])


def theme_for(genres: Sequence[str]) -> tuple[Theme, str]:
    """The theme of the most telling genre, and that genre's name as the movie has it."""
    by_name = {_LOOKS["synonyms"].get(genre, genre): genre for genre in genres}
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
            f'<linearGradient id="sky" x2=".25" y2="1"><stop stop-color="{palette.top}"/>',
            f'<stop offset="1" stop-color="{palette.bottom}"/></linearGradient>',
            '<linearGradient id="shade" x2="0" y2="1"><stop offset=".42" stop-opacity="0"/>',
            '<stop offset=".78" stop-opacity=".72"/><stop offset="1" stop-opacity=".9"/></linearGradient>',
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="url(#sky)"/>',
            *theme.motif(rng, palette),
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="url(#shade)"/>',
            *_draw_title(title, facts, caps=theme.caps, accent=palette.light),
            "</svg>",
        ]
    )


def _draw_title(title: str, facts: str, *, caps: bool, accent: str) -> Iterator[str]:
    """Draws the title from the bottom up, with genre and year below it."""
    text = printable(title)
    size, lines = fit(text.upper() if caps else text)
    last = HEIGHT - MAX_LINES * 13
    first = last - (len(lines) - 1) * size * 1.08
    yield f'<rect x="{MARGIN}" y="{first - size * 1.08:.0f}" width="34" height="4" rx="2" fill="{accent}"/>'
    yield f'<g fill="#fff" font-size="{size}" {_FONTS[caps]}>'
    for number, line in enumerate(lines):
        yield f'<text x="{MARGIN}" y="{first + number * size * 1.08:.0f}">{escape(line)}</text>'
    yield "</g>"
    if facts:
        yield f'<text x="{MARGIN}" y="{HEIGHT - 26}" fill="{accent}" font-size="14" letter-spacing=".6" '
        yield f'font-family="system-ui,sans-serif">{escape(facts)}</text>'


def fit(text: str) -> tuple[int, list[str]]:
    """The largest size at which `text` fits into MAX_LINES lines; the smallest size truncates it."""
    for size in SIZES:
        lines = _wrapped(text.split(), " ", size)
        most = MAX_LINES if size <= 29 else MAX_LINES - 1
        if len(lines) <= most and all(_fits(line, size) for line in lines):
            return size, lines
    size = SIZES[-1]
    lines = [piece for line in _wrapped(text.split(), " ", size) for piece in _wrapped(line, "", size)]
    if len(lines) > MAX_LINES:
        lines = lines[:MAX_LINES]
        while not _fits(lines[-1] + "…", size):
            lines[-1] = lines[-1][:-1]
        lines[-1] += "…"
    return size, lines


def printable(text: str) -> str:
    """Removes characters that XML forbids or that are invisible."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def _wrapped(parts: Iterable[str], glue: str, size: int) -> list[str]:
    """Lines of as many parts as fit, at least one."""
    lines: list[str] = []
    for part in parts:
        if lines and _fits(lines[-1] + glue + part, size):
            lines[-1] += glue + part
        else:
            lines.append(part)
    return lines


def _fits(text: str, size: int) -> bool:
    return size * sum(_share(letter) for letter in text) + len(text) * LETTER_SPACING <= WIDTH - 2 * MARGIN


def _share(letter: str) -> float:
    """Estimated width of a bold letter in ems, in the widest of the fonts that browsers may choose (DejaVu)."""
    if letter in _NARROW:
        return 0.42
    if letter in _WIDE:
        return 1.1
    if ord(letter) >= 0x2E80:  # full-width East Asian characters
        return 1.02
    return 0.82 if letter.isupper() else 0.66
