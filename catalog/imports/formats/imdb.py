"""IMDb's exports of ratings and of lists such as the watchlist. Every row has an id."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from catalog.imports import fields
from catalog.imports.dates import day_of
from catalog.imports.entries import Entries, Entry
from catalog.imports.fields import Kind
from catalog.imports.format import Export, ExportFormat
from catalog.imports.reading import Part

_MOVIES = ("const", "title", "title type")
_LIST = (*_MOVIES, "position")
_HEADER = [
    "Const", "Your Rating", "Date Rated", "Title", "Original Title", "URL", "Title Type", "IMDb Rating",
    "Runtime (mins)", "Year", "Genres", "Num Votes", "Release Date", "Directors",
]  # fmt: skip


class IMDb(ExportFormat):
    code = "imdb"
    label = "IMDb"
    position = 2
    help = _("Your ratings, Export: the CSV file; your watchlist likewise.")
    expected = _("the ratings.csv or the watchlist that IMDb exports (columns Const, Title, Title Type and others)")
    parts = (
        Part(gettext_noop("check-ins"), Kind.WATCHED, _LIST, r"/check.?ins?\W*\d*\W*csv$"),
        Part(gettext_noop("list"), Kind.WANTED, _LIST),
        Part(gettext_noop("ratings"), Kind.RATED, _MOVIES),
    )
    columns = {
        fields.TITLE: ["title"],
        fields.ORIGINAL_TITLE: ["original title"],
        fields.YEAR: ["year"],
        fields.IMDB_ID: ["const"],
        fields.MEDIUM: ["title type"],
        fields.OUT_OF_10: ["your rating", "you rated"],
        fields.RECORDED_ON: ["date rated", "created"],
    }

    def cells(self, entry: Entry) -> dict[str, str]:
        movie, added_on = entry.movie, day_of(entry.recorded_at)
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

    def write(self, entries: Entries) -> Export:
        ratings = self.csv_of(_HEADER, entries.of(Kind.RATED))
        watchlist = self.csv_of(["Position", "Created", *_HEADER], entries.of(Kind.WANTED))
        return self.zip_of([("ratings.csv", ratings), ("watchlist.csv", watchlist)])


FORMAT = IMDb()
