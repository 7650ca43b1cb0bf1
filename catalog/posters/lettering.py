"""The title on a poster, as large as fits."""

from xml.sax.saxutils import escape

from catalog.posters.motifs import HEIGHT, WIDTH

MARGIN = 24
SIZES = (44, 38, 33, 29, 25, 22, 19)
MAX_LINES = 4
_NARROW, _WIDE = set("iljtfrI.,:;'!|()[] "), set("mwMW@%—")
_SANS = "'Avenir Next Condensed','Liberation Sans Narrow','Arial Narrow','Helvetica Neue',Arial,sans-serif"
_SERIF = "'Iowan Old Style',Palatino,Georgia,'Liberation Serif','Times New Roman',serif"
_FONTS = {
    True: f'font-family="{_SANS}" font-weight="700" letter-spacing="1"',
    False: f'font-family="{_SERIF}" font-weight="600"',
}


def draw_title(title: str, facts: str, *, caps: bool, accent: str) -> list[str]:
    """Draws the title from the bottom up, with genre and year below it."""
    text = printable(title)
    size, lines = fit(text.upper() if caps else text)
    last = HEIGHT - MAX_LINES * 13
    first = last - (len(lines) - 1) * size * 1.08
    drawn = [
        f'<rect x="{MARGIN}" y="{first - size * 1.08:.0f}" width="34" height="4" rx="2" fill="{accent}"/>',
        f'<g fill="#fff" font-size="{size}" {_FONTS[caps]}>',
        *(
            f'<text x="{MARGIN}" y="{first + number * size * 1.08:.0f}">{escape(line)}</text>'
            for number, line in enumerate(lines)
        ),
        "</g>",
    ]
    if facts:
        drawn.append(
            f'<text x="{MARGIN}" y="{HEIGHT - 26}" fill="{accent}" font-size="14" letter-spacing=".6" '
            f'font-family="system-ui,sans-serif">{escape(facts)}</text>'
        )
    return drawn


def fit(text: str) -> tuple[int, list[str]]:
    """The largest size at which `text` fits into MAX_LINES lines; the smallest size truncates it."""
    for size in SIZES:
        lines = _wrapped(text, size)
        if len(lines) <= (MAX_LINES if size <= 29 else MAX_LINES - 1) and all(
            _width(line, size) <= WIDTH - 2 * MARGIN for line in lines
        ):
            return size, lines
    size = SIZES[-1]
    lines = [piece for line in _wrapped(text, size) for piece in _pieces(line, size)]
    if len(lines) > MAX_LINES:
        lines = lines[:MAX_LINES]
        while _width(lines[-1] + "…", size) > WIDTH - 2 * MARGIN:
            lines[-1] = lines[-1][:-1]
        lines[-1] += "…"
    return size, lines


def printable(text: str) -> str:
    """Removes characters that XML forbids or that are invisible."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def _wrapped(text: str, size: int) -> list[str]:
    lines: list[str] = []
    for word in text.split():
        if lines and _width(f"{lines[-1]} {word}", size) <= WIDTH - 2 * MARGIN:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def _pieces(word: str, size: int) -> list[str]:
    pieces = [""]
    for letter in word:
        if _width(pieces[-1] + letter, size) > WIDTH - 2 * MARGIN:
            pieces.append("")
        pieces[-1] += letter
    return pieces


def _width(text: str, size: int) -> float:
    return size * sum(_share(letter) for letter in text)


def _share(letter: str) -> float:
    """Estimated width of a letter in ems, slightly generous."""
    if letter in _NARROW:
        return 0.34
    if letter in _WIDE:
        return 0.92
    if ord(letter) >= 0x2E80:  # full-width East Asian characters
        return 1.02
    return 0.7 if letter.isupper() else 0.53
