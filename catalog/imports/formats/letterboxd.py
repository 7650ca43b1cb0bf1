"""Letterboxd's export: a zip, or one of its tables. The tables overlap."""

from functools import partial

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from catalog.imports import fields
from catalog.imports.entries import Entries
from catalog.imports.fields import Kind
from catalog.imports.format import Export, ExportFormat
from catalog.imports.reading import Part

_MOVIES = ("date", "name", "year", "letterboxd uri")
_DIARY = (*_MOVIES, "watched date")
_HEADER = ["Date", "Name", "Year", "Letterboxd URI", "imdbID", "tmdbID"]


class Letterboxd(ExportFormat):
    code = "letterboxd"
    label = "Letterboxd"
    position = 1
    help = _("Settings, Data, Export your data: the zip, or one of its tables.")
    expected = _(
        "the zip that Letterboxd exports, or its ratings.csv, diary.csv, reviews.csv, watched.csv or watchlist.csv"
    )
    parts = (
        Part(gettext_noop("deleted"), named="/deleted/"),
        Part(gettext_noop("orphaned"), named="/orphaned/"),
        Part(gettext_noop("likes"), named="/likes/"),
        Part(gettext_noop("a list"), named="/lists/"),
        Part(gettext_noop("a list"), columns=("position", "name", "url")),
        Part(gettext_noop("settings"), named=r"/profile\W*\d*\W*csv$"),
        Part(gettext_noop("comments"), named=r"/comments\W*\d*\W*csv$"),
        Part(gettext_noop("watched"), Kind.WATCHED, _MOVIES, r"/watched\W*\d*\W*csv$"),
        Part(gettext_noop("watchlist"), Kind.WANTED, _MOVIES, r"/watchlist[^/]*$"),
        # the URI of the diary entry, not of the movie
        Part(gettext_noop("diary"), Kind.WATCHED, _DIARY, ignored=("letterboxd uri",)),
        Part(gettext_noop("ratings"), Kind.RATED, (*_MOVIES, "rating")),
        Part(gettext_noop("movies"), Kind.NOTHING, _MOVIES),
    )
    columns = {
        fields.TITLE: ["name"],
        fields.YEAR: ["year"],
        fields.IMDB_ID: ["imdbid"],
        fields.TMDB_ID: ["tmdbid"],
        fields.SITE_ID: ["letterboxd uri"],
        fields.OUT_OF_5: ["rating"],
        fields.RECORDED_ON: ["date"],
        fields.WATCHED_ON: ["watched date"],
        fields.IS_REWATCH: ["rewatch"],
        fields.REVIEW: ["review"],
    }

    def write(self, entries: Entries) -> Export:
        watched = partial(entries.of, Kind.WATCHED)
        return self.zip_of(
            {
                "ratings.csv": ([*_HEADER, "Rating"], entries.of(Kind.RATED)),
                "diary.csv": (
                    [*_HEADER, "Rating", "Rewatch", "Tags", "Watched Date"],
                    (entry for entry in watched() if entry.watched_on),
                ),
                "watched.csv": (_HEADER, (entry for entry in watched() if not entry.watched_on)),
                "watchlist.csv": (_HEADER, entries.of(Kind.WANTED)),
            }
        )


FORMAT = Letterboxd()
