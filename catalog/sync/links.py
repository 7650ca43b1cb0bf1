"""Genres, keywords, people and other titles of a movie. Only links that came from TMDB are changed or removed."""

from collections.abc import Iterable, Sequence
from itertools import chain, islice
from typing import Any, NamedTuple

from django.conf import settings
from django.db.models import Model

from catalog.ingest.links import genre_ids, keyword_ids
from catalog.models import AlternativeTitle, Credit, Movie, MovieGenre, MovieKeyword, Person, Source
from catalog.providers.tmdb_documents import CastMember, CrewMember, MovieDocument

# One word for one thing: the name under which the catalogue has the same genre from other sources.
GENRE_NAMES = {"Science Fiction": "Sci-Fi"}
MAX_TITLES = 100
CHARACTER_LENGTH = 200

# The further columns of each link by those that make it one.
Wanted = dict[tuple[Any, ...], dict[str, Any]]


class Links(NamedTuple):
    """What a movie is to be linked to; the names are those that `field_sources` uses."""

    genres: Wanted
    keywords: Wanted
    credits: Wanted
    alternative_titles: Wanted


TABLES: dict[str, tuple[type[Model], tuple[str, ...]]] = {
    "genres": (MovieGenre, ("genre_id",)),
    "keywords": (MovieKeyword, ("keyword_id",)),
    "credits": (Credit, ("person_id", "role")),
    "alternative_titles": (AlternativeTitle, ("title",)),
}


def links_of(documents: Sequence[MovieDocument]) -> list[Links]:
    """Makes genres, keywords and people that are missing, before and outside of the movies' transaction: rows that
    workers share are then never locked for long, nor by two in opposite order."""
    genre_names = [{GENRE_NAMES.get(genre.name, genre.name) for genre in document.genres} for document in documents]
    keyword_names = [{keyword.name for keyword in document.keywords if keyword.name} for document in documents]
    casts = [sorted(document.credits.cast, key=lambda member: member.order) for document in documents]
    directors = [[member for member in d.credits.crew if member.job == "Director"] for d in documents]
    genres = genre_ids(set().union(*genre_names))
    keywords = keyword_ids(set().union(*keyword_names))
    people = _person_ids(chain(*casts, *directors))
    return [
        Links(
            genres={(genres[name],): {} for name in genre_names[number]},
            keywords={(keywords[name],): {} for name in keyword_names[number]},
            credits=_credits(casts[number], directors[number], people),
            alternative_titles=_titles(document),
        )
        for number, document in enumerate(documents)
    ]


def write_links(pairs: Sequence[tuple[Movie, Links]], *, fresh: set[int]) -> set[int]:
    """Keys of the movies whose links changed; `fresh` ones have none yet. What an editor changed stays as it is."""
    changed: set[int] = set()
    for name, (model, columns) in TABLES.items():
        wanted = {
            movie.pk: getattr(links, name) for movie, links in pairs if movie.field_sources.get(name) != Source.SITE
        }
        changed |= _write(model, columns, wanted, wanted.keys() - fresh)
    return changed


def _write(model: type[Model], columns: tuple[str, ...], wanted: dict[int, Wanted], old: Iterable[int]) -> set[int]:
    missing = {movie_id: dict(links) for movie_id, links in wanted.items()}
    leftover: list[int] = []
    changed: set[int] = set()
    existing: Any = model._default_manager.filter(movie_id__in=list(old)) if old else ()
    for row in existing:
        rest = missing[row.movie_id].pop(tuple(getattr(row, column) for column in columns), None)
        if row.source != Source.TMDB:
            continue
        if rest is None:
            leftover.append(row.pk)
            changed.add(row.movie_id)
        elif any(getattr(row, name) != value for name, value in rest.items()):
            model._default_manager.filter(pk=row.pk).update(**rest)
            changed.add(row.movie_id)
    new = [
        model(movie_id=movie_id, source=Source.TMDB, **dict(zip(columns, key, strict=True)), **rest)
        for movie_id, links in missing.items()
        for key, rest in links.items()
    ]
    if leftover:
        model._default_manager.filter(pk__in=leftover).delete()
    model._default_manager.bulk_create(new)
    return changed | {movie_id for movie_id, links in missing.items() if links}


def _titles(document: MovieDocument) -> Wanted:
    own = {"", document.title, document.original_title}
    titles = dict.fromkeys(other.title for other in document.alternative_titles if other.title not in own)
    return {(title,): {} for title in islice(titles, MAX_TITLES)}


def _credits(cast: list[CastMember], directors: list[CrewMember], people: dict[int, int]) -> Wanted:
    """Somebody who plays twice has one credit with both characters."""
    wanted: Wanted = {}
    for member in cast:
        key: tuple[Any, ...] = (people[member.id], Credit.Role.CAST.value)
        if key in wanted:
            both = f"{wanted[key]['character']} / {member.character}".strip(" /")
            wanted[key]["character"] = both[:CHARACTER_LENGTH]
        elif len(wanted) < settings.POLICY.tmdb.max_cast:
            wanted[key] = {"position": len(wanted), "character": member.character}
    for director in directors:
        n_before = sum(role == Credit.Role.DIRECTOR for _, role in wanted)
        wanted.setdefault((people[director.id], Credit.Role.DIRECTOR.value), {"position": n_before, "character": ""})
    return wanted


def _person_ids(members: Iterable[CastMember | CrewMember]) -> dict[int, int]:
    """Primary keys by TMDB id; those that are missing are made, and a name that changed is taken over."""
    names = {member.id: member.name for member in members}
    known = {person.tmdb_id: person for person in Person.objects.filter(tmdb_id__in=names)}
    new = [Person(tmdb_id=tmdb_id, name=names[tmdb_id], source=Source.TMDB) for tmdb_id in sorted(names.keys() - known)]
    if new:
        Person.objects.bulk_create(new, ignore_conflicts=True)
        known = {person.tmdb_id: person for person in Person.objects.filter(tmdb_id__in=names)}
    for tmdb_id, person in known.items():
        if person.source == Source.TMDB and tmdb_id is not None and person.name != names[tmdb_id]:
            Person.objects.filter(pk=person.pk).update(name=names[tmdb_id])
    return {tmdb_id: person.pk for tmdb_id, person in known.items() if tmdb_id is not None}
