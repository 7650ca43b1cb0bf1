"""Progress of long work, as a bar in terminals and as lines elsewhere, and processing in chunks."""

import io
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from tqdm import tqdm

T = TypeVar("T")

LINE_SECONDS = 10.0


class ProgressLines(tqdm):
    """Progress for logs and pipes: a line on stderr every LINE_SECONDS. Shorter work prints nothing."""

    def __init__(self, bar_format: str | None, total: int | None, **options: Any) -> None:
        self.said_at = time.monotonic()
        plain = "{desc}: {percentage:.0f}%, {n_fmt} of {total_fmt}, {elapsed} so far, {remaining} left"
        bar_format = (bar_format or plain).replace("{bar}| ", "") if bar_format or total else None
        # The file receives control characters for the cursor, such as those that clear a bar.
        super().__init__(total=total, bar_format=bar_format, file=io.StringIO(), **options)

    def display(self, msg: str | None = None, pos: int | None = None) -> bool:
        now = time.monotonic()
        if msg is None and now - self.said_at >= LINE_SECONDS:
            self.said_at = now
            sys.stderr.write(f"{str(self).strip()}\n")
            sys.stderr.flush()
        return True


def progress_bar(
    *,
    total: int | None = None,
    description: str | None = None,
    unit: str = "B",
    bar_format: str | None = None,
    shown: bool = True,
) -> "tqdm[None]":
    """Returns a bar on stderr that disappears at the end, or lines if stderr is not a terminal.

    Without a total, it only counts.
    """
    return (tqdm if sys.stderr.isatty() else ProgressLines)(
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
    """Yields chunks, and advances the bar after each has been processed."""
    with progress_bar(total=len(rows), description=description, unit=unit, shown=shown) as bar:
        for chunk in chunks(rows, size):
            yield chunk
            bar.update(len(chunk))
