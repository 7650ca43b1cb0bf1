"""Finds a movie in the catalogue by its ids or by variants of its titles."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from typing import Any, Generic, TypeVar

from django.db.models import Q, QuerySet

from catalog.ingest.titles import Name, also_called
from catalog.models import AlternativeTitle, Movie

PUBLIC_IDS = ("movielens_id", "imdb_id", "tmdb_id")
IDS = (*PUBLIC_IDS, "external_id")

T = TypeVar("T")


def having_any_id(ids: Mapping[str, Collection[Any]]) -> Q:
    """Returns a filter for movies with any of the ids. Without ids, it matches nothing."""
    return reduce(or_, (Q(**{f"{name}__in": values}) for name, values in ids.items() if values), Q(pk__in=()))


def ids_of(records: Iterable[Any], names: Iterable[str] = PUBLIC_IDS) -> dict[str, list[Any]]:
    """Returns the records' ids, keyed by id name."""
    known = list(records)
    return {name: [value for record in known if (value := getattr(record, name))] for name in names}


class IdIndex(Generic[T]):
    """An index of movies by each of their ids. Call `add` again if a movie's ids change."""

    def __init__(self, movies: Iterable[T] = (), *, names: tuple[str, ...] = IDS) -> None:
        self._names = names
        self._by_id: dict[tuple[str, Any], T] = {}
        for movie in movies:
            self.add(movie)

    def add(self, movie: T) -> None:
        for name in self._names:
            if (value := getattr(movie, name)) is not None:
                self._by_id[name, value] = movie

    def get(self, name: str, value: Any) -> T | None:
        return self._by_id.get((name, value))

    def find(self, record: Any, *, own: str) -> T | None:
        """Returns the movie with the record's `own` id, or one that shares another id and has no `own` id yet."""
        if movie := self.get(own, getattr(record, own)):
            return movie
        shared = (self.get(name, getattr(record, name)) for name in PUBLIC_IDS if name != own)
        return next((movie for movie in shared if movie and getattr(movie, own) is None), None)

    def taken(self, values: Mapping[str, Any], movie: T | None) -> dict[str, T]:
        """Returns those ids among the values that belong to another movie, mapped to that movie."""
        owners = {name: self.get(name, values[name]) for name in self._names if name in values}
        return {name: owner for name, owner in owners.items() if owner is not None and owner is not movie}


@dataclass(slots=True)
class Candidate:
    """A movie that a title may refer to. `names` are (name, whether it is the main title) pairs."""

    pk: int
    title: str
    year: int | None
    movielens_id: int | None
    imdb_id: str | None
    tmdb_id: int | None
    names: list[tuple[Name, bool]] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.title} ({self.year})" if self.year else self.title

    @property
    def loose_names(self) -> set[str]:
        return {name.loose for name, _ in self.names}

    @property
    def n_ids(self) -> int:
        return sum(getattr(self, name) is not None for name in PUBLIC_IDS)

    def is_same_film(self, other: "Candidate") -> bool:
        """Returns whether both are the same film: equal title and year, and only one of them has ids."""
        if self.year is None or (self.title.casefold(), self.year) != (other.title.casefold(), other.year):
            return self.pk == other.pk
        has_ids = [bool(movie.imdb_id or movie.tmdb_id) for movie in (self, other)]
        return self.pk == other.pk or has_ids[0] != has_ids[1]


class Candidates:
    """All movies with any of the ids or titles, read in one pass over the catalogue.

    `years` restricts the pass to movies of these years and to those with the ids.
    """

    def __init__(
        self, *, ids: Mapping[str, Collection[Any]], titles: Iterable[str], years: Collection[int] | None = None
    ) -> None:
        self.spellings = {title: Name.of(title) for title in titles}
        self.by_id: IdIndex[Candidate] = IdIndex(names=PUBLIC_IDS)
        self._by_name: dict[str, list[Candidate]] = defaultdict(list)
        movies = Movie.objects.order_by("pk")
        if years is not None:
            movies = movies.filter(having_any_id(ids) | Q(year__in=years))
        self._read({name: set(values) for name, values in ids.items()}, movies, is_whole=years is None)

    def named(self, titles: Iterable[str]) -> list[Candidate]:
        found = {c.pk: c for title in titles for c in self._by_name.get(self.spellings[title].loose, ())}
        return list(found.values())

    def _read(self, ids: dict[str, set[Any]], movies: QuerySet[Movie], *, is_whole: bool) -> None:
        wanted = {name.loose for name in self.spellings.values()}
        alternatives: dict[int, list[str]] = defaultdict(list)
        others = AlternativeTitle.objects.order_by()
        others = others if is_whole else others.filter(movie__in=movies.order_by())
        for movie_id, title in others.values_list("movie_id", "title").iterator():
            if Name.of(title).loose in wanted:
                alternatives[movie_id].append(title)
        rows = movies.values_list("original_title", "pk", "title", "year", *PUBLIC_IDS)
        for original, *values in rows.iterator(chunk_size=5000):
            movie = Candidate(*values)
            aliases = [original, *also_called(movie.title), *alternatives.get(movie.pk, ())]
            names = [(Name.of(movie.title), True), *((Name.of(alias), False) for alias in aliases if alias)]
            movie.names = [(name, is_own) for name, is_own in names if name.loose in wanted]
            for loose in {name.loose for name, _ in movie.names}:
                self._by_name[loose].append(movie)
            if any(getattr(movie, name) in values for name, values in ids.items()):
                self.by_id.add(movie)
