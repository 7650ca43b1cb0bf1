"""Genres, keywords and people of movies; links that exist stay, whatever their source."""

from collections.abc import Iterable
from typing import Any
from zlib import crc32

from django.db.models import Model
from django.utils.text import slugify

from catalog.importers.records import MovieRecord
from catalog.models import Credit, Genre, Keyword, Movie, MovieGenre, MovieKeyword, Person, Source

Pairs = list[tuple[Movie, MovieRecord]]


def write_links(source: Source, pairs: Pairs, *, fresh: set[int]) -> set[int]:
    """Adds what is missing; `fresh` movies have no links yet. Returns the others that got one."""
    old = [movie.pk for movie, _ in pairs if movie.pk not in fresh]
    genres = _genre_ids({name for _, record in pairs for name in record.genres})
    keywords = _keyword_ids({name for _, record in pairs for name in record.keywords})
    people = _person_ids(source, {name for _, record in pairs for name in (*record.cast, *record.directors)})
    added = _add_missing(
        MovieGenre,
        ("genre_id",),
        old,
        (
            MovieGenre(movie=movie, genre_id=genres[name], source=source)
            for movie, record in pairs
            for name in record.genres
        ),
    )
    added |= _add_missing(
        MovieKeyword,
        ("keyword_id",),
        old,
        (
            MovieKeyword(movie=movie, keyword_id=keywords[name], source=source)
            for movie, record in pairs
            for name in record.keywords
        ),
    )
    added |= _add_missing(
        Credit,
        ("person_id", "role"),
        old,
        (
            Credit(movie=movie, person_id=people[name], role=role, position=position, source=source)
            for movie, record in pairs
            for role, names in ((Credit.Role.CAST, record.cast), (Credit.Role.DIRECTOR, record.directors))
            for position, name in enumerate(names)
        ),
    )
    return added - fresh


def _add_missing(model: type[Any], fields: tuple[str, ...], old: list[int], links: Iterable[Any]) -> set[int]:
    existing = set(model.objects.filter(movie_id__in=old).values_list("movie_id", *fields)) if old else set()
    missing: dict[tuple[Any, ...], Model] = {}
    for link in links:
        key = (link.movie_id, *(getattr(link, field) for field in fields))
        if key not in existing:
            missing.setdefault(key, link)
    model.objects.bulk_create(missing.values(), batch_size=2000)
    return {key[0] for key in missing}


def _genre_ids(names: set[str]) -> dict[str, int]:
    known = dict(Genre.objects.filter(name__in=names).values_list("name", "pk"))
    for name in sorted(names - known.keys()):
        slug = slugify(name) or f"genre-{crc32(name.encode()):x}"
        known[name] = Genre.objects.get_or_create(slug=slug[:60], defaults={"name": name})[0].pk
    return known


def _keyword_ids(names: set[str]) -> dict[str, int]:
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
