"""Motifs: each function draws one as SVG elements, from back to front, varied by a random generator."""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass

WIDTH, HEIGHT = 300, 450


@dataclass(frozen=True)
class Palette:
    top: str
    bottom: str
    dark: str
    middle: str
    light: str


def _circle(x: float, y: float, radius: float, paint: str) -> str:
    return f'<circle cx="{x:.0f}" cy="{y:.0f}" r="{radius:.1f}" {paint}/>'


def _polygon(points: list[tuple[float, float]], paint: str) -> str:
    return f'<polygon points="{" ".join(f"{x:.0f},{y:.0f}" for x, y in points)}" {paint}/>'


def rays(rng: random.Random, palette: Palette) -> Iterator[str]:
    """Beams from one point, a disc in front."""
    x, y, beams = rng.randint(90, 210), rng.randint(130, 210), rng.choice((9, 11, 13, 16))
    turn = rng.random()
    for beam in range(beams):
        angles = [2 * math.pi * (beam + turn + side) / beams for side in (0, 0.5)]
        ends = [(x + 600 * math.cos(angle), y + 600 * math.sin(angle)) for angle in angles]
        yield _polygon([(x, y), *ends], f'fill="{palette.middle}" opacity=".42"')
    radius = rng.randint(46, 74)
    yield _circle(x, y, radius, f'fill="{palette.light}"')
    yield _circle(x + radius * 0.32, y - radius * 0.12, radius * 0.86, f'fill="{palette.dark}"')


def orbits(rng: random.Random, palette: Palette) -> Iterator[str]:
    """A planet with rings among stars."""
    x, y, radius, tilt = rng.randint(105, 195), rng.randint(135, 195), rng.randint(48, 72), rng.randint(-35, 35)
    for _ in range(46):
        star = rng.randint(0, WIDTH), rng.randint(0, 330), rng.choice((0.8, 1.2, 1.9))
        yield _circle(*star, 'fill="#fff" opacity=".75"')
    yield _circle(x, y, radius, f'fill="{palette.middle}"')
    yield _circle(x - radius * 0.3, y - radius * 0.25, radius * 0.62, f'fill="{palette.light}" opacity=".5"')
    for ring in range(rng.randint(2, 4)):
        wide = radius * (1.5 + 0.32 * ring)
        yield (
            f'<ellipse cx="{x}" cy="{y}" rx="{wide:.0f}" ry="{wide * 0.3:.0f}" fill="none" stroke="{palette.light}" '
            f'stroke-width="{3.2 - 0.7 * ring:.1f}" opacity="{0.9 - 0.18 * ring:.2f}" '
            f'transform="rotate({tilt} {x} {y})"/>'
        )


def ridges(rng: random.Random, palette: Palette) -> Iterator[str]:
    """Mountains behind mountains, under a low sun."""
    yield _circle(rng.randint(70, 230), rng.randint(110, 165), rng.randint(38, 58), f'fill="{palette.light}"')
    for layer, base in enumerate((200, 255, 315)):
        points: list[tuple[float, float]] = [(0, HEIGHT), (0, base + rng.randint(-20, 30))]
        x = 0
        while x < WIDTH:
            x += rng.randint(34, 74)
            points.append((x, base + rng.randint(-46, 30)))
        points.append((max(x, WIDTH), HEIGHT))
        paint = palette.middle if layer == 0 else palette.dark
        yield _polygon(points, f'fill="{paint}" opacity="{(0.55, 0.6, 0.9)[layer]}"')


def waves(rng: random.Random, palette: Palette) -> Iterator[str]:
    """A still disc above water."""
    x, radius = rng.randint(90, 210), rng.randint(48, 78)
    yield _circle(x, 165, radius, f'fill="{palette.light}" opacity=".92"')
    for layer in range(5):
        base, swing, phase = 190 + 34 * layer, rng.uniform(7, 17), rng.uniform(0, 6)
        length = rng.uniform(38, 62)
        crest = " ".join(f"{at},{base + swing * math.sin(at / length + phase):.1f}" for at in range(0, WIDTH + 1, 12))
        yield (
            f'<polygon points="0,{HEIGHT} {crest} {WIDTH},{HEIGHT}" '
            f'fill="{palette.middle if layer % 2 else palette.dark}" opacity=".5"/>'
        )


def rings(rng: random.Random, palette: Palette) -> Iterator[str]:
    """Two circles that meet."""
    radius, gap, y = rng.randint(62, 84), rng.randint(34, 52), rng.randint(150, 185)
    turn = rng.randint(-40, 40)
    yield f'<g transform="rotate({turn} 150 {y})">'
    yield _circle(150 - gap, y, radius, f'fill="{palette.light}" opacity=".85"')
    yield _circle(150 + gap, y, radius, f'fill="{palette.middle}" opacity=".8"')
    for ring in range(1, 4):
        for side in (-gap, gap):
            paint = f'fill="none" stroke="{palette.light}" opacity="{0.42 - 0.1 * ring:.2f}"'
            yield _circle(150 + side, y, radius + 17 * ring, paint)
    yield "</g>"


def blinds(rng: random.Random, palette: Palette) -> Iterator[str]:
    """Lamp light through slats."""
    x, y, slope = rng.randint(80, 220), rng.randint(120, 190), rng.choice((-24, -16, 16, 24))
    for radius, opacity in ((150, 0.1), (104, 0.18), (62, 0.88)):
        yield _circle(x, y, radius, f'fill="{palette.light}" opacity="{opacity}"')
    step = rng.choice((24, 28, 34))
    yield f'<g transform="rotate({slope} 150 225)">'
    for top in range(-140, HEIGHT + 140, step):
        yield f'<rect x="-120" y="{top}" width="540" height="{step * 0.52:.0f}" fill="{palette.dark}" opacity=".8"/>'
    yield "</g>"


def moon(rng: random.Random, palette: Palette) -> Iterator[str]:
    """A moon behind bare trees."""
    x, y, radius = rng.randint(95, 205), rng.randint(120, 165), rng.randint(60, 88)
    yield _circle(x, y, radius + 30, f'fill="{palette.light}" opacity=".12"')
    yield _circle(x, y, radius, f'fill="{palette.light}" opacity=".9"')
    for _ in range(rng.randint(6, 8)):
        yield from _tree(rng, rng.randint(-10, WIDTH + 10), rng.randint(60, 200))


def _tree(rng: random.Random, foot: int, top: int) -> Iterator[str]:
    lean = rng.randint(-22, 22)
    yield _polygon([(foot - 7, HEIGHT), (foot + lean, top), (foot + 7, HEIGHT)], 'fill="#08080a"')
    for _ in range(rng.randint(3, 5)):
        share = rng.uniform(0.25, 0.8)
        x, y = foot + lean * (1 - share), top + (HEIGHT - top) * share
        reach = rng.choice((-1, 1)) * rng.randint(24, 56)
        points = [(x, y), (x + reach, y - rng.randint(28, 64)), (x, y - 7)]
        yield _polygon(points, 'fill="#08080a"')


def tiles(rng: random.Random, palette: Palette) -> Iterator[str]:
    """Quarter circles, discs and triangles on a grid."""
    size = rng.choice((60, 75, 100))
    for row in range(300 // size):
        for column in range(WIDTH // size):
            x, y, turn = column * size, row * size, rng.choice((0, 90, 180, 270))
            fill = f'fill="{rng.choice((palette.light, palette.middle, palette.dark, "none"))}"'
            yield rng.choice(
                (
                    f'<path d="M{x},{y}h{size}a{size},{size} 0 0 1 {-size},{size}z" {fill} '
                    f'transform="rotate({turn} {x + size / 2:g} {y + size / 2:g})"/>',
                    _circle(x + size / 2, y + size / 2, size * 0.34, fill),
                    _polygon([(x, y), (x + size, y), (x, y + size)], fill),
                )
            )


def arches(rng: random.Random, palette: Palette) -> Iterator[str]:
    """A gate within a gate, with sparks above."""
    x, foot = rng.randint(120, 180), rng.randint(300, 340)
    for step in range(6):
        half = 118 - 19 * step
        paint, opacity = ((palette.middle, palette.dark)[step % 2], 0.5) if step < 5 else (palette.light, 0.95)
        yield (
            f'<path d="M{x - half},{HEIGHT}V{foot - 96 + 12 * step}'
            f'a{half},{half * 1.25:.0f} 0 0 1 {2 * half},0V{HEIGHT}z" fill="{paint}" opacity="{opacity}"/>'
        )
    for _ in range(26):
        yield _circle(rng.randint(10, 290), rng.randint(10, 150), rng.uniform(0.8, 2.4), f'fill="{palette.light}"')


def bars(rng: random.Random, palette: Palette) -> Iterator[str]:
    """Sound, as bars that rise and fall."""
    count = rng.choice((9, 11, 13))
    wide = WIDTH / (count + 1)
    swing, phase = rng.uniform(0.5, 0.9), rng.uniform(0, 6)
    for number in range(count):
        high = 70 + 120 * abs(math.sin(number * swing + phase)) + rng.randint(0, 30)
        fill = palette.light if number % 3 else palette.middle
        yield (
            f'<rect x="{wide * (number + 0.68):.1f}" y="{180 - high / 2:.0f}" width="{wide * 0.62:.1f}" '
            f'height="{high:.0f}" rx="{wide * 0.31:.1f}" fill="{fill}" opacity=".9"/>'
        )


def contours(rng: random.Random, palette: Palette) -> Iterator[str]:
    """Contour lines of a map."""
    x, y = rng.randint(80, 220), rng.randint(110, 210)
    lobes, swing, phase = rng.randint(2, 4), rng.uniform(0.1, 0.2), rng.uniform(0, 6)
    for line in range(13):
        points = []
        for step in range(48):
            angle = 2 * math.pi * step / 48
            reach = (14 + 19 * line) * (1 + swing * math.sin(lobes * angle + phase + line * 0.16))
            points.append((x + reach * math.cos(angle), y + reach * math.sin(angle)))
        fill = f'fill="{palette.light}"' if line == 0 else 'fill="none"'
        yield (
            _polygon(points, f'{fill} stroke="{palette.light}" stroke-width="1.6" opacity="{0.95 - line * 0.06:.2f}"')
        )
