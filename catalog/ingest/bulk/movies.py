"""Movies by the operator's ids."""

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from catalog.ingest.bulk.lines import MovieLine, NumberedLine
from catalog.ingest.bulk.report import BulkReport
from catalog.ingest.fields import assign, supplied_by, values_from
from catalog.ingest.identity import IDS, IdIndex, having_any_id, ids_of
from catalog.ingest.links import links_by_name, write_links
from catalog.models import Movie, SearchTerm, Source

LISTS = {"genres", "keywords", "cast", "directors"}
SEARCHED = {"title", "original_title"}


def upsert_movies(lines: Sequence[NumberedLine[MovieLine]], report: BulkReport) -> None:
    """Finds a movie by external id, else by another id, and then gives it the external one.

    Fields that a line names are set, unless a person edited them by hand; all others stay.
    """
    with transaction.atomic():
        wanted = having_any_id(ids_of([line for _, line in lines], IDS))
        known = IdIndex(Movie.objects.select_for_update().filter(wanted).order_by("pk"))
        changed: dict[int, Movie] = {}  # by object id: a new movie has no key yet
        pairs: list[tuple[Movie, MovieLine]] = []
        fresh: list[Movie] = []
        for number, line in lines:
            movie = known.find(line, own="external_id")
            if wrong := _conflict(known, line, movie) or (
                "" if movie or line.title else "title: required for a new movie"
            ):
                report.reject(number, wrong)
                continue
            if movie is None:
                movie = Movie(source=Source.BULK)
                fresh.append(movie)
            if _set(movie, line) and movie.pk is not None:
                changed[id(movie)] = movie
            known.add(movie)
            pairs.append((movie, line))
        _save(fresh, list(changed.values()))
        linked = _link(pairs, fresh={movie.pk for movie in fresh})
        Movie.objects.filter(pk__in=linked).update(updated_at=timezone.now())
    updated = linked | {movie.pk for movie in changed.values()}
    report.inserted += len(fresh)
    report.updated += len(updated)
    report.unchanged += len(pairs) - len(fresh) - len(updated)


def _conflict(known: IdIndex[Movie], line: MovieLine, movie: Movie | None) -> str:
    values = values_from(line, Source.BULK)
    taken = known.taken(values, movie)
    return next((f"{name}: {values[name]} belongs to another movie, {owner}" for name, owner in taken.items()), "")


def _set(movie: Movie, line: MovieLine) -> bool:
    """True when something changed."""
    values = values_from(line, Source.BULK, given=line.model_fields_set)
    if line.release_date:
        values.setdefault("year", line.release_date.year)
    changed = assign(movie, values, Source.BULK)
    if SEARCHED & changed.keys():
        movie.set_search()
    return bool(changed)


def _save(fresh: list[Movie], changed: list[Movie]) -> None:
    Movie.objects.bulk_create(fresh)
    now = timezone.now()
    for movie in changed:
        movie.updated_at = now
    columns = [*supplied_by(Source.BULK), "search_title", "search_terms", "field_sources", "updated_at"]
    Movie.objects.bulk_update(changed, columns)
    SearchTerm.objects.learn(movie.search_terms for movie in (*fresh, *changed))


def _link(pairs: list[tuple[Movie, MovieLine]], *, fresh: set[int]) -> set[int]:
    """Replaces the lists that lines name, each by the last line that names it. Returns the changed movies."""
    lists: dict[Movie, dict[str, Any]] = {}
    for movie, line in pairs:
        lists[movie] = lists.get(movie, {}) | {name: getattr(line, name) for name in LISTS & line.model_fields_set}
    links = links_by_name(Source.BULK, list(lists.values()))
    return write_links(Source.BULK, zip(lists, links, strict=True), fresh=fresh, replace=True)
