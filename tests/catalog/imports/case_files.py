"""The cases in `cases/`: an upload, the catalogue, and the expected preview. See cases/README.md."""

import csv
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.utils.translation import gettext

from catalog.models import ImportRow, Movie, MovieList, Note, Rating, User, UserImport, Viewing, WatchlistItem
from tests.catalog.imports.site_files import zipped

FOLDER = Path(__file__).parent / "cases"
COLUMNS = ["file", "line", "movie", "watched", "rating", "wanted", "on", "outcome"]
COLUMNS_OF_LISTS = [*COLUMNS[:-1], "list", "outcome"]  # of cases with lists
OUTCOMES = {"found", "not found", "not a movie", "not readable", "nothing"}
IMPORTED = {"rated", "watched", "wanted", "listed"}  # kinds of rows that are imported if their movie is found

Row = dict[str, str]
Key = tuple[str, int]


@dataclass(frozen=True)
class Case:
    """`expected` is the content of expected.toml."""

    name: str
    expected: dict[str, Any]

    @property
    def format(self) -> str:
        return self.expected["format"]

    @property
    def upload(self) -> str:
        return self.expected["upload"]

    @property
    def files(self) -> dict[str, bytes]:
        folder = FOLDER / self.name / "upload"
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}

    @property
    def content(self) -> bytes:
        return zipped(self.files) if self.upload.endswith(".zip") else self.files[self.upload]

    @property
    def rows(self) -> list[Row]:
        """None of a file that is refused."""
        if "rows" not in self.expected:
            return []
        header, *lines = self.expected["rows"].strip().splitlines()
        columns = [name.strip() for name in header.split("|")]
        assert columns in (COLUMNS, COLUMNS_OF_LISTS), self.name
        rows = [dict(zip(columns, (value.strip() for value in line.split("|")), strict=True)) for line in lines]
        return [{"list": ""} | row for row in rows]


def cases() -> list[Case]:
    paths = sorted(FOLDER.glob("*/expected.toml"))
    return [Case(path.parent.name, tomllib.loads(path.read_text(encoding="utf-8"))) for path in paths]


def catalogue() -> list[dict[str, str]]:
    with (FOLDER / "catalogue.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def create_catalogue() -> None:
    Movie.objects.bulk_create(
        Movie(
            title=row["title"],
            year=int(row["year"]),
            imdb_id=row["imdb_id"] or None,
            tmdb_id=int(row["tmdb_id"]) if row["tmdb_id"] else None,
            movielens_id=int(row["movielens_id"]) if row["movielens_id"] else None,
            original_title=row["original_title"],
        )
        for row in catalogue()
    )


def previewed(user_import: UserImport) -> dict[Key, Row]:
    """The rows of a preview that would be imported if their movies were found."""
    rows = user_import.rows.select_related("movie").filter(kind__in=IMPORTED)
    return {(row.file, row.line): _described(row) for row in rows}


def _described(row: ImportRow) -> Row:
    watched = str(row.watched_on or "yes") if row.kind == "watched" else ""
    return {
        "file": row.file,
        "line": str(row.line),
        "movie": _name(row.movie) if row.movie else "",
        "watched": watched,
        "rating": f"{row.rating:g}" if row.rating else "",
        "wanted": "yes" if row.kind == "wanted" else "",
        "on": str(row.recorded_at.date()) if row.recorded_at else "",
        "list": _list_name(row.list_name),
        "outcome": "found" if row.movie else "not found",
    }


def differences(case: Case, shown: dict[Key, Row]) -> list[str]:
    """What the preview shows otherwise than the case expects, a line for each row.

    Of a row that is not a movie or not readable it only counts that no movie is found. A row that imports nothing may
    be shown in a kind of its own, or not at all.
    """
    wanted = {(row["file"], int(row["line"])): row for row in case.rows}
    found = []
    for key in sorted(wanted.keys() | shown.keys()):
        want, got = wanted.get(key), shown.get(key)
        if want is None or want["outcome"] == "nothing":
            is_same = got is None
        elif want["outcome"] in ("not a movie", "not readable"):
            is_same = got is None or not got["movie"]
        else:
            is_same = got == want
        if not is_same:
            found.append(f"{key[0]}, line {key[1]}: expected {_shown(want)}; got {_shown(got)}")
    return found


def _shown(row: Row | None) -> str:
    parts = (
        [f"{name} {row[name]}" for name in ("watched", "rating", "wanted", "on", "list") if row[name]] if row else []
    )
    return ", ".join([*parts, row["movie"] or row["outcome"]]) if row else "nothing"


def data_of(user: User) -> dict[str, list[str]]:
    """A user's data in the words of the part `after` of a case."""
    viewings = Viewing.objects.filter(user=user).select_related("movie")
    notes = [f"{_name(note.movie)}: {note.text}" for note in Note.objects.filter(user=user)]
    notes += [f"{_name(v.movie)}, {v.watched_on}: {v.note}" for v in viewings if v.note]
    lists = MovieList.objects.filter(user=user).prefetch_related("items__movie")
    return {
        "lists": sorted(_content(found) for found in lists),
        "notes": sorted(notes),
        "ratings": sorted(f"{_name(r.movie)}: {r.rating:g}" for r in Rating.objects.filter(user=user)),
        "viewings": sorted(
            f"{_name(v.movie)}: {v.watched_on or 'unknown day'}{' again' if v.is_rewatch else ''}" for v in viewings
        ),
        "watchlist": sorted(_name(item.movie) for item in WatchlistItem.objects.filter(user=user)),
    }


def _content(found: MovieList) -> str:
    about = f" ({found.description})" if found.description else ""
    return f"{_list_name(found.name)}{about}: " + " > ".join(_name(item.movie) for item in found.items.all())


def _list_name(name: str) -> str:
    """In English, if it is a name that is translated."""
    return {gettext(own): own for own in ("Likes", "Favorites")}.get(name, name)


def _name(movie: Movie) -> str:
    return f"{movie.title} ({movie.year})"
