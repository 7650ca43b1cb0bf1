"""The links that TMDB's documents describe: genres, keywords, people and other titles."""

from collections.abc import Iterable, Sequence
from itertools import chain, islice

from django.conf import settings

from catalog.ingest.links import Links, Wanted, genre_ids, keyword_ids
from catalog.models import Person, Source
from catalog.providers.tmdb_documents import CastMember, CrewMember, MovieDocument

# Genres that other sources call by another name.
GENRE_NAMES = {"Science Fiction": "Sci-Fi"}
MAX_TITLES = 100
CHARACTER_LENGTH = 200


def links_of(documents: Sequence[MovieDocument]) -> list[Links]:
    """The links of each document. Creates missing genres, keywords and people.

    Call it before and outside the movies' transaction: then rows that workers share are never locked for long, nor
    locked by two workers in opposite order.
    """
    genre_names = [{GENRE_NAMES.get(genre.name, genre.name) for genre in document.genres} for document in documents]
    keyword_names = [{keyword.name for keyword in document.keywords if keyword.name} for document in documents]
    casts = [sorted(document.credits.cast, key=lambda member: member.order) for document in documents]
    directors = [[member for member in d.credits.crew if member.job == "Director"] for d in documents]
    genres = genre_ids(set().union(*genre_names))
    keywords = keyword_ids(set().union(*keyword_names))
    people = _person_ids(chain(*casts, *directors))
    return [
        {
            "genres": {genres[name]: () for name in genre_names[number]},
            "keywords": {keywords[name]: () for name in keyword_names[number]},
            "cast": _cast(casts[number], people),
            "directors": {
                person: (position, "")
                for position, person in enumerate(dict.fromkeys(people[director.id] for director in directors[number]))
            },
            "alternative_titles": _titles(document),
        }
        for number, document in enumerate(documents)
    ]


def _titles(document: MovieDocument) -> Wanted:
    own = {"", document.title, document.original_title}
    titles = dict.fromkeys(other.title for other in document.alternative_titles if other.title not in own)
    return dict.fromkeys(islice(titles, MAX_TITLES), ())


def _cast(members: list[CastMember], people: dict[int, int]) -> Wanted:
    """A person with two roles gets one credit with both characters."""
    wanted: Wanted = {}
    for member in members:
        person = people[member.id]
        if person in wanted:
            position, character = wanted[person]
            wanted[person] = position, f"{character} / {member.character}".strip(" /")[:CHARACTER_LENGTH]
        elif len(wanted) < settings.POLICY.tmdb.max_cast:
            wanted[person] = len(wanted), member.character
    return wanted


def _person_ids(members: Iterable[CastMember | CrewMember]) -> dict[int, int]:
    """Primary keys by TMDB id. Creates missing people and updates names that changed."""
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
