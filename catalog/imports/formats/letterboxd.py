"""Letterboxd's export: a zip, or one of its tables. The tables overlap."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import PurePath

from django.utils.text import slugify
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from catalog.imports import fields
from catalog.imports.dates import day_of
from catalog.imports.entries import Entries, Entry
from catalog.imports.fields import Kind, from_cell
from catalog.imports.format import Export, ExportFormat
from catalog.imports.lists import NamedList
from catalog.imports.reading import Part
from catalog.imports.tables import Table

_MOVIES = ("date", "name", "year", "letterboxd uri")
_DIARY = (*_MOVIES, "watched date")
_LIKES = gettext_noop("Likes")
_HEADER = ["Date", "Name", "Year", "Letterboxd URI", "imdbID", "tmdbID"]
_ABOUT_A_LIST = ["Date", "Name", "Tags", "URL", "Description"]
_LIST_HEADER = ["Position", "Name", "Year", "URL", "Description", "imdbID", "tmdbID"]


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
        Part(gettext_noop("likes"), Kind.LISTED, _MOVIES, named=r"/likes/films\W*\d*\W*csv$"),
        Part(gettext_noop("likes"), named="/likes/"),
        Part(gettext_noop("a list"), Kind.LISTED, ("position", "name", "url")),
        Part(gettext_noop("a list"), named="/lists/"),
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
        fields.SITE_ID: ["letterboxd uri", "url"],
        fields.OUT_OF_5: ["rating"],
        fields.RECORDED_ON: ["date"],
        fields.WATCHED_ON: ["watched date"],
        fields.IS_REWATCH: ["rewatch"],
        fields.REVIEW: ["review"],
    }

    def list_of(self, part: Part, table: Table, tables: Sequence[Table]) -> NamedList:
        if part.label == "likes":
            return NamedList.of(_LIKES, shown=gettext(_LIKES))
        name, description = (from_cell(table.about.get(key, "").strip()) for key in ("name", "description"))
        return NamedList.of(name or PurePath(table.name).stem, description)

    def cells(self, entry: Entry) -> dict[str, str]:
        return super().cells(entry) | {"position": str(entry.number)}

    def write(self, entries: Entries) -> Export:
        return self.zip_of(self._files(entries))

    def _files(self, entries: Entries) -> Iterator[tuple[str, bytes]]:
        watched = partial(entries.of, Kind.WATCHED)
        diary = [*_HEADER, "Rating", "Rewatch", "Tags", "Watched Date"]
        yield "ratings.csv", self.csv_of([*_HEADER, "Rating"], entries.of(Kind.RATED))
        yield "diary.csv", self.csv_of(diary, (entry for entry in watched() if entry.watched_on))
        yield "watched.csv", self.csv_of(_HEADER, (entry for entry in watched() if not entry.watched_on))
        yield "watchlist.csv", self.csv_of(_HEADER, entries.of(Kind.WANTED))
        for found in entries.lists:
            about = [day_of(found.created_at), found.name, "", "", found.description]
            before = [["Letterboxd list export v7"], _ABOUT_A_LIST, about, []]
            content = self.csv_of(_LIST_HEADER, entries.of_list(found), before=before)
            yield f"lists/{slugify(found.name) or 'list'}-{found.key}.csv", content


FORMAT = Letterboxd()
