"""Writes TMDB's responses about movies, and the outcome of each item in the same transaction."""

from collections.abc import Iterable, Sequence
from itertools import chain, islice

from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import OperationalError, transaction

from catalog.errors import AnswerRejected, RecordGone, TokenRefused
from catalog.ingest.links import Links, Wanted, genre_ids, keyword_ids
from catalog.models import Movie, Offer, Person, Source, SyncItem, SyncRun, WatchService
from catalog.providers.tmdb import TMDBClient
from catalog.providers.tmdb_documents import CastMember, CrewMember, ListedService, MovieDocument
from catalog.sync.batch import Answer, Batch, remove_unused

# Names that differ from other sources' names for the same genre.
GENRE_NAMES = {"Science Fiction": "Sci-Fi"}
MAX_TITLES = 100
CHARACTER_LENGTH = 200


def write_movies(run: SyncRun, answers: Sequence[Answer], client: TMDBClient) -> list[tuple[SyncItem, Exception]]:
    """Writes all answers in one transaction. If that fails, writes each in its own. Returns the failures."""
    try:
        _write(run, answers, client)
    except (OperationalError, TokenRefused, SoftTimeLimitExceeded):
        raise
    except Exception as error:  # one movie is invalid, or another worker added the same one concurrently
        if len(answers) == 1:
            return [(answers[0].item, error)]
        return [failure for answer in answers for failure in write_movies(run, [answer], client)]
    return []


def _write(run: SyncRun, answers: Sequence[Answer], client: TMDBClient) -> None:
    documents = [answer.found.document for answer in answers]
    duplicates = _duplicates_of(documents, client)
    links = _links_of(documents, client.region)
    with transaction.atomic():
        keys = [answer.item.pk for answer in answers]
        # Skip items that another worker has settled meanwhile.
        still_open = SyncItem.objects.select_for_update().filter(pk__in=keys, outcome="").order_by("pk")
        unsettled = set(still_open.values_list("pk", flat=True))
        mine = [(a, of_movie) for a, of_movie in zip(answers, links, strict=True) if a.item.pk in unsettled]
        batch = Batch(
            [answer.found for answer, _ in mine],
            duplicates,
            takes_deleted=run.scope == SyncRun.Scope.IDS,
            region=client.region,
        )
        for answer, of_movie in mine:
            batch.take(answer, of_movie)
        for outcome, items in batch.save().items():
            SyncItem.objects.filter(pk__in=items).update(outcome=outcome)
        remove_unused(found.asked_id for (_, found), _ in mine if found.is_merged)


def _duplicates_of(documents: Iterable[MovieDocument], client: TMDBClient) -> dict[int, int]:
    """Maps TMDB ids to existing movies with the same IMDb id.

    Only movies without a TMDB id, or with one that TMDB has merged into the new id, are duplicates.
    """
    by_imdb_id = {document.imdb_id: document for document in documents if document.imdb_id}
    duplicates = {}
    for other in list(Movie.objects.filter(imdb_id__in=by_imdb_id)):
        document = by_imdb_id[str(other.imdb_id)]
        if other.tmdb_id != document.id and _is_merged(other, document, client):
            duplicates[document.id] = other.pk
    return duplicates


def _is_merged(other: Movie, document: MovieDocument, client: TMDBClient) -> bool:
    if other.tmdb_id is None or Movie.objects.filter(tmdb_id=document.id).exists():
        return other.tmdb_id is None
    if other.field_sources.get("tmdb_id") == Source.SITE:
        return False
    try:
        return client.movie(other.tmdb_id).document.id == document.id
    except RecordGone:
        return True
    except AnswerRejected:
        return False


def _links_of(documents: Sequence[MovieDocument], region: str) -> list[Links]:
    """Returns the links of each document. Creates missing genres, keywords, people and services.

    Call it before the movies' transaction. Shared rows are then never locked for long, or by two workers in opposite
    order.
    """
    genre_names = [{GENRE_NAMES.get(genre.name, genre.name) for genre in document.genres} for document in documents]
    keyword_names = [{keyword.name for keyword in document.keywords if keyword.name} for document in documents]
    casts = [sorted(document.credits.cast, key=lambda member: member.order) for document in documents]
    directors = [[member for member in d.credits.crew if member.job == "Director"] for d in documents]
    genres = genre_ids(set().union(*genre_names))
    keywords = keyword_ids(set().union(*keyword_names))
    people = _person_ids(chain(*casts, *directors))
    offers = [_offers(document) for document in documents]
    _know(chain(*(services for of_movie in offers for services in of_movie.values())))
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
            **{
                kind: {service.provider_id: (region,) for service in services}
                for kind, services in offers[number].items()
            },
        }
        for number, document in enumerate(documents)
    ]


def _titles(document: MovieDocument) -> Wanted:
    own = {"", document.title, document.original_title}
    titles = dict.fromkeys(other.title for other in document.alternative_titles if other.title not in own)
    return dict.fromkeys(islice(titles, MAX_TITLES), ())


def _offers(document: MovieDocument) -> dict[str, list[ListedService]]:
    found = document.services
    return {
        Offer.Kind.STREAM.value: [*found.flatrate, *found.free, *found.ads],
        Offer.Kind.RENT.value: found.rent,
        Offer.Kind.BUY.value: found.buy,
    }


def _know(listed: Iterable[ListedService]) -> None:
    """Creates missing services. Updates those whose name or position has changed."""
    services = {service.provider_id: (service.provider_name, service.display_priority) for service in listed}
    known = {pk: row for pk, *row in WatchService.objects.filter(pk__in=services).values_list("pk", "name", "position")}
    changed = sorted(pk for pk, said in services.items() if known.get(pk) != list(said))
    rows = [WatchService(pk=pk, name=services[pk][0], position=services[pk][1]) for pk in changed]
    WatchService.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["id"], update_fields=["name", "position"]
    )


def _cast(members: list[CastMember], people: dict[int, int]) -> Wanted:
    """Returns the cast. A person with two roles gets one credit with both characters."""
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
    """Returns primary keys by TMDB id. Creates missing people and updates changed names."""
    names = {member.id: member.name for member in members}
    known = {person.tmdb_id: person for person in Person.objects.filter(tmdb_id__in=names)}
    new = [Person(tmdb_id=tmdb_id, name=names[tmdb_id], source=Source.TMDB) for tmdb_id in sorted(names.keys() - known)]
    if new:
        Person.objects.bulk_create(new, ignore_conflicts=True)
        known = {person.tmdb_id: person for person in Person.objects.filter(tmdb_id__in=names)}
    for tmdb_id, person in known.items():
        if person.source == Source.TMDB and tmdb_id is not None and person.name != names[tmdb_id]:
            Person.objects.filter(pk=person.pk).rename(names[tmdb_id])
    return {tmdb_id: person.pk for tmdb_id, person in known.items() if tmdb_id is not None}
