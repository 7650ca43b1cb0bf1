"""Draws titles in the lettering of their decade, sized to fit the layout."""

from collections.abc import Iterable
from dataclasses import dataclass
from xml.sax.saxutils import escape

_NARROW, _WIDE = set("iljtfrI.,:;'!|()[] "), set("mwMW@%—")


@dataclass(frozen=True)
class Style:
    """The lettering of a decade. `themes.toml` explains the fields."""

    font: str
    weight: int
    caps: bool = False
    lower: bool = False
    italic: bool = False
    spacing: int = 0
    wide: float = 1.0

    def cased(self, title: str) -> str:
        return title.upper() if self.caps else title.lower() if self.lower else title

    def attributes(self, size: float) -> str:
        parts = [f'font-family="{self.font}" font-weight="{self.weight}" font-size="{size:g}"']
        parts += ['font-style="italic"'] if self.italic else []
        parts += [f'letter-spacing="{self.spacing * size / 1000:.2g}"'] if self.spacing else []
        return " ".join(parts)

    def width(self, text: str, size: float) -> float:
        return size * self.wide * sum(_share(letter) for letter in text) + len(text) * self.spacing * size / 1000


@dataclass(frozen=True)
class Place:
    """The space for the title. `y` is the top of the first line, or the bottom of the last line if `rises` is set."""

    x: float
    y: float
    width: float
    height: float
    centred: bool = False
    rises: bool = False


def fit(text: str, style: Style, place: Place) -> tuple[float, list[str]]:
    """Returns the largest size at which `text` fits the place, and its lines. Truncates it at the smallest size."""
    for size in (52, 46, 41, 36, 32, 28, 25, 22, 19.5, 17.5):
        lines = _wrapped(text.split(), " ", style, size, place.width)
        if len(lines) * size * 1.06 <= place.height and all(style.width(line, size) <= place.width for line in lines):
            return size, lines
    lines = [piece for line in lines for piece in _wrapped(line, "", style, size, place.width)]
    most = max(1, int(place.height / (size * 1.06)))
    if len(lines) > most:
        lines = lines[:most]
        while lines[-1] and style.width(lines[-1] + "…", size) > place.width:
            lines[-1] = lines[-1][:-1]
        lines[-1] += "…"
    return size, lines


def draw_lines(text: str, style: Style, place: Place, colour: str) -> tuple[str, float]:
    """Returns the title's text elements, and the y coordinate of their end (or of their start if `rises` is set)."""
    size, lines = fit(style.cased(text), style, place)
    step = size * 1.06
    first = place.y - (len(lines) - 1) * step if place.rises else place.y + size * 0.8
    anchor = ' text-anchor="middle"' if place.centred else ""
    drawn = "".join(
        f'<text x="{place.x:g}" y="{first + number * step:.0f}">{escape(line)}</text>'
        for number, line in enumerate(lines)
    )
    end = first - size if place.rises else first + (len(lines) - 1) * step
    return f'<g fill="{colour}" {style.attributes(size)}{anchor}>{drawn}</g>', end


def draw_stacked(text: str, style: Style, place: Place, colour: str) -> tuple[str, float]:
    """Draws each line at the full width of the place in any font, and stacks the lines."""
    lines = _balanced(style.cased(text).split())
    sizes = [min(96, 0.97 * place.width / style.width(line, 1)) for line in lines]
    scale = min(1, place.height / (sum(size * 0.92 for size in sizes) or 1))
    drawn, y = "", place.y
    for line, size in zip(lines, sizes, strict=True):
        size *= scale
        y += size * 0.86
        length = min(place.width, style.width(line, size))
        drawn += f'<text x="{place.x:g}" y="{y:.0f}" {style.attributes(round(size, 1))} '
        drawn += f'textLength="{length:.0f}" lengthAdjust="spacingAndGlyphs">{escape(line)}</text>'
        y += size * 0.06
    return f'<g fill="{colour}">{drawn}</g>', y


def _balanced(words: list[str]) -> list[str]:
    """Splits words into one to four lines. Avoids lines as short as "of the"."""
    lines: list[str] = []
    for word in words:
        if lines and (len(lines[-1]) < 4 or len(lines[-1]) + len(word) < 8):
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    while len(lines) > 4:
        at = min(range(len(lines) - 1), key=lambda index: len(lines[index]) + len(lines[index + 1]))
        lines[at : at + 2] = [f"{lines[at]} {lines[at + 1]}"]
    if len(lines) > 1 and len(lines[-1]) < 3:
        lines[-2:] = [f"{lines[-2]} {lines[-1]}"]
    return lines


def printable(text: str) -> str:
    """Removes characters that are invisible or not valid in XML."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def _wrapped(parts: Iterable[str], glue: str, style: Style, size: float, width: float) -> list[str]:
    """Joins as many parts per line as fit, but at least one."""
    lines: list[str] = []
    for part in parts:
        if lines and style.width(lines[-1] + glue + part, size) <= width:
            lines[-1] += glue + part
        else:
            lines.append(part)
    return lines


def _share(letter: str) -> float:
    """Estimates the width of a bold letter in ems, for the widest font that browsers may use (DejaVu)."""
    if letter in _NARROW:
        return 0.42
    if letter in _WIDE:
        return 1.1
    if ord(letter) >= 0x2E80:  # full-width East Asian characters
        return 1.02
    return 0.82 if letter.isupper() else 0.66
