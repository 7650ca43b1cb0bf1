"""The size of posters, their palettes, and simple shapes."""

from dataclasses import dataclass

WIDTH, HEIGHT = 300, 450
X, Y = 150, 175


@dataclass(frozen=True)
class Palette:
    """A poster's colours. `light` and `middle` contrast with `ground`, `second` hardly does. `ink` is for text."""

    ground: str
    second: str
    dark: str
    middle: str
    light: str
    ink: str

    @property
    def shade(self) -> tuple[str, str]:
        """Returns a background colour for a title on the picture, and the title's colour."""
        return (self.ground, self.ink) if int(self.ink[1:3], 16) < 128 else (self.dark, "#fff")

    def on_light(self) -> "Palette":
        """Returns the palette for an emblem on a disc of `light`."""
        return Palette(self.light, self.middle, self.light, self.middle, self.dark, self.dark)


Points = list[tuple[float, float]]


def circle(x: float, y: float, radius: float, paint: str) -> str:
    return f'<circle cx="{x:.0f}" cy="{y:.0f}" r="{radius:.3g}" {paint}/>'


def rect(x: float, y: float, width: float, height: float, paint: str) -> str:
    return f'<rect x="{x:.0f}" y="{y:.0f}" width="{width:.0f}" height="{height:.0f}" {paint}/>'


def polygon(points: Points, paint: str) -> str:
    return f'<path d="M{"L".join(f"{x:.0f},{y:.0f}" for x, y in points)}z" {paint}/>'


def fill(colour: str, opacity: float = 1) -> str:
    return f'fill="{colour}"' + (f' opacity="{opacity:.2f}"' if opacity < 1 else "")
