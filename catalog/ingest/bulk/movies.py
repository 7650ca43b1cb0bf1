"""Movies by the operator's ids."""

from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from catalog.ingest.bulk.lines import MovieLine, NumberedLine
from catalog.ingest.bulk.report import BulkReport
from catalog.ingest.links import Pairs, genre_ids, write_links
from catalog.ingest.records import MovieRecord
from catalog.models import Credit, Movie, MovieGenre, MovieKeyword, SearchTerm, Source

OTHER_IDS = ("movielens_id", "tmdb_id", "imdb_id")
IDS = ("external_id", *OTHER_IDS)
TITLES = ("title", "original_title")
FIELDS = (
    *TITLES,
    "year",
    "release_date",
    "overview",
    "language",
    "runtime_minutes",
    "is_adult",
    *OTHER_IDS,
)
# What each list of a line is made of, and by what a link is known.
LINKS: dict[str, tuple[QuerySet[Any], str]] = {
    "genres": (MovieGenre.objects.all(), "genre_id"),
    "keywords": (MovieKeyword.objects.all(), "keyword__name"),
    "cast": (Credit.objects.filter(role=Credit.Role.CAST), "person__name"),
    "directors": (Credit.objects.filter(role=Credit.Role.DIRECTOR), "person__name"),
}


def upsert_movies(lines: Sequence[NumberedLine[MovieLine]], report: BulkReport) -> None:
    """A movie is found by its external id, else by an id of another catalogue, and then gets the external one.

    What a line names is set, unless a person wrote it here by hand; what it does not name stays.
    """
    with transaction.atomic():
        known = _Known([line for _, line in lines])
        changed: dict[int, Movie] = {}  # by the object: a new one has no key yet
        pairs: list[tuple[Movie, MovieLine]] = []
        fresh: list[Movie] = []
        for number, line in lines:
            movie = known.match(line)
            if wrong := known.conflict(line, movie) or ("" if movie or line.title else "title: a new movie needs one"):
                report.reject(number, wrong)
                continue
            if movie is None:
                movie = Movie(source=Source.BULK)
                fresh.append(movie)
            if _set(movie, line) and movie.pk is not None:
                changed[id(movie)] = movie
            known.remember(movie)
            pairs.append((movie, line))
        _save(fresh, list(changed.values()))
        linked = _link(pairs, fresh={movie.pk for movie in fresh})
        Movie.objects.filter(pk__in=linked).update(updated_at=timezone.now())
    updated = linked | {movie.pk for movie in changed.values()}
    report.inserted += len(fresh)
    report.updated += len(updated)
    report.unchanged += len(pairs) - len(fresh) - len(updated)


class _Known:
    """The movies that the lines may mean, by each of their ids, kept in step as ids are given."""

    def __init__(self, lines: list[MovieLine]) -> None:
        self._by_id: dict[tuple[str, Any], Movie] = {}
        named = {name: [value for line in lines if (value := getattr(line, name)) is not None] for name in IDS}
        wanted = reduce(or_, (Q(**{f"{name}__in": values}) for name, values in named.items() if values), Q(pk=None))
        for movie in Movie.objects.select_for_update().filter(wanted).order_by("pk"):
            self.remember(movie)

    def remember(self, movie: Movie) -> None:
        for name in IDS:
            if (value := getattr(movie, name)) is not None:
                self._by_id[name, value] = movie

    def match(self, line: MovieLine) -> Movie | None:
        if movie := self._by_id.get(("external_id", line.external_id)):
            return movie
        same = (self._by_id.get((name, getattr(line, name))) for name in OTHER_IDS)
        return next((movie for movie in same if movie and movie.external_id is None), None)

    def conflict(self, line: MovieLine, movie: Movie | None) -> str:
        for name in OTHER_IDS:
            value = getattr(line, name)
            owner = None if value is None else self._by_id.get((name, value))
            if owner is not None and owner is not movie:
                return f"{name}: {value} belongs to another movie, {owner}"
        return ""


def _set(movie: Movie, line: MovieLine) -> bool:
    """True when something was changed."""
    is_new = movie.pk is None
    given = {name: getattr(line, name) for name in FIELDS if name in line.model_fields_set}
    if line.release_date and "year" not in given:
        given["year"] = line.release_date.year
    differing = {name: value for name, value in given.items() if getattr(movie, name) != value}
    allowed = {name: value for name, value in differing.items() if is_new or not _is_by_hand(movie, name)}
    if movie.external_id is None:
        allowed["external_id"] = line.external_id
    for name, value in allowed.items():
        setattr(movie, name, value)
        if movie.source != Source.BULK and name != "external_id":
            movie.field_sources = {**movie.field_sources, name: Source.BULK.value}
    if allowed.keys() & set(TITLES):
        movie.set_search()
    return bool(allowed)


def _is_by_hand(movie: Movie, name: str) -> bool:
    return movie.source_of(name) == Source.SITE and getattr(movie, name) not in (None, "")


def _save(fresh: list[Movie], changed: list[Movie]) -> None:
    Movie.objects.bulk_create(fresh)
    now = timezone.now()
    for movie in changed:
        movie.updated_at = now
    kept = [*FIELDS, "external_id", "search_title", "search_terms", "field_sources", "updated_at"]
    Movie.objects.bulk_update(changed, kept)
    SearchTerm.objects.learn(movie.search_terms for movie in (*fresh, *changed))


def _link(pairs: list[tuple[Movie, MovieLine]], *, fresh: set[int]) -> set[int]:
    """Makes the links of the lists that lines name what the last of the lines says; returns whose were changed."""
    lists: dict[Movie, dict[str, Any]] = {}
    for movie, line in pairs:
        if named := {name: getattr(line, name) for name in LINKS if name in line.model_fields_set}:
            lists[movie] = lists.get(movie, {}) | named
    if not lists:
        return set()
    records: Pairs = [(movie, MovieRecord(title=movie.title, **named)) for movie, named in lists.items()]
    return write_links(Source.BULK, records, fresh=fresh) | _unlink(lists)


def _unlink(lists: dict[Movie, dict[str, Any]]) -> set[int]:
    """Takes away what was brought before and is not on its list any more; what came another way stays."""
    genre_of = genre_ids({name for named in lists.values() for name in named.get("genres", ())})
    changed: set[int] = set()
    for name, (links, known_by) in LINKS.items():
        wanted: dict[int, set[Any]] = {movie.pk: set(named[name]) for movie, named in lists.items() if name in named}
        if name == "genres":  # two spellings may mean one genre
            wanted = {pk: {genre_of[genre] for genre in genres} for pk, genres in wanted.items()}
        rows = links.filter(source=Source.BULK, movie__in=wanted).values_list("pk", "movie_id", known_by)
        gone = [(pk, movie) for pk, movie, value in rows if value not in wanted[movie]]
        links.filter(pk__in=[pk for pk, _ in gone]).delete()
        changed |= {movie for _, movie in gone}
    return changed
