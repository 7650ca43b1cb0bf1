"""Prints Markdown tables that are readable in a terminal."""

from __future__ import annotations

import math
from typing import Any

Row = dict[str, Any]


def render(title: str, rows: list[Row], digits: dict[str, int] | None = None) -> str:
    """Returns the table. The first row gives the columns. `digits` sets the decimals of a column, 4 by default."""
    columns = list(rows[0])
    cells = [[_cell(row.get(name), (digits or {}).get(name, 4)) for name in columns] for row in rows]
    widths = [max(len(line[at]) for line in [columns, *cells]) for at in range(len(columns))]
    numeric = [all(_is_figure(row.get(name)) for row in rows) for name in columns]
    lines = [_line(columns, widths, numeric), _line(["-" * width for width in widths], widths, numeric)]
    lines += [_line(line, widths, numeric) for line in cells]
    return "\n".join([f"### {title}", "", *lines, ""])


def _is_figure(value: Any) -> bool:
    return value is None or isinstance(value, (int, float))


def _cell(value: Any, digits: int) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "-"
    return f"{value:.{digits}f}" if isinstance(value, float) else str(value)


def _line(cells: list[str], widths: list[int], numeric: list[bool]) -> str:
    placed = [
        cell.rjust(width) if right else cell.ljust(width)
        for cell, width, right in zip(cells, widths, numeric, strict=True)
    ]
    return f"| {' | '.join(placed)} |"
