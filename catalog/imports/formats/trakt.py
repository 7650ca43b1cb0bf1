"""Trakt's JSON lists of ratings, history, watched movies and the watchlist, in one or more files."""

import json
import re
from collections.abc import Collection, Sequence
from datetime import UTC, date
from pathlib import PurePath
from typing import Any

from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from catalog.imports import fields
from catalog.imports.entries import Entries
from catalog.imports.fields import Kind
from catalog.imports.format import Export, ExportFormat
from catalog.imports.lists import NamedList
from catalog.imports.reading import Part
from catalog.imports.tables import Row, Table

# Matches only the watchlist itself: users may name a list `lists-list-31-watchlist-for-kids.json`.
_WATCHLIST = r"/(lists|movies)?[-_ ]?watchlist([-_ ](movies|shows))?[\W_]*\d*\W*(json)?$"
_OWN_LIST = re.compile(r"lists-list-(\d+)-(.+)")  # the list's id and its name in lower case, with dashes
_FAVORITES = gettext_noop("Favorites")
_OF_SIMKL = {"status", "user_rating"}  # columns of Simkl, whose items also have a movie or a show
_LEFT_OUT = ("episode", "season", "person", "list")
UNKNOWN_DAY = date(1970, 1, 1)  # Trakt's placeholder for an unknown day


class Trakt(ExportFormat):
    code = "trakt"
    label = "Trakt"
    position = 3
    help = _("Settings, Data, Export: the zip, or one of its JSON files.")
    expected = _("a JSON file of Trakt (ratings, history, watched or watchlist), or a zip of such files")
    suffixes = (".json",)
    marks_rewatches = True
    parts = (
        Part(gettext_noop("settings"), named=r"/user-[^/]*$"),
        Part(gettext_noop("owned"), columns=("collected_at",)),
        Part(gettext_noop("hidden"), columns=("hidden_at",)),
        Part(gettext_noop("comments"), columns=("comment",)),
        Part(gettext_noop("notes"), columns=("note",)),
        Part(gettext_noop("paused"), columns=("paused_at",)),
        Part(gettext_noop("likes"), columns=("liked_at",)),
        Part(gettext_noop("ratings"), Kind.RATED, ("rating",)),
        Part(gettext_noop("history"), Kind.WATCHED, ("watched_at",)),
        # the row's date or play count marks it as watched
        Part(gettext_noop("watched"), Kind.NOTHING, ("last_watched_at",)),
        Part(gettext_noop("watchlist"), Kind.WANTED, ("listed_at",), _WATCHLIST),
        Part(gettext_noop("favourites"), Kind.LISTED, ("listed_at",), r"/(lists[-_ ])?favou?rites[^/]*$"),
        Part(gettext_noop("a list"), Kind.LISTED, ("listed_at",)),
        Part(gettext_noop("names of lists"), columns=("item_count",)),
        Part(gettext_noop("movies"), Kind.NOTHING, ("movie",)),
        Part(gettext_noop("series"), Kind.NOTHING, ("show",)),
    )
    columns = {
        fields.TITLE: ["movie.title", "show.title"],
        fields.YEAR: ["movie.year"],
        fields.IMDB_ID: ["movie.ids.imdb"],
        fields.TMDB_ID: ["movie.ids.tmdb"],
        fields.OUT_OF_10: ["rating"],
        fields.PLAYS: ["plays"],
        fields.RECORDED_AT: ["rated_at", "listed_at", "watched_at", "last_watched_at"],
        fields.WATCHED_ON: ["watched_at", "last_watched_at"],
    }

    def part(self, path: str, columns: Collection[str]) -> Part | None:
        return None if _OF_SIMKL & set(columns) else super().part(path, columns)

    def is_wanted(self, row: Row) -> bool:
        return not any(name in row for name in _LEFT_OUT)

    def complete(self, values: dict[str, Any], row: Row) -> None:
        plays = row.get("plays")
        values["is_rewatch"] = row.get("rewatch") is True or (isinstance(plays, int) and plays > 1)
        values["medium"] = fields.MOVIE if "movie" in row else "show"

    def list_of(self, part: Part, table: Table, tables: Sequence[Table]) -> NamedList:
        """Takes the name from the file of lists if it is there, otherwise from the name of the list's own file."""
        if part.label == "favourites":
            return NamedList.of(_FAVORITES, shown=gettext(_FAVORITES))
        stem = PurePath(table.path).name.removesuffix(".json")
        own = _OWN_LIST.fullmatch(stem)
        names = (record.values for other in tables if "item_count" in other.columns for record in other.records)
        about = next((row for row in names if own and str(row.get("ids.trakt")) == own[1]), {})
        name, description = (str(about.get(key) or "") for key in ("name", "description"))
        return NamedList.of(name or (own[2].replace("-", " ") if own else stem), description)

    def write(self, entries: Entries) -> Export:
        written: dict[str, list[str]] = {"ratings": [], "history": [], "watchlist": []}
        for entry in entries:
            recorded_at = entry.recorded_at.astimezone(UTC).isoformat().replace("+00:00", "Z")
            if entry.rating:
                name, values = "ratings", {"rated_at": recorded_at, "rating": round(entry.rating * 2)}
            elif entry.kind == Kind.WANTED:
                name, values = "watchlist", {"rank": entry.number, "listed_at": recorded_at}
            else:
                watched_at = f"{entry.watched_on or UNKNOWN_DAY}T00:00:00.000Z"
                name, values = "history", {"watched_at": watched_at, "action": "watch", "rewatch": entry.is_rewatch}
            movie = entry.movie
            ids = {"imdb": movie.imdb_id, "tmdb": movie.tmdb_id}
            row = {**values, "type": "movie", "movie": {"title": movie.title, "year": movie.year, "ids": ids}}
            written[name].append(json.dumps(row, ensure_ascii=False))
        lists = (f'"{name}": [\n' + ",\n".join(rows) + "\n]" for name, rows in written.items())
        return Export("movierec-trakt.json", "application/json", f"{{{', '.join(lists)}}}\n".encode())


FORMAT = Trakt()
