"""IMDb's exports: ratings, and lists such as the watchlist. Every row has an id."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime

from django.utils.translation import gettext_lazy as _

from catalog.imports import fields
from catalog.imports.fields import Kind, parse_moment, parse_year
from catalog.imports.format import Entry, Export, Format
from catalog.imports.tables import Row, Table

_MOVIES = {"movie", "tvmovie", "short", "tvshort", "video", "tvspecial", "featurefilm", "documentary"}
_HEADER = [
    "Const", "Your Rating", "Date Rated", "Title", "Original Title", "URL", "Title Type", "IMDb Rating",
    "Runtime (mins)", "Year", "Genres", "Num Votes", "Release Date", "Directors",
]  # fmt: skip


def _medium(title_type: str) -> str:
    """The title type, or an empty text if a catalogue of movies may hold it."""
    return "" if title_type.replace(" ", "").casefold() in _MOVIES else title_type


def _first_year(text: str) -> int:
    """A series has a range of years."""
    return parse_year(text[:4])


def _moment(text: str) -> datetime | None:
    """Also parses `Thu Jan  5 00:00:00 2017`, the form of exports before 2017."""
    with suppress(ValueError):
        old = datetime.strptime(text, "%a %b %d %H:%M:%S %Y").replace(tzinfo=UTC)
        return parse_moment(old.isoformat())
    return parse_moment(text)


class IMDb(Format):
    code = "imdb"
    label = "IMDb"
    position = 2
    help = _("Your ratings, Export: the CSV file; your watchlist likewise.")
    expected = "the ratings.csv or the watchlist that IMDb exports (columns Const, Title, Title Type and others)"
    signature = ("const", "title", "title type")
    columns = {
        fields.TITLE: ["title"],
        fields.ORIGINAL_TITLE: ["original title"],
        fields.YEAR._replace(parse=_first_year): ["year"],
        fields.IMDB_ID: ["const"],
        fields.Field("medium", _medium): ["title type"],
        fields.OUT_OF_10: ["your rating", "you rated"],
        fields.RECORDED_ON._replace(parse=_moment): ["date rated", "created"],
    }

    def kind(self, table: Table, row: Row) -> Kind:
        """Lists have positions: their rated items count as ratings, the rest as watchlist or check-ins."""
        if "position" not in table.columns or self.text(row, fields.OUT_OF_10):
            return Kind.RATED
        return Kind.WATCHED if "check" in table.name.lower() else Kind.WANTED

    def cells(self, entry: Entry) -> dict[str, str]:
        movie, added_on = entry.movie, fields.day_of(entry.recorded_at)
        return super().cells(entry) | {
            "position": str(entry.number),
            "created": added_on,
            "date rated": added_on if entry.rating else "",
            "original title": movie.original_title or movie.title,
            "url": f"https://www.imdb.com/title/{movie.imdb_id}/" if movie.imdb_id else "",
            "title type": "Movie",
            "runtime (mins)": str(movie.runtime_minutes or ""),
            "release date": str(movie.release_date or ""),
        }

    def write(self, entries: Sequence[Entry]) -> Export:
        rated = [entry for entry in entries if entry.kind == Kind.RATED]
        listed = [entry for entry in entries if entry.kind == Kind.WANTED]
        return self.zip_of(
            {"ratings.csv": (_HEADER, rated), "watchlist.csv": (["Position", "Created", *_HEADER], listed)}
        )


FORMAT = IMDb()
