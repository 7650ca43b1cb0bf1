"""Sentences that tell the owner what a file was taken for, and what its import would add and change."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext

from catalog.imports.fields import Kind, ParsedRow
from catalog.imports.matching import Match
from catalog.imports.reading import QUESTIONS
from catalog.models import UserImport

IMPORTED = (Kind.RATED, Kind.WATCHED, Kind.WANTED)


def counts_of(rows: Sequence[ParsedRow], matches: Sequence[Match]) -> dict[str, int]:
    """Rows by what is found, and by what those say that are about movies."""
    matched = sum(match.movie_id is not None for match in matches)
    kinds = Counter(row.kind for row in rows)
    movies = [row for row in rows if row.kind in IMPORTED and not row.medium]
    return {
        "matched": matched,
        "unmatched": len(rows) - matched,
        "not_found": sum(kinds[kind] for kind in IMPORTED) - matched,
        "not_readable": kinds[Kind.UNREADABLE],
        "nothing_said": kinds[Kind.NOTHING],
        "details_ignored": sum(bool(row.ignored) for row in rows),
        "rated": sum(row.rating is not None for row in movies),
        "watched": sum(row.kind == Kind.WATCHED for row in movies),
        "wanted": sum(row.kind == Kind.WANTED for row in movies),
    }


def sentences(user_import: UserImport) -> list[str]:
    """For an import that was read; the same before and after the commit."""
    counts = defaultdict(int, {"not_found": user_import.counts["unmatched"]} | user_import.counts)
    n_rows = counts["matched"] + counts["unmatched"]
    outcomes = [
        f"{counts['matched']:,} of {_n(n_rows, 'row')} found in the catalogue",
        f"{counts['not_found']:,} not found",
        f"{counts['not_readable']:,} not readable",
    ]
    kinds = [f"{counts[kind]:,} {kind}" for kind in ("rated", "watched", "wanted") if counts[kind]]
    left = [
        f"{_n(counts['nothing_said'], 'row')} that nothing is imported from" if counts["nothing_said"] else "",
        f"{_n(counts['details_ignored'], 'row')} with details that were ignored" if counts["details_ignored"] else "",
    ]
    brings = [
        _n(counts["ratings_new"], "new rating"),
        f"{counts['ratings_changed']:,} changed" if counts["ratings_changed"] else "",
        f"{counts['ratings_same']:,} unchanged" if counts["ratings_same"] else "",
        f"{counts['ratings_kept']:,} kept, rated later on this site" if counts["ratings_kept"] else "",
    ]
    more = [
        _n(counts["viewings_new"], "new viewing") if counts["viewings_new"] else "",
        f"{_n(counts['watchlist_new'], 'movie')} for the watchlist" if counts["watchlist_new"] else "",
    ]
    said = f"The file says: {_joined(kinds)}" if kinds else "The file does not say what was watched, rated or wanted"
    lines = [_joined(outcomes), said, _joined(left), _joined(brings), _joined(more)]
    return [line for line in lines if line]


def files_of(user_import: UserImport) -> list[dict[str, Any]]:
    """Each file with what it and its columns were taken for."""
    return [_in_words(**file) for file in user_import.report.get("files", [])]


def _in_words(*, parts: list[tuple[str, bool]], columns: dict[str, str], **file: Any) -> dict[str, Any]:
    unused = gettext("not used: {what}")
    said = [gettext(label) if is_used else unused.format(what=gettext(label)) for label, is_used in parts]
    return file | {
        "taken_for": ", ".join(said) or unused.format(what=gettext("not recognised")),
        "columns": {name: gettext(label) for name, label in columns.items()},
    }


def questions_of(user_import: UserImport) -> list[dict[str, Any]]:
    """What the file leaves open: the `option` to answer with, the file and column it is `about`, the `answers`."""
    return [
        {"option": option, "about": about, "question": QUESTIONS[option][0], "answers": QUESTIONS[option][1]}
        for option, about in user_import.report.get("questions", [])
    ]


def file_lines(user_import: UserImport) -> list[str]:
    """One line for each file."""
    return [
        f"{file['file']}: {file['taken_for']}, {_n(file['rows'], 'row')}"
        + "".join(f"; {name}: {label}" for name, label in file["columns"].items())
        for file in files_of(user_import)
    ]


def _joined(parts: list[str]) -> str:
    return ", ".join(part for part in parts if part)


def _n(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
