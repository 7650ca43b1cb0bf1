"""Lists of movies in uploads, and how an import changes its owner's lists."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Self

from django.db.models import QuerySet
from django.utils import timezone

from catalog.ingest.rows import insert_rows
from catalog.models import ImportRow, MovieList, MovieListItem, User
from catalog.models.personal import LIST_NAME_LENGTH, MAX_LIST_LENGTH, MAX_LISTS
from catalog.models.rating import NOTE_LENGTH
from catalog.text import visible

ITEM_COLUMNS = ("movie_list_id", "movie_id", "position", "added_at")


class NamedList(NamedTuple):
    """A list in an upload. `key` identifies it in the file; `name` is shown, and may be translated."""

    key: str
    name: str
    description: str = ""

    @classmethod
    def of(cls, name: str, description: str = "", *, shown: str = "") -> Self:
        """Shortens the texts to what a list can hold. `shown` is the name in the user's language, if it differs."""
        return cls(list_name(name), list_name(shown or name), _shortened(visible(description), NOTE_LENGTH))


class Addition(NamedTuple):
    movie_list: MovieList
    movie_id: int
    position: int
    added_at: datetime


def list_name(text: str) -> str:
    return _shortened(visible(text), LIST_NAME_LENGTH)


def _shortened(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


@dataclass
class ListChanges:
    """New lists, and movies that are appended to new and existing ones.

    An existing list with the same name keeps its description, its movies and their order. `n_left` counts movies beyond
    the limits of lists.
    """

    user: User
    given_at: datetime
    new_lists: list[MovieList] = field(default_factory=list)
    additions: list[Addition] = field(default_factory=list)
    n_left: int = 0

    def counts(self) -> dict[str, int]:
        added = {"lists_new": len(self.new_lists), "list_movies_new": len(self.additions)}
        return added | {"list_movies_left": self.n_left}

    def add(self, rows: QuerySet[ImportRow], named: Sequence[dict[str, str]]) -> None:
        """Adds the matched rows in the order of the file. `named` are the lists in the import's report."""
        listed: dict[str, dict[int, datetime]] = {}
        columns = ("list_name", "movie_id", "recorded_at")
        movie_id: Any  # not None
        for name, movie_id, recorded_at in rows.filter(kind=ImportRow.Kind.LISTED).values_list(*columns):
            listed.setdefault(name, {}).setdefault(movie_id, recorded_at or self.given_at)
        if not listed:
            return
        about = {found["name"]: found["description"] for found in named}
        existing = {found.name: found for found in self.user.lists.all()}
        for name, movies in listed.items():
            if name not in existing and len(existing) < MAX_LISTS:
                existing[name] = MovieList(user=self.user, name=name, description=about.get(name, ""))
                self.new_lists.append(existing[name])
            if name in existing:
                self._append(existing[name], movies)
            else:
                self.n_left += len(movies)

    def _append(self, movie_list: MovieList, movies: dict[int, datetime]) -> None:
        held = dict(movie_list.items.values_list("movie_id", "position")) if movie_list.pk else {}
        missing = [movie_id for movie_id in movies if movie_id not in held]
        added = missing[: max(MAX_LIST_LENGTH - len(held), 0)]
        self.n_left += len(missing) - len(added)
        for position, movie_id in enumerate(added, max(held.values(), default=0) + 1):
            self.additions.append(Addition(movie_list, movie_id, position, movies[movie_id]))

    def write(self) -> None:
        MovieList.objects.bulk_create(self.new_lists)
        changed = {addition.movie_list.pk for addition in self.additions}
        MovieList.objects.filter(pk__in=changed).update(updated_at=timezone.now())
        rows = ([addition.movie_list.pk, *addition[1:]] for addition in self.additions)
        insert_rows(MovieListItem, ITEM_COLUMNS, rows, ignore_conflicts=True)
