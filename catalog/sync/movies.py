"""Writes TMDB's answers to the catalogue: movies, their links, and each item's outcome in the same transaction."""

from collections.abc import Iterable, Sequence
from itertools import chain, islice
from typing import NamedTuple

from django.conf import settings
from django.db import OperationalError, transaction

from catalog.errors import AnswerRejected, ProviderError, RecordGone, TokenRefused
from catalog.ingest.links import Links, Wanted, genre_ids, keyword_ids
from catalog.models import Movie, Person, Source, SyncItem, SyncRun, TMDBRecord
from catalog.providers.tmdb import FoundMovie, TMDBClient
from catalog.providers.tmdb_documents import CastMember, CrewMember, MovieDocument
from catalog.references import unreferenced
from catalog.sync.batch import Batch, duplicates_of, record, save_records
from catalog.sync.work_items import settle

# Genres that other sources call by another name.
GENRE_NAMES = {"Science Fiction": "Sci-Fi"}
MAX_TITLES = 100
CHARACTER_LENGTH = 200

State = TMDBRecord.State
Outcome = SyncItem.Outcome


class Answer(NamedTuple):
    item: SyncItem
    found: FoundMovie


class Failure(NamedTuple):
    item: SyncItem
    error: Exception


def write_movies(run: SyncRun, answers: Sequence[Answer], client: TMDBClient) -> list[Failure]:
    """Writes all answers in one transaction; if that fails, each in its own."""
    failures = []
    try:
        _write(run, answers, client)
    except (OperationalError, TokenRefused):
        raise
    except Exception:  # one bad movie, or another worker added the same one at the same time
        for answer in answers:
            try:
                _write(run, [answer], client)
            except (OperationalError, TokenRefused):
                raise
            except Exception as error:
                failures.append(Failure(answer.item, error))
    return failures


def write_failure(item: SyncItem, error: Exception) -> None:
    """Records the failure; the movie stays, unless TMDB removed it and nothing on the site refers to it."""
    tmdb_id = int(item.key)
    state, outcome = State.FAILED, Outcome.FAILED
    if isinstance(error, RecordGone):
        state, outcome = State.GONE, Outcome.GONE
    elif isinstance(error, AnswerRejected):
        state, outcome = State.REJECTED, Outcome.REJECTED
    reason = str(error) if isinstance(error, ProviderError) else f"This site failed: {type(error).__name__}"
    with transaction.atomic():
        if settle(item, outcome):
            save_records([record(tmdb_id, state=state, reason=reason)], with_content=False)
            if state == State.GONE:
                _remove_unused([tmdb_id])


def _write(run: SyncRun, answers: Sequence[Answer], client: TMDBClient) -> None:
    duplicates = duplicates_of([answer.found.document for answer in answers], client)
    links = _links_of([answer.found.document for answer in answers])
    with transaction.atomic():
        keys = [answer.item.pk for answer in answers]
        # Skips items that another worker has settled in the meantime.
        still_open = SyncItem.objects.select_for_update().filter(pk__in=keys, outcome="").order_by("pk")
        unsettled = set(still_open.values_list("pk", flat=True))
        mine = [(a, of_movie) for a, of_movie in zip(answers, links, strict=True) if a.item.pk in unsettled]
        batch = Batch([answer.found for answer, _ in mine], duplicates, takes_deleted=run.scope == SyncRun.Scope.IDS)
        for answer, of_movie in mine:
            batch.take(answer.item.pk, answer.found, of_movie)
        for outcome, items in batch.save().items():
            SyncItem.objects.filter(pk__in=items).update(outcome=outcome)
        _remove_unused(found.asked_id for (_, found), _ in mine if found.asked_id != found.document.id)


def _links_of(documents: Sequence[MovieDocument]) -> list[Links]:
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


def _remove_unused(tmdb_ids: Iterable[int]) -> None:
    if ids := list(tmdb_ids):
        movies = Movie.objects.filter(tmdb_id__in=ids, source=Source.TMDB)
        Movie.objects.filter(pk__in=unreferenced(movies)).delete()
