"""Sentences for the owner of a file: how it was read, and what the import would add and change."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext, gettext_noop, ngettext, ngettext_lazy

from catalog.imports.fields import Kind, ParsedRow
from catalog.imports.matching import Match
from catalog.imports.reading import QUESTIONS
from catalog.models import ImportRow, UserImport

IMPORTED = ImportRow.IMPORTED
SILENT = gettext_noop("The file does not say what was watched, rated or wanted")
# Messages by count, in singular and plural.
KINDS = {
    "rated": ngettext_lazy("{n:,} rated", "{n:,} rated", "n"),
    "watched": ngettext_lazy("{n:,} watched", "{n:,} watched", "n"),
    "wanted": ngettext_lazy("{n:,} wanted", "{n:,} wanted", "n"),
    "listed": ngettext_lazy("{n:,} in lists", "{n:,} in lists", "n"),
}
LEFT = {
    "nothing_said": ngettext_lazy(
        "{n:,} row that nothing is imported from", "{n:,} rows that nothing is imported from", "n"
    ),
    "details_ignored": ngettext_lazy(
        "{n:,} row with details that were ignored", "{n:,} rows with details that were ignored", "n"
    ),
}
RATINGS = {
    "ratings_new": ngettext_lazy("{n:,} new rating", "{n:,} new ratings", "n"),
    "ratings_changed": ngettext_lazy("{n:,} changed", "{n:,} changed", "n"),
    "ratings_same": ngettext_lazy("{n:,} unchanged", "{n:,} unchanged", "n"),
    "ratings_kept": ngettext_lazy("{n:,} kept, rated later on this site", "{n:,} kept, rated later on this site", "n"),
}
MORE = {
    "viewings_new": ngettext_lazy("{n:,} new viewing", "{n:,} new viewings", "n"),
    "watchlist_new": ngettext_lazy("{n:,} movie for the watchlist", "{n:,} movies for the watchlist", "n"),
    "notes_new": ngettext_lazy("{n:,} new note", "{n:,} new notes", "n"),
    "lists_new": ngettext_lazy("{n:,} new list", "{n:,} new lists", "n"),
    "list_movies_new": ngettext_lazy("{n:,} movie for your lists", "{n:,} movies for your lists", "n"),
    "list_movies_left": ngettext_lazy(
        "{n:,} movie beyond the limits of lists", "{n:,} movies beyond the limits of lists", "n"
    ),
    "watchlist_left": ngettext_lazy("{n:,} movie off the watchlist", "{n:,} movies off the watchlist", "n"),
}


def counts_of(rows: Sequence[ParsedRow], matches: Sequence[Match]) -> dict[str, int]:
    """Counts the rows by outcome, and the rows about movies by kind."""
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
        "listed": sum(row.kind == Kind.LISTED for row in movies),
    }


def sentences(user_import: UserImport) -> list[str]:
    """Returns a summary of an import that has been read. It is the same before and after the commit."""
    counts = defaultdict(int, {"not_found": user_import.counts["unmatched"]} | user_import.counts)
    n_rows = counts["matched"] + counts["unmatched"]
    found = ngettext(
        "{found:,} of {n:,} row found in the catalogue", "{found:,} of {n:,} rows found in the catalogue", n_rows
    )
    outcomes = [
        found.format(found=counts["matched"], n=n_rows),
        gettext("{n:,} not found").format(n=counts["not_found"]),
        gettext("{n:,} not readable").format(n=counts["not_readable"]),
    ]
    kinds = _filled(counts, KINDS)
    said = gettext("The file says: {kinds}").format(kinds=kinds) if kinds else gettext(SILENT)
    brings = _filled(counts, RATINGS, always="ratings_new")
    lines = [", ".join(outcomes), said, _filled(counts, LEFT), brings, _filled(counts, MORE)]
    return [line for line in lines if line]


def _filled(counts: Mapping[str, int], texts: Mapping[str, Any], always: str = "") -> str:
    """Returns the non-zero counts as a sentence. The count named `always` is included even if it is zero."""
    shown = [(name, counts[name]) for name in texts if counts[name] or name == always]
    return ", ".join(texts[name].format(n=n) for name, n in shown)


def files_of(user_import: UserImport) -> list[dict[str, Any]]:
    """Returns each file with how it and its columns were interpreted."""
    return [_in_words(**file) for file in user_import.report.get("files", [])]


def _in_words(*, parts: list[tuple[str, bool]], columns: dict[str, str], **file: Any) -> dict[str, Any]:
    unused = gettext("not used: {what}")
    said = [gettext(label) if is_used else unused.format(what=gettext(label)) for label, is_used in parts]
    return file | {
        "taken_for": ", ".join(said) or unused.format(what=gettext("not recognised")),
        "columns": {name: gettext(label) for name, label in columns.items()},
    }


def questions_of(user_import: UserImport) -> list[dict[str, Any]]:
    """Returns the open questions: the `option` to set, what each is `about`, and the possible `answers`."""
    return [
        {"option": option, "about": about, "question": QUESTIONS[option][0], "answers": QUESTIONS[option][1]}
        for option, about in user_import.report.get("questions", [])
    ]


def tables_of(user_import: UserImport) -> list[dict[str, Any]]:
    """Returns the tables whose columns the owner can explain, with the day on which they last did."""
    found = user_import.report.get("columns", [])
    said = dict(user_import.user.column_mappings.values_list("header", "confirmed_at")) if found else {}
    return [table | {"confirmed_at": said.get(table["key"]), "number": number} for number, table in enumerate(found)]


def answered_columns(user_import: UserImport, form: Mapping[str, str]) -> dict[str, str]:
    """Returns what the form says about each column, keyed by its name."""
    places = (
        (f"column-{number}-{place}", column["name"])
        for number, table in enumerate(user_import.report.get("columns", []))
        for place, column in enumerate(table["columns"])
    )
    return {name: form[field] for field, name in places if field in form}


def file_lines(user_import: UserImport) -> list[str]:
    """Returns one line of text per file."""
    return [
        f"{file['file']}: {file['taken_for']}, {_rows(file['rows'])}"
        + "".join(f"; {name}: {label}" for name, label in file["columns"].items())
        for file in files_of(user_import)
    ]


def _rows(n: int) -> str:
    return ngettext("{n:,} row", "{n:,} rows", n).format(n=n)
