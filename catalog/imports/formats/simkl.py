"""Simkl's backup: a JSON file, or a zip of it, with lists of movies, shows and anime."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from catalog.imports import fields
from catalog.imports.fields import Kind
from catalog.imports.format import Format
from catalog.imports.reading import Part
from catalog.imports.tables import Row


class Simkl(Format):
    code = "simkl"
    label = "Simkl"
    position = 10
    help = _("Settings, Backup: the JSON file, or a zip of it.")
    expected = _("the JSON file of Simkl's backup (movies with status and user_rating), or a zip of it")
    suffixes = (".json",)
    parts = (
        Part(gettext_noop("movies"), Kind.NOTHING, ("movie", "status")),
        Part(gettext_noop("movies"), Kind.NOTHING, ("movie", "user_rating")),
        Part(gettext_noop("anime"), Kind.NOTHING, ("show", "anime_type")),
        Part(gettext_noop("series"), Kind.NOTHING, ("show", "status")),
        Part(gettext_noop("series"), Kind.NOTHING, ("show", "user_rating")),
    )
    columns = {
        fields.TITLE: ["movie.title", "show.title"],
        fields.YEAR: ["movie.year", "show.year"],
        fields.IMDB_ID: ["movie.ids.imdb", "show.ids.imdb"],
        fields.TMDB_ID: ["movie.ids.tmdb", "show.ids.tmdb"],
        fields.OUT_OF_10: ["user_rating"],
        fields.STATUS: ["status"],
        fields.RECORDED_AT: ["user_rated_at", "last_watched_at", "added_to_watchlist_at"],
        fields.WATCHED_ON: ["last_watched_at"],
        fields.REVIEW: ["memo.text"],
    }

    def complete(self, values: dict[str, Any], row: Row) -> None:
        """Drops the date of titles without a status, because dropped titles have one too."""
        if "status" not in values:
            values.pop("watched_on", None)
        is_movie = "movie" in row or row.get("anime_type") == fields.MOVIE
        values["medium"] = fields.MOVIE if is_movie else "anime" if "anime_type" in row else "show"


FORMAT = Simkl()
