"""TMDB's exports of ratings and of lists such as the watchlist, all with the same columns."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from catalog.imports import fields
from catalog.imports.fields import Kind
from catalog.imports.format import Format
from catalog.imports.reading import Part
from catalog.imports.tables import Row

_COLUMNS = ("tmdb id", "imdb id", "type", "name", "release date", "your rating", "date rated")


class TMDB(Format):
    code = "tmdb"
    label = "TMDB"
    position = 12
    help = _("The CSV file of your ratings or your watchlist, or a zip of both.")
    expected = _("the CSV file of ratings or of the watchlist that TMDB exports (columns TMDb ID, Name, Your Rating)")
    parts = (
        Part(gettext_noop("watchlist"), Kind.WANTED, _COLUMNS, r"watch[\W_]?list[^/]*$"),
        Part(gettext_noop("ratings"), Kind.NOTHING, _COLUMNS, is_asked=True),
    )
    columns = {
        fields.TITLE: ["name"],
        fields.YEAR: ["release date"],
        fields.IMDB_ID: ["imdb id"],
        fields.TMDB_ID: ["tmdb id"],
        fields.MEDIUM: ["type"],
        fields.OUT_OF_10: ["your rating"],
        fields.RECORDED_AT: ["date rated"],
    }

    def is_wanted(self, row: Row) -> bool:
        """Excludes seasons and episodes, whose type is that of their series."""
        return not str(row.get("season number") or "").strip()


FORMAT = TMDB()
