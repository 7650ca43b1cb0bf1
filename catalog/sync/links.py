"""Genres, keywords, people and other titles of a movie. Only links that came from TMDB are changed or removed."""

from collections.abc import Iterable
from typing import Any, NamedTuple, Self

from django.conf import settings
from django.db.models import Model

from catalog.importers.writing.links import genre_ids, keyword_ids
from catalog.models import AlternativeTitle, Credit, Movie, MovieGenre, MovieKeyword, Person, Source
from catalog.providers.tmdb_documents import CastMember, CrewMember, MovieDocument

# One word for one thing: the name under which the catalogue has the same genre from other sources.
GENRE_NAMES = {"Science Fiction": "Sci-Fi"}
MAX_TITLES = 100
CHARACTER_LENGTH = 200

Wanted = dict[Any, dict[str, Any]]  # what links a movie, by the column's value, and the link's further columns


class Links(NamedTuple):
    """What a movie is to be linked to. Genres, keywords and people are made before, outside of the movie's
    transaction: rows that workers share are then never locked for long, nor by two in opposite order."""

    genres: Wanted
    keywords: Wanted
    credits: Wanted
    titles: Wanted

    @classmethod
    def of(cls, document: MovieDocument) -> Self:
        genre_names = {GENRE_NAMES.get(genre.name, genre.name) for genre in document.genres}
        keyword_names = {keyword.name for keyword in document.keywords if keyword.name}
        cast = sorted(document.credits.cast, key=lambda member: member.order)
        directors = [member for member in document.credits.crew if member.job == "Director"]
        people = _person_ids([*cast, *directors])
        titles = dict.fromkeys(other.title for other in document.alternative_titles if other.title)
        own = {document.title, document.original_title}
        return cls(
            genres={pk: {} for pk in genre_ids(genre_names).values()},
            keywords={pk: {} for pk in keyword_ids(keyword_names).values()},
            credits=_credits(cast, directors, people),
            titles={title: {} for title in [title for title in titles if title not in own][:MAX_TITLES]},
        )


def write_links(movie: Movie, links: Links) -> bool:
    """True when something changed. What an editor has changed by hand stays as it was left."""
    tables: list[tuple[str, type[Model], tuple[str, ...], Wanted]] = [
        ("genres", MovieGenre, ("genre_id",), links.genres),
        ("keywords", MovieKeyword, ("keyword_id",), links.keywords),
        ("credits", Credit, ("person_id", "role"), links.credits),
        ("alternative_titles", AlternativeTitle, ("title",), links.titles),
    ]
    edited = {name for name, source in movie.field_sources.items() if source == Source.SITE}
    changes = [_write(movie, model, columns, wanted) for name, model, columns, wanted in tables if name not in edited]
    return any(changes)


def _write(movie: Movie, model: type[Model], columns: tuple[str, ...], wanted: Wanted) -> bool:
    rows: dict[Any, Any] = {}
    for row in model._default_manager.filter(movie=movie):
        values = tuple(getattr(row, column) for column in columns)
        rows[values if len(columns) > 1 else values[0]] = row
    old = [row.pk for key, row in rows.items() if key not in wanted and row.source == Source.TMDB]
    new = [
        model(movie=movie, source=Source.TMDB, **dict(zip(columns, _tuple(key), strict=True)), **rest)
        for key, rest in wanted.items()
        if key not in rows
    ]
    changed = False
    for key, rest in wanted.items():
        row = rows.get(key)
        if row and row.source == Source.TMDB and any(getattr(row, name) != value for name, value in rest.items()):
            model._default_manager.filter(pk=row.pk).update(**rest)
            changed = True
    if old:
        model._default_manager.filter(pk__in=old).delete()
    if new:
        model._default_manager.bulk_create(new)
    return changed or bool(old or new)


def _tuple(key: Any) -> tuple[Any, ...]:
    return key if isinstance(key, tuple) else (key,)


def _credits(cast: list[CastMember], directors: list[CrewMember], people: dict[int, int]) -> Wanted:
    """Somebody who plays twice has one credit with both characters."""
    wanted: Wanted = {}
    for member in cast:
        key = (people[member.id], Credit.Role.CAST.value)
        if key in wanted:
            both = f"{wanted[key]['character']} / {member.character}".strip(" /")
            wanted[key]["character"] = both[:CHARACTER_LENGTH]
        elif len(wanted) < settings.POLICY.tmdb.max_cast:
            wanted[key] = {"position": len(wanted), "character": member.character}
    for director in directors:
        n_before = sum(role == Credit.Role.DIRECTOR for _, role in wanted)
        wanted.setdefault(
            (people[director.id], Credit.Role.DIRECTOR.value), {"position": n_before, "character": ""}
        )
    return wanted


def _person_ids(members: Iterable[CastMember | CrewMember]) -> dict[int, int]:
    """Primary keys by TMDB id; those that are missing are made, and a name that changed is taken over."""
    names = {member.id: member.name for member in members}
    known = {person.tmdb_id: person for person in Person.objects.filter(tmdb_id__in=names)}
    new = [
        Person(tmdb_id=tmdb_id, name=names[tmdb_id], source=Source.TMDB) for tmdb_id in sorted(names.keys() - known)
    ]
    if new:
        Person.objects.bulk_create(new, ignore_conflicts=True)
        known = {person.tmdb_id: person for person in Person.objects.filter(tmdb_id__in=names)}
    for tmdb_id, person in known.items():
        if person.source == Source.TMDB and tmdb_id is not None and person.name != names[tmdb_id]:
            Person.objects.filter(pk=person.pk).update(name=names[tmdb_id])
    return {tmdb_id: person.pk for tmdb_id, person in known.items() if tmdb_id is not None}
