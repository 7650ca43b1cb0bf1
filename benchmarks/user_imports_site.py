"""The site of benchmarks.user_imports, in a separate process: fills the catalogue, or imports one export."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import django
import psutil

django.setup()

from benchmarks.measure import peak_mb  # noqa: E402 - models exist after setup
from benchmarks.tables import Row  # noqa: E402
from benchmarks.user_exports import catalogue  # noqa: E402
from catalog.imports.commit import commit_import  # noqa: E402
from catalog.imports.lifecycle import create_import, read_import  # noqa: E402
from catalog.models import Movie, User  # noqa: E402

MB = 2**20


def main(data: str, format: str = "", path: str = "", n_rows: str = "0") -> None:
    print(json.dumps(import_one(format, Path(path), int(n_rows)) if format else fill(Path(data))))


def fill(data: Path) -> None:
    Movie.objects.bulk_create((Movie(**values) for values in catalogue(data)), batch_size=2000)


def import_one(format: str, path: Path, n_rows: int) -> Row:
    """Returns the times of preview and import, the memory, and inconsistent numbers."""
    user, content = User.objects.create(username=format), path.read_bytes()
    at_rest, started = psutil.Process().memory_info().rss // MB, time.perf_counter()
    user_import = create_import(user=user, format=format, name=path.name, content=content)
    read_import(import_id=user_import.pk)
    previewed = time.perf_counter()
    user_import.refresh_from_db()
    peak = peak_mb()
    wrong = list(_unequal(user_import, n_rows))
    committing = time.perf_counter()
    commit_import(user_import)
    imported = time.perf_counter()
    wrong += _unwritten(user, user_import.counts)
    return {
        "format": format,
        "rows": user_import.n_rows,
        "found": user_import.counts["matched"],
        "preview s": previewed - started,
        "import s": imported - committing,
        "MB at rest": at_rest,
        "more MB": peak - at_rest,
        "wrong": ", ".join(wrong),
    }


def _unequal(user_import: Any, n_rows: int) -> Iterator[str]:
    """Yields numbers of the preview that differ from a separate count."""
    counts, rows = user_import.counts, user_import.rows
    parts = ("matched", "not_found", "not_readable", "nothing_said")
    sums = {
        "rows": (user_import.n_rows, n_rows),
        "stored rows": (rows.count(), n_rows),
        "found and not found": (counts["matched"] + counts["unmatched"], n_rows),
        "parts": (sum(counts[part] for part in parts), n_rows),
        "found": (counts["matched"], rows.filter(movie__isnull=False).count()),
        "rated": (counts["rated"], rows.filter(rating__isnull=False).count()),
        "watched": (counts["watched"], rows.filter(kind="watched").count()),
        "wanted": (counts["wanted"], rows.filter(kind="wanted").count()),
    }
    return (f"{name}: {found} instead of {wanted}" for name, (found, wanted) in sums.items() if found != wanted)


def _unwritten(user: Any, counts: dict[str, int]) -> list[str]:
    """Returns differences between the preview and the rows written by the import."""
    written = {
        "ratings_new": user.ratings.count(),
        "viewings_new": user.viewings.count(),
        "watchlist_new": user.watchlist.count(),
    }
    return [f"{name}: {n} written, {counts[name]} said" for name, n in written.items() if n != counts[name]]


if __name__ == "__main__":
    main(*sys.argv[1:])
