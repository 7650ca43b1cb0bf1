"""Genres, keywords and people of movies; links that exist stay, whatever their source."""

from collections.abc import Iterable
from typing import Any
from zlib import crc32

from django.db.models import Model
from django.utils.text import slugify

from catalog.ingest.records import MovieRecord
from catalog.ingest.rows import insert_rows
from catalog.models import Credit, Genre, Keyword, Movie, MovieGenre, MovieKeyword, Person, Source

Pairs = list[tuple[Movie, MovieRecord]]
Key = tuple[Any, ...]


def write_links(source: Source, pairs: Pairs, *, fresh: set[int]) -> set[int]:
    """Adds what is missing; `fresh` movies have no links yet. Returns the others that got one."""
    old = [movie.pk for movie, _ in pairs if movie.pk not in fresh]
    genres = genre_ids({name for _, record in pairs for name in record.genres})
    keywords = keyword_ids({name for _, record in pairs for name in record.keywords})
    people = _person_ids(source, {name for _, record in pairs for name in (*record.cast, *record.directors)})
    rest = {"source": source.value}
    added = _add_missing(
        MovieGenre, ("movie_id", "genre_id"), old, (((m.pk, genres[n]), rest) for m, r in pairs for n in r.genres)
    )
    added |= _add_missing(
        MovieKeyword,
        ("movie_id", "keyword_id"),
        old,
        (((m.pk, keywords[n]), rest) for m, r in pairs for n in r.keywords),
    )
    added |= _add_missing(
        Credit,
        ("movie_id", "person_id", "role"),
        old,
        (
            ((movie.pk, people[name], role.value), {**rest, "position": position, "character": ""})
            for movie, record in pairs
            for role, names in ((Credit.Role.CAST, record.cast), (Credit.Role.DIRECTOR, record.directors))
            for position, name in enumerate(names)
        ),
    )
    return added - fresh


def _add_missing(
    model: type[Model], fields: tuple[str, ...], old: list[int], links: Iterable[tuple[Key, dict[str, Any]]]
) -> set[int]:
    """Inserts the links whose key (of `fields`) is not there."""
    existing = set(model._default_manager.filter(movie_id__in=old).values_list(*fields)) if old else set()
    missing: dict[Key, dict[str, Any]] = {}
    for key, rest in links:
        if key not in existing:
            missing.setdefault(key, rest)
    if missing:
        columns = (*fields, *next(iter(missing.values())))
        insert_rows(model, columns, ((*key, *rest.values()) for key, rest in missing.items()))
    return {key[0] for key in missing}


def genre_ids(names: set[str]) -> dict[str, int]:
    known = dict(Genre.objects.filter(name__in=names).values_list("name", "pk"))
    for name in sorted(names - known.keys()):
        slug = slugify(name) or f"genre-{crc32(name.encode()):x}"
        known[name] = Genre.objects.get_or_create(slug=slug[:60], defaults={"name": name})[0].pk
    return known


def keyword_ids(names: set[str]) -> dict[str, int]:
    known = dict(Keyword.objects.filter(name__in=names).values_list("name", "pk"))
    if missing := sorted(names - known.keys()):
        Keyword.objects.bulk_create([Keyword(name=name) for name in missing], ignore_conflicts=True)
        known |= dict(Keyword.objects.filter(name__in=missing).values_list("name", "pk"))
    return known


def _person_ids(source: Source, names: set[str]) -> dict[str, int]:
    """People of a data set are known by their names alone, so they are looked for among those of the same source."""
    known = dict(Person.objects.filter(source=source, name__in=names).order_by("-pk").values_list("name", "pk"))
    new = Person.objects.bulk_create([Person(name=name, source=source) for name in sorted(names - known.keys())])
    return known | {person.name: person.pk for person in new}
