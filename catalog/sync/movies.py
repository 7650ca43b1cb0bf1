"""One of TMDB's movies into the catalogue: found again or added, filled in, linked, and noted down."""

from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from catalog.models import Movie, Source, SyncItem, SyncRun, TMDBRecord
from catalog.providers.errors import AnswerRejected, ProviderError, RecordGone
from catalog.providers.tmdb import FoundMovie, TMDBClient
from catalog.providers.tmdb_documents import MovieDocument
from catalog.sync.fields import EMPTY, fill, may_write, save_changes, values_of
from catalog.sync.items import settle
from catalog.sync.links import Links, write_links
from catalog.traces import untouched

State = TMDBRecord.State
Outcome = SyncItem.Outcome
DELETED_HERE = "deleted on this site"


def write_movie(item: SyncItem, found: FoundMovie, client: TMDBClient) -> None:
    """Everything at once, together with the item's outcome."""
    document = found.document
    twin = _twin(document, client)
    for attempt in (1, 2):
        links = Links.of(document)
        try:
            with transaction.atomic():
                _write(item, found, twin, links)
            return
        except IntegrityError:  # somebody added the same movie, or removed a genre or person, at the same moment
            if attempt == 2:
                raise


def write_failure(item: SyncItem, error: Exception) -> None:
    """The movie stays as it is; what TMDB no longer has goes when nobody of the site has an interest in it."""
    tmdb_id = int(item.key)
    state, outcome = State.FAILED, Outcome.FAILED
    if isinstance(error, RecordGone):
        state, outcome = State.GONE, Outcome.GONE
    elif isinstance(error, AnswerRejected):
        state, outcome = State.REJECTED, Outcome.REJECTED
    reason = str(error) if isinstance(error, ProviderError) else f"This site failed: {type(error).__name__}"
    with transaction.atomic():
        if settle(item, outcome):
            _note(tmdb_id, state=state, reason=reason)
            if state == State.GONE:
                _remove_if_unused(Movie.objects.filter(tmdb_id=tmdb_id).first())


def _write(item: SyncItem, found: FoundMovie, twin: int | None, links: Links) -> None:
    document = found.document
    if not settle(item, Outcome.UNCHANGED):
        return
    movie = _find(found, twin)
    if movie is None and (reason := _left_out(item, document)):
        if reason != DELETED_HERE:  # else the record goes on saying so
            _note(document.id, state=State.SKIPPED, reason=reason)
        settled = Outcome.SKIPPED
    else:
        settled, movie = _update(movie, document, links) if movie else _add(document, links)
        _note(document.id, state=State.FETCHED, movie=movie, fetched_at=timezone.now())
    if found.asked_id != document.id:
        _note(found.asked_id, state=State.MERGED, merged_into=document.id, reason=f"merged into {document.id}")
        _remove_if_unused(Movie.objects.filter(tmdb_id=found.asked_id).first())
        settled = Outcome.MERGED
    SyncItem.objects.filter(pk=item.pk).update(outcome=settled)


def _add(document: MovieDocument, links: Links) -> tuple[Outcome, Movie]:
    movie = Movie(source=Source.TMDB, **_without_taken_ids(None, values_of(document)))
    movie.save()
    write_links(movie, links)
    return Outcome.ADDED, movie


def _update(movie: Movie, document: MovieDocument, links: Links) -> tuple[Outcome, Movie]:
    changed = fill(movie, _without_taken_ids(movie, values_of(document)))
    linked = write_links(movie, links)
    if not changed and not linked:
        return Outcome.UNCHANGED, movie
    save_changes(movie, changed)
    return Outcome.UPDATED, movie


def _find(found: FoundMovie, twin: int | None) -> Movie | None:
    """By the id; else the one whose id was merged into it; else the one with the same IMDb id (`twin`)."""
    document = found.document
    rows = Movie.objects.select_for_update()
    if movie := rows.filter(tmdb_id=document.id).first():
        return movie
    movie = rows.filter(tmdb_id=found.asked_id).first() or (rows.filter(pk=twin).first() if twin else None)
    if movie and movie.tmdb_id is not None and movie.field_sources.get("tmdb_id") != Source.SITE:
        movie.field_sources = movie.field_sources | {"tmdb_id": Source.TMDB.value}  # its old id is no more
        Movie.objects.filter(pk=movie.pk).update(field_sources=movie.field_sources)
    return movie


def _twin(document: MovieDocument, client: TMDBClient) -> int | None:
    """The movie that has the document's IMDb id under no TMDB id, or under one that TMDB gave up for this one."""
    imdb_id = document.imdb_id or document.external_imdb_id
    if imdb_id is None or Movie.objects.filter(tmdb_id=document.id).exists():
        return None
    other = Movie.objects.filter(imdb_id=imdb_id).first()
    if other is None or other.tmdb_id is None:
        return other and other.pk
    if other.field_sources.get("tmdb_id") == Source.SITE:
        return None
    try:
        given_up = client.movie(other.tmdb_id).document.id == document.id
    except RecordGone:
        given_up = True
    except AnswerRejected:
        given_up = False
    return other.pk if given_up else None


def _without_taken_ids(movie: Movie | None, values: dict[str, Any]) -> dict[str, Any]:
    """An id that another movie has is left out: both would claim to be the same."""
    for name in ("tmdb_id", "imdb_id"):
        taken = Movie.objects.filter(**{name: values[name]}).exclude(pk=movie.pk if movie else None)
        if values[name] is not None and (movie is None or may_write(movie, name)) and taken.exists():
            values = values | {name: getattr(movie, name) if movie else EMPTY[name]}
    return values


def _left_out(item: SyncItem, document: MovieDocument) -> str:
    """Why a movie that is not in the catalogue is not taken in; empty when it is."""
    policy = settings.POLICY.tmdb
    today = timezone.now().date()
    if document.adult and not policy.adult:
        return "adult (tmdb.adult is false)"
    if not policy.unreleased and document.is_unreleased(today):
        return f"not released before {document.released_on or 'a day that is known'} (tmdb.unreleased is false)"
    chosen = SyncRun.objects.filter(pk=item.run_id, kind=SyncRun.Kind.IDS).exists()
    deleted = TMDBRecord.objects.filter(tmdb_id=document.id, state=State.FETCHED, movie=None).exists()
    return DELETED_HERE if deleted and not chosen else ""


def _note(tmdb_id: int, *, state: str, reason: str = "", **values: Any) -> None:
    TMDBRecord.objects.update_or_create(
        tmdb_id=tmdb_id,
        defaults={"merged_into": None, **values, "state": state, "reason": reason[:500], "checked_at": timezone.now()},
    )


def _remove_if_unused(movie: Movie | None) -> None:
    if movie and movie.source == Source.TMDB and untouched(Movie.objects.filter(pk=movie.pk)):
        movie.delete()
