"""Draws SVG posters for movies without one. The same movie always gets the same poster.

Genre, decade and the words of the title determine the possible motifs. A hash of the movie chooses one. A poster
combines a layout, a scene or an emblem on a background, a palette and lettering.
"""

import random
from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import escape

from catalog.posters import scenes
from catalog.posters.lettering import Place, Style, draw_lines, draw_stacked, printable
from catalog.posters.looks import ART, EMBLEMS, PALETTES, Look, look_of, seeded, style_of, telling_genre
from catalog.posters.shapes import HEIGHT, WIDTH, Palette, X, Y, circle, fill, rect

FOOT = 428  # y coordinate of the line with genre and year


def draw_poster(*, title: str, year: int | None, genres: Sequence[str] = (), language: str = "") -> str:
    look = look_of(title=title, year=year, genres=genres, language=language)
    picture = _picture(look, seeded(title, year, genres, language))
    facts = " · ".join(printable(str(fact)) for fact in (telling_genre(genres), year) if fact)
    drawn = _LAYOUTS[look.layout](picture, PALETTES[look.palette], style_of(year), printable(title), facts)
    size = f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{drawn}</svg>'


def _picture(look: Look, rng: random.Random) -> str:
    """Returns the scene, or the emblem on its background, centred at (X, Y)."""
    palette = PALETTES[look.palette]
    mirrored = rng.random() < 0.5
    if look.picture not in EMBLEMS:
        return _art(look.picture, "scenes", rng, palette, mirrored)
    drawn = _art(look.ground, "grounds", rng, palette, mirrored)
    if rng.random() < 0.4:
        drawn += circle(X, Y, 106, fill(palette.light))
        palette = palette.on_light()
    size = rng.choice((0.85, 0.95, 1.05))
    side = "-" if mirrored else ""
    emblem = EMBLEMS[look.picture]["svg"].format_map(_colours(palette))
    return f'{drawn}<g transform="translate({X} {Y}) scale({side}{size} {size})">{emblem}</g>'


def _art(name: str, kind: str, rng: random.Random, palette: Palette, mirrored: bool) -> str:
    if name not in ART[kind]:
        return "".join(getattr(scenes, name)(rng, palette))
    art = str(ART[kind][name]).format_map(_colours(palette))
    return f'<g transform="translate({WIDTH}) scale(-1 1)">{art}</g>' if mirrored else art


def _colours(p: Palette) -> dict[str, str]:
    return {"a": p.light, "m": p.middle, "d": p.dark, "g": p.ground, "b": p.second, "s": p.ink}


# --- Layouts: positions of picture and title ---


def _sheet(palette: Palette) -> str:
    return rect(0, 0, WIDTH, HEIGHT, fill(palette.ground))


def _facts(facts: str, x: float, y: float, colour: str, centred: bool = False) -> str:
    anchor = ' text-anchor="middle"' if centred else ""
    return (
        f'<text x="{x}" y="{y}" fill="{colour}" font-size="13" letter-spacing=".6" '
        f'font-family="system-ui,sans-serif"{anchor}>{escape(facts)}</text>'
        if facts
        else ""
    )


def _shade(palette: Palette, top: float = 0.45) -> str:
    colour = palette.shade[0]
    return (
        f'<linearGradient id="s" x2="0" y2="1"><stop offset="{top}" stop-color="{colour}" stop-opacity="0"/>'
        f'<stop offset=".8" stop-color="{colour}" stop-opacity=".9"/></linearGradient>'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="url(#s)"/>'
    )


def _haze(palette: Palette, end: float) -> str:
    """Returns a gradient in the background's colour over the upper part, so that a title there is legible."""
    return (
        f'<linearGradient id="h" x2="0" y2="1"><stop offset=".6" stop-color="{palette.ground}" stop-opacity=".9"/>'
        f'<stop offset="1" stop-color="{palette.ground}" stop-opacity="0"/></linearGradient>'
        f'<rect width="{WIDTH}" height="{end:.0f}" fill="url(#h)"/>'
    )


def _full(picture: str, p: Palette, style: Style, title: str, facts: str) -> str:
    ink = p.shade[1]
    drawn, top = draw_lines(title, style, Place(24, 400, 252, 128, rises=True), ink)
    rule = rect(24, top - 8, 34, 4, fill(p.light))
    return f"{_sheet(p)}{picture}{_shade(p)}{rule}{drawn}{_facts(facts, 24, FOOT, ink)}"


def _frame(picture: str, p: Palette, style: Style, title: str, facts: str) -> str:
    ink = p.shade[1]
    drawn, _ = draw_lines(title, style, Place(150, 396, 236, 128, centred=True, rises=True), ink)
    line = f'<path d="M13 13H287V437H13z" fill="none" stroke="{ink}" stroke-width="2" opacity=".85"/>'
    return f"{_sheet(p)}{picture}{_shade(p)}{line}{drawn}{_facts(facts, 150, 420, ink, centred=True)}"


def _head(picture: str, p: Palette, style: Style, title: str, facts: str) -> str:
    drawn, end = draw_lines(title, style, Place(24, 28, 252, 124), p.ink)
    moved = f'<g transform="translate(0 124)">{picture}</g>'
    return f"{_sheet(p)}{moved}{_haze(p, 190)}{drawn}{_facts(facts, 24, end + 24, p.ink)}"


def _plate(picture: str, p: Palette, style: Style, title: str, facts: str) -> str:
    drawn, _ = draw_lines(title, style, Place(24, 328, 252, 80), p.ground)
    plate = rect(0, 306, WIDTH, 144, fill(p.ink))
    return f'{_sheet(p)}<g transform="translate(0 -18)">{picture}</g>{plate}{drawn}{_facts(facts, 24, FOOT, p.ground)}'


def _windowed(outline: str, picture: str, p: Palette, style: Style, title: str, facts: str) -> str:
    drawn, _ = draw_lines(title, style, Place(150, 336, 248, 76, centred=True), p.ink)
    return (
        f'{_sheet(p)}<clipPath id="w"><path d="{outline}"/></clipPath><path d="{outline}" fill="{p.second}"/>'
        f'<g clip-path="url(#w)">{picture}</g>{drawn}{_facts(facts, 150, FOOT, p.ink, centred=True)}'
    )


def _strip(picture: str, p: Palette, style: Style, title: str, facts: str) -> str:
    drawn, _ = draw_lines(title, style, Place(-FOOT, 10, 404, 46), "#fff")
    strip = rect(0, 0, 78, HEIGHT, fill(p.dark))
    moved = f'<g transform="translate(40 40)">{picture}</g>'
    return f'{_sheet(p)}{moved}{strip}<g transform="rotate(-90)">{drawn}{_facts(facts, -FOOT, 69, "#fff")}</g>'


def _giant(picture: str, p: Palette, style: Style, title: str, facts: str) -> str:
    drawn, end = draw_stacked(title, style, Place(22, 22, 256, 220), p.ink)
    moved = f'<g transform="translate(0 {max(70, end - 30):.0f})">{picture}</g>'
    return f"{_sheet(p)}{moved}{_haze(p, end + 40)}{drawn}{_shade(p, 0.72)}{_facts(facts, 24, FOOT, p.shade[1])}"


def _porthole(*parts: Any) -> str:
    return _windowed("M26 175a124 124 0 0 1 248 0 124 124 0 0 1-248 0z", *parts)


def _arch(*parts: Any) -> str:
    return _windowed("M38 312V140a112 112 0 0 1 224 0V312z", *parts)


def _inset(*parts: Any) -> str:
    return _windowed("M24 24H276V312H24z", *parts)


_LAYOUTS = {
    "full": _full,
    "frame": _frame,
    "head": _head,
    "plate": _plate,
    "porthole": _porthole,
    "arch": _arch,
    "inset": _inset,
    "strip": _strip,
    "giant": _giant,
}
