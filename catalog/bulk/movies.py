"""Movies by the operator's ids."""

from collections.abc import Iterable, Sequence
from functools import reduce
from operator import or_
from typing import Any

from django.db import transaction
from django.db.models import Model, Q
from django.utils import timezone

from catalog.bulk.lines import MovieLine, Numbered
from catalog.bulk.report import BulkReport
from catalog.importers.records import MovieRecord
from catalog.importers.writing.links import Pairs, genre_ids, write_links
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
LINKS = ("genres", "keywords", "cast", "directors")


def upsert_movies(lines: Sequence[Numbered[MovieLine]], report: BulkReport) -> None:
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
    """Lists that a line names are what it brought: links that came this way and are on it no more go."""
    latest: dict[int, MovieRecord] = {}
    named: dict[int, set[str]] = {}
    movies: dict[int, Movie] = {}
    for movie, line in pairs:
        record = latest.setdefault(movie.pk, MovieRecord(title=movie.title))
        movies[movie.pk] = movie
        for name in set(LINKS) & line.model_fields_set:
            setattr(record, name, getattr(line, name))
            named.setdefault(movie.pk, set()).add(name)
    records: Pairs = [(movies[pk], latest[pk]) for pk in named]
    if not records:
        return set()
    added = write_links(Source.BULK, records, fresh=fresh)
    return added | _unlink(records, named)


def _unlink(records: Pairs, named: dict[int, set[str]]) -> set[int]:
    genres = genre_ids({name for _, record in records for name in record.genres})
    wanted = {movie.pk: record for movie, record in records}

    def of(name: str) -> list[int]:
        return [pk for pk, names in named.items() if name in names]

    def gone(rows: Iterable[tuple[int, int, Any]], kept: dict[int, set[Any]]) -> list[tuple[int, int]]:
        return [(row, movie) for row, movie, value in rows if value not in kept[movie]]

    found: list[tuple[type[Model], list[tuple[int, int]]]] = []
    by_hand_stay = {"source": Source.BULK}
    rows: Any = MovieGenre.objects.filter(movie__in=of("genres"), **by_hand_stay)
    kept: dict[int, set[Any]] = {pk: {genres[name] for name in wanted[pk].genres} for pk in of("genres")}
    found.append((MovieGenre, gone(rows.values_list("pk", "movie_id", "genre_id"), kept)))
    rows = MovieKeyword.objects.filter(movie__in=of("keywords"), **by_hand_stay)
    kept = {pk: set(wanted[pk].keywords) for pk in of("keywords")}
    found.append((MovieKeyword, gone(rows.values_list("pk", "movie_id", "keyword__name"), kept)))
    for role, name in ((Credit.Role.CAST, "cast"), (Credit.Role.DIRECTOR, "directors")):
        rows = Credit.objects.filter(movie__in=of(name), role=role, **by_hand_stay)
        kept = {pk: set(getattr(wanted[pk], name)) for pk in of(name)}
        found.append((Credit, gone(rows.values_list("pk", "movie_id", "person__name"), kept)))
    for model, links in found:
        model._default_manager.filter(pk__in=[row for row, _ in links]).delete()
    return {movie for _, links in found for _, movie in links}
