"""Writes TMDB's answers to the catalogue, with the outcome of each item in the same transaction."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from django.db import OperationalError, transaction

from catalog.errors import AnswerRejected, ProviderError, RecordGone, TokenRefused
from catalog.models import Movie, Source, SyncItem, SyncRun, TMDBRecord
from catalog.providers.tmdb import FoundMovie, TMDBClient
from catalog.providers.tmdb_documents import MovieDocument
from catalog.references import unreferenced
from catalog.sync.batch import Batch, record, save_records
from catalog.sync.links import links_of
from catalog.sync.work_items import settle

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
    duplicates = _duplicates([answer.found.document for answer in answers], client)
    links = links_of([answer.found.document for answer in answers])
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


def _duplicates(documents: Iterable[MovieDocument], client: TMDBClient) -> dict[int, int]:
    """Movies with a document's IMDb id and no TMDB id, or one that TMDB has merged into the document's."""
    by_imdb_id = {document.imdb_id: document for document in documents if document.imdb_id}
    others = list(Movie.objects.filter(imdb_id__in=by_imdb_id))
    duplicates = {}
    for other in others:
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


def _remove_unused(tmdb_ids: Iterable[int]) -> None:
    if ids := list(tmdb_ids):
        movies = Movie.objects.filter(tmdb_id__in=ids, source=Source.TMDB)
        Movie.objects.filter(pk__in=unreferenced(movies)).delete()
