"""Long work: progress bars, and processing in chunks."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

from tqdm import tqdm

T = TypeVar("T")


def progress_bar(
    *,
    total: int | None = None,
    description: str | None = None,
    unit: str = "B",
    bar_format: str | None = None,
    shown: bool = True,
) -> "tqdm[None]":
    """A bar on stderr that disappears at the end. Without a total it only counts."""
    return tqdm(
        total=total,
        desc=description,
        unit=unit,
        unit_scale=total is None or total >= 1000,
        bar_format=bar_format,
        leave=False,
        disable=not shown,
        mininterval=0.3,
    )


def chunks(rows: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def chunks_with_progress(
    rows: Sequence[T], size: int, *, description: str, unit: str, shown: bool
) -> Iterator[Sequence[T]]:
    """Advances the bar after each chunk has been processed."""
    with progress_bar(total=len(rows), description=description, unit=unit, shown=shown) as bar:
        for chunk in chunks(rows, size):
            yield chunk
            bar.update(len(chunk))
