"""One's own collection in the formats that can be imported, with ids where the format has room for them."""

import csv
import json
import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from io import BytesIO, StringIO
from typing import Any

from django.http import HttpResponse

from catalog.imports.formats.plain_csv import COLUMNS
from catalog.models import Movie, Rating, User, UserImport, Viewing, WatchlistItem

Format = UserImport.Format
UNKNOWN_MOMENT = "1970-01-01T00:00:00.000Z"  # what Trakt has for a viewing on an unknown day
_IMDB_COLUMNS = [
    "Const", "Your Rating", "Date Rated", "Title", "Original Title", "URL", "Title Type", "IMDb Rating",
    "Runtime (mins)", "Year", "Genres", "Num Votes", "Release Date", "Directors",
]  # fmt: skip
_LETTERBOXD_IDS = ["imdbID", "tmdbID"]


@dataclass(frozen=True)
class Export:
    name: str
    content_type: str
    content: bytes

    def as_download(self) -> HttpResponse:
        headers = {"Content-Disposition": f'attachment; filename="{self.name}"', "Cache-Control": "no-store"}
        return HttpResponse(self.content, content_type=self.content_type, headers=headers)


@dataclass(frozen=True)
class _Collection:
    """Everything of one person, the oldest first."""

    ratings: Sequence[Rating]
    viewings: Sequence[Viewing]
    watchlist: Sequence[WatchlistItem]


def export_ratings(*, user: User, format: str) -> Export:
    """All ratings, viewings and the watchlist, as far as the format knows of them: IMDb's has no viewings."""
    collection = _Collection(
        list(Rating.objects.filter(user=user).select_related("movie").order_by("rated_at", "pk")),
        list(Viewing.objects.filter(user=user).select_related("movie").order_by("watched_on", "pk")),
        list(WatchlistItem.objects.filter(user=user).select_related("movie").order_by("added_at", "pk")),
    )
    return _WRITERS[format](collection)


def _letterboxd(collection: _Collection) -> Export:
    columns = ["Date", "Name", "Year", "Letterboxd URI", *_LETTERBOXD_IDS]

    def row(moment: datetime, movie: Movie, *more: Any) -> list[Any]:
        return [_day(moment), movie.title, movie.year or "", "", movie.imdb_id or "", movie.tmdb_id or "", *more]

    dated = [viewing for viewing in collection.viewings if viewing.watched_on]
    diary = [row(v.recorded_at, v.movie, "", "Yes" if v.is_rewatch else "", "", v.watched_on) for v in dated]
    undated = [viewing for viewing in collection.viewings if not viewing.watched_on]
    return _zipped(
        "letterboxd",
        {
            "ratings.csv": _csv(
                [*columns, "Rating"], (row(r.rated_at, r.movie, f"{r.rating:g}") for r in collection.ratings)
            ),
            "diary.csv": _csv([*columns, "Rating", "Rewatch", "Tags", "Watched Date"], diary),
            "watched.csv": _csv(columns, (row(viewing.recorded_at, viewing.movie) for viewing in undated)),
            "watchlist.csv": _csv(columns, (row(item.added_at, item.movie) for item in collection.watchlist)),
        },
    )


def _imdb(collection: _Collection) -> Export:
    def row(movie: Movie, rating: str, rated_at: str) -> list[Any]:
        url = f"https://www.imdb.com/title/{movie.imdb_id}/" if movie.imdb_id else ""
        original = movie.original_title or movie.title
        runtime, released = movie.runtime_minutes or "", movie.release_date or ""
        values = [movie.title, original, url, "Movie", "", runtime, movie.year or "", "", "", released, ""]
        return [movie.imdb_id or "", rating, rated_at, *values]

    ratings = [row(r.movie, f"{r.rating * 2:g}", _day(r.rated_at)) for r in collection.ratings]
    listed = [
        [position, _day(item.added_at), *row(item.movie, "", "")]
        for position, item in enumerate(collection.watchlist, 1)
    ]
    return _zipped(
        "imdb",
        {
            "ratings.csv": _csv(_IMDB_COLUMNS, ratings),
            "watchlist.csv": _csv(["Position", "Created", *_IMDB_COLUMNS], listed),
        },
    )


def _trakt(collection: _Collection) -> Export:
    def item(movie: Movie, **values: Any) -> dict[str, Any]:
        ids = {"imdb": movie.imdb_id, "tmdb": movie.tmdb_id}
        return {**values, "type": "movie", "movie": {"title": movie.title, "year": movie.year, "ids": ids}}

    document = {
        "ratings": [
            item(r.movie, rated_at=_moment(r.rated_at), rating=round(r.rating * 2)) for r in collection.ratings
        ],
        "history": [
            item(v.movie, watched_at=_watched_at(v.watched_on), action="watch", rewatch=v.is_rewatch)
            for v in collection.viewings
        ],
        "watchlist": [
            item(listed.movie, rank=rank, listed_at=_moment(listed.added_at))
            for rank, listed in enumerate(collection.watchlist, 1)
        ],
    }
    content = json.dumps(document, ensure_ascii=False, indent=1).encode()
    return Export("movierec-trakt.json", "application/json", content)


def _plain(collection: _Collection) -> Export:
    def row(movie: Movie, **given: Any) -> list[Any]:
        ids = {name: getattr(movie, name) or "" for name in ("imdb_id", "tmdb_id", "movielens_id")}
        values = {"title": movie.title, "year": movie.year or "", **ids, **given}
        return [values.get(column, "") for column in COLUMNS]

    rows = [row(r.movie, rating=f"{r.rating:g}", rated_at=r.rated_at.isoformat()) for r in collection.ratings]
    rows += [
        row(
            v.movie,
            watched_on=v.watched_on or "",
            rewatch="yes" if v.is_rewatch else "",
            rated_at=v.recorded_at.isoformat(),
        )
        for v in collection.viewings
    ]
    rows += [row(item.movie, watchlist="yes", rated_at=item.added_at.isoformat()) for item in collection.watchlist]
    return Export("movierec.csv", "text/csv; charset=utf-8", _csv(COLUMNS, rows))


def _day(moment: datetime) -> str:
    return moment.astimezone(UTC).date().isoformat()


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _watched_at(day: date | None) -> str:
    return f"{day.isoformat()}T00:00:00.000Z" if day else UNKNOWN_MOMENT


def _csv(columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> bytes:
    text = StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue().encode()


def _zipped(format: str, files: dict[str, bytes]) -> Export:
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in files.items():
            file.writestr(name, content)
    return Export(f"movierec-{format}.zip", "application/zip", packed.getvalue())


_WRITERS: dict[str, Callable[[_Collection], Export]] = {
    Format.LETTERBOXD: _letterboxd,
    Format.IMDB: _imdb,
    Format.TRAKT: _trakt,
    Format.CSV: _plain,
}
