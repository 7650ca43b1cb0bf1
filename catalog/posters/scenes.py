"""Generated pictures of posters: complete scenes, and quiet backgrounds for an emblem.

Each function yields SVG elements from back to front, varied by a random generator, with the point of interest near (X,
Y). Pictures that never vary are in art.toml.
"""

import math
import random
from collections.abc import Iterator

from catalog.posters.shapes import HEIGHT, WIDTH, Palette, Points, X, Y, circle, fill, polygon

# --- Backgrounds for emblems ---


def rays(rng: random.Random, p: Palette) -> Iterator[str]:
    beams, turn = rng.choice((9, 12, 16)), rng.random()
    path = ""
    for beam in range(beams):
        angles = [2 * math.pi * (beam + turn + side) / beams for side in (0, 0.5)]
        path += f"M{X},{Y}" + "".join(f"L{X + 600 * math.cos(a):.0f},{Y + 600 * math.sin(a):.0f}" for a in angles)
    yield f'<path d="{path}" {fill(p.second)}/>'


def stripes(rng: random.Random, p: Palette) -> Iterator[str]:
    wide, turn = rng.choice((14, 22, 34)), rng.choice((0, 90, 45, -45, 20))
    bars = "".join(f"M-250,{at}h800v{wide}h-800z" for at in range(-250, 700, 2 * wide))
    yield f'<path d="{bars}" {fill(p.second)} transform="rotate({turn} 150 225)"/>'


def dots(rng: random.Random, p: Palette) -> Iterator[str]:
    """A halftone: dots that shrink from one edge to the other."""
    grows = rng.random() < 0.5
    for row in range(-5, 19):
        size = 3 + 1.1 * (row + 5 if grows else 18 - row)
        places = "".join(f"M{x},{row * 25}h0" for x in range(row % 2 * 12, 320, 25))
        yield f'<path d="{places}" stroke="{p.second}" stroke-width="{size:.1f}" stroke-linecap="round"/>'


def blinds(rng: random.Random, p: Palette) -> Iterator[str]:
    step, slope = rng.choice((24, 30)), rng.choice((-22, -14, 14, 22))
    bars = "".join(f"M-140,{top}h580v{step * 0.55:.0f}h-580z" for top in range(-140, 590, step))
    yield circle(X, Y, 150, fill(p.second))
    yield f'<path d="{bars}" {fill(p.dark, 0.35)} transform="rotate({slope} 150 225)"/>'


def tiles(rng: random.Random, p: Palette) -> Iterator[str]:
    """Quarter circles on a grid."""
    size, path = rng.choice((60, 75)), ""
    for row in range(-2, 450 // size + 1):
        for column in range(300 // size):
            x, y = column * size, row * size
            path += rng.choice(
                (
                    f"M{x},{y}h{size}a{size},{size} 0 0 1 {-size},{size}z",
                    f"M{x + size},{y}v{size}a{size},{size} 0 0 1 {-size},{-size}z",
                    f"M{x},{y + size}v{-size}a{size},{size} 0 0 1 {size},{size}z",
                    "",
                )
            )
    yield f'<path d="{path}" {fill(p.second)}/>'


def contours(rng: random.Random, p: Palette) -> Iterator[str]:
    lobes, swing, phase = rng.randint(2, 4), rng.uniform(0.08, 0.18), rng.uniform(0, 6)
    for line in range(3, 13):
        angles = [2 * math.pi * step / 30 for step in range(30)]
        reach = [(24 * line) * (1 + swing * math.sin(lobes * a + phase + line * 0.2)) for a in angles]
        points = [(X + r * math.cos(a), Y + r * math.sin(a)) for r, a in zip(reach, angles, strict=True)]
        yield polygon(points, f'fill="none" stroke="{p.second}" stroke-width="5"')


# --- Scenes ---


def _sun(rng: random.Random, p: Palette, y: int) -> str:
    return circle(rng.choice((84, 120, 180, 216)), y, rng.randint(34, 62), fill(p.light))


def ridges(rng: random.Random, p: Palette) -> Iterator[str]:
    yield _sun(rng, p, rng.randint(100, 160))
    for layer, base in enumerate((200, 255, 310)):
        points: Points = [(0, HEIGHT), (0, base + rng.randint(-20, 30))]
        while points[-1][0] < WIDTH:
            points.append((points[-1][0] + rng.randint(34, 74), base + rng.randint(-50, 30)))
        points.append((points[-1][0], HEIGHT))
        yield polygon(points, fill((p.middle, p.second, p.dark)[layer], (0.6, 0.85, 1)[layer]))


def dunes(rng: random.Random, p: Palette) -> Iterator[str]:
    yield _sun(rng, p, 130)
    for layer, colour in enumerate((p.middle, p.second, p.dark)):
        y, bend = 235 + 45 * layer, rng.randint(40, 110) * (-1) ** layer
        yield f'<path d="M-10,{y}C80,{y - bend} 200,{y + bend} 310,{y - 20}V460H-10z" {fill(colour)}/>'
    x = rng.randint(90, 210)
    yield f'<path d="M{x},238l7,22h-14zM{x - 3},236a4,4 0 1 0 6,0z" {fill(p.dark)}/>'


def waves(rng: random.Random, p: Palette) -> Iterator[str]:
    yield circle(rng.randint(90, 210), 150, rng.randint(44, 74), fill(p.light))
    for layer in range(5):
        base, length, swing = 185 + 38 * layer, rng.choice((60, 75, 100)), rng.randint(12, 24)
        crest = f"M-{rng.randint(0, length)},{base}q{length / 2:g},{-swing} {length},0" + f"t{length},0" * 6
        yield f'<path d="{crest}V460H-100z" {fill(p.middle if layer % 2 else p.dark, 0.55)}/>'


def forest(rng: random.Random, p: Palette) -> Iterator[str]:
    yield _sun(rng, p, rng.randint(110, 150))
    for layer, colour in enumerate((p.middle, p.second, p.dark)):
        path, x = "", -20
        while x < 310:
            high, half, foot = rng.randint(90, 170) + 20 * layer, rng.randint(20, 32), 310 + 40 * layer
            for part in range(3):
                top = foot - high + part * high * 0.24
                spread = half * (0.55 + 0.25 * part)
                path += f"M{x},{top:.0f}l{spread:.0f},{high * 0.42:.0f}h{-2 * spread:.0f}z"
            path += f"M{x - 4},{foot - 20}h8v200h-8z"
            x += rng.randint(26, 44)
        yield f'<path d="{path}" {fill(colour, (0.55, 0.9, 1)[layer])}/>'


def bare_trees(rng: random.Random, p: Palette) -> Iterator[str]:
    """A moon behind bare trees."""
    x, radius = rng.randint(100, 200), rng.randint(62, 88)
    yield circle(x, 150, radius + 34, fill(p.second))
    yield circle(x, 150, radius, fill(p.light))
    for _ in range(6):
        foot, top, lean = rng.randint(-10, 310), rng.randint(50, 190), rng.randint(-22, 22)
        path = f"M{foot - 8},450L{foot + lean},{top}L{foot + 8},450z"
        for _ in range(4):
            share, reach = rng.uniform(0.25, 0.8), rng.choice((-1, 1)) * rng.randint(24, 56)
            bx, by = foot + lean * (1 - share), top + (450 - top) * share
            path += f"M{bx:.0f},{by:.0f}l{reach},{-rng.randint(28, 64)}L{bx:.0f},{by - 8:.0f}z"
        yield f'<path d="{path}" {fill(p.dark)}/>'


def skyline(rng: random.Random, p: Palette) -> Iterator[str]:
    yield circle(rng.choice((80, 220)), rng.randint(90, 130), rng.randint(30, 58), fill(p.light))
    for layer, colour in enumerate((p.middle, p.dark)):
        blocks, windows, x = "", "", -6
        while x < 300:
            wide, top = rng.randint(26, 48), rng.randint(120, 240) + 66 * layer
            blocks += f"M{x},{top}h{wide}V460h{-wide}z"
            if rng.random() < 0.3:
                blocks += f"M{x + wide // 2 - 2},{top - 30}h4v31h-4z"
            for y in range(top + 10, 400, 15):
                windows += "".join(f"M{x + dx},{y}h5v7h-5z" for dx in range(6, wide - 8, 11) if rng.random() < 0.22)
            x += wide + rng.choice((0, 0, 3))
        yield f'<path d="{blocks}" {fill(colour, 0.6 + 0.4 * layer)}/>'
        if layer:
            yield f'<path d="{windows}" {fill(p.light, 0.85)}/>'


def staircase(rng: random.Random, p: Palette) -> Iterator[str]:
    """A spiral staircase, seen from above."""
    turns, way = 22, rng.choice((-1, 1))
    for step in range(60):
        angle, reach = way * 2 * math.pi * step / turns, 300 * 0.955**step
        points = [(X + reach * math.cos(angle + way * s), Y + reach * math.sin(angle + way * s)) for s in (0, 0.3)]
        yield polygon([(X, Y), *points], fill((p.second, p.light, p.middle)[step % 3]))
    yield circle(X, Y, 15, fill(p.dark))


def bauhaus(rng: random.Random, p: Palette) -> Iterator[str]:
    """Quarter circles, discs and triangles on a grid."""
    size = rng.choice((75, 100))
    for row in range(450 // size):
        for column in range(300 // size):
            x, y = column * size, row * size
            paint = fill(rng.choice((p.light, p.middle, p.dark, p.second)))
            yield rng.choice(
                (
                    f'<path d="M{x},{y}h{size}a{size},{size} 0 0 1 {-size},{size}z" {paint}/>',
                    f'<path d="M{x + size},{y + size}v{-size}a{size},{size} 0 0 0 {-size},{size}z" {paint}/>',
                    circle(x + size / 2, y + size / 2, size * 0.36, paint),
                    polygon([(x, y), (x + size, y), (x, y + size)], paint),
                )
            )


def paper(rng: random.Random, p: Palette) -> Iterator[str]:
    """Cut paper: slanting bars, one of them in a different colour."""
    odd = rng.randrange(6)
    for number in range(6):
        x, top, lean = 8 + 48 * number, rng.randint(-20, 120), rng.randint(-14, 14)
        points: Points = [(x, top), (x + 36, top + rng.randint(-14, 14)), (x + 36 + lean, 330), (x + lean, 318)]
        yield polygon(points, fill(p.light if number == odd else (p.dark, p.middle)[number % 2]))


def rain(rng: random.Random, p: Palette) -> Iterator[str]:
    """Columns of falling light."""
    for column in range(20):
        x, y, run = 4 + 15 * column, rng.randint(-60, 120), rng.randint(8, 20)
        marks = "".join(f"M{x},{y + 14 * n}h{rng.choice((4, 7, 9))}" for n in range(run))
        colour, opacity = rng.choice((p.light, p.middle)), rng.uniform(0.25, 1)
        yield f'<path d="{marks}" stroke="{colour}" stroke-width="8" opacity="{opacity:.1f}"/>'


def galaxy(rng: random.Random, p: Palette) -> Iterator[str]:
    yield f'<g transform="rotate({rng.randint(-40, 40)} {X} {Y}) translate(0 60) scale(1 .66)" stroke-linecap="round">'
    for n in range(2, 26):
        for colour, first in ((p.light, 0), (p.middle, math.pi / 2)):
            angles, reach = (first + n * 0.17, first + n * 0.17 + math.pi), 5.6 * n
            places = "".join(f"M{X + reach * math.cos(a):.0f},{Y + reach * math.sin(a):.0f}h0" for a in angles)
            yield f'<path d="{places}" stroke="{colour}" stroke-width="{18 - n * 0.5:.1f}"/>'
    yield circle(X, Y, 24, fill(p.light)) + "</g>"
