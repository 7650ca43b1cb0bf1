"""Tests the exports that benchmarks.user_imports imports."""

import pytest

from benchmarks.user_exports import WRITERS, Seen
from catalog.imports.formats import read_upload

HISTORY = [Seen(number, f"Movie {number}", 1950 + number, f"tt{number:07}", number) for number in range(1, 31)]


@pytest.mark.parametrize("format", WRITERS)
def test_each_row_is_read_as_what_it_says(format):
    name, writer = WRITERS[format]

    rows = read_upload(format=format, name=name, content=writer(HISTORY)).rows
    assert {row.title for row in rows} == {seen.title for seen in HISTORY}
    assert len(rows) == len(HISTORY)
    assert all(row.kind in ("rated", "watched", "wanted") for row in rows)
