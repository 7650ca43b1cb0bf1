"""Writes TMDB's responses: movies in batches, the reasons for failures, and the record of each id."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from catalog.errors import AnswerRejected, ProviderError, RecordGone
from catalog.ingest.fields import values_from
from catalog.ingest.identity import having_any_id, ids_of
from catalog.ingest.links import Links
from catalog.ingest.movies import MovieBatch
from catalog.models import Movie, Source, SyncItem, TMDBRecord
from catalog.models.reasons import Code, Reason
from catalog.providers.tmdb import FoundMovie
from catalog.providers.tmdb_documents import MovieDocument
from catalog.references import delete_unreferenced
from catalog.search.index_maintenance import refresh_search
from catalog.sync.work_items import settle

State = TMDBRecord.State
Outcome = SyncItem.Outcome
IDS = ("tmdb_id", "imdb_id")
DETAILS_SHOWN, DETAIL_LENGTH = 3, 160
ERROR_LENGTH = 500


class Answer(NamedTuple):
    item: SyncItem
    found: FoundMovie


class Batch:
    """A batch of movies, decided one by one and saved together in one transaction.

    `duplicates` maps TMDB ids to movies that the catalogue has under another id. `region` is the region of the fetched
    offers.
    """

    def __init__(
        self, found: Sequence[FoundMovie], duplicates: Mapping[int, int], *, takes_deleted: bool, region: str
    ) -> None:
        self._region = region
        ids = ids_of([movie.document for movie in found], IDS)
        ids["tmdb_id"] += [movie.asked_id for movie in found]
        self._movies = MovieBatch(Source.TMDB, having_any_id(ids) | Q(pk__in=duplicates.values()), ids=IDS)
        movies = {movie.pk: movie for movie in self._movies.found}
        self._duplicates = {tmdb_id: movies[pk] for tmdb_id, pk in duplicates.items() if pk in movies}
        deleted = TMDBRecord.objects.filter(tmdb_id__in=ids["tmdb_id"], state=State.FETCHED, movie=None)
        self._deleted = set() if takes_deleted else set(deleted.values_list("tmdb_id", flat=True))
        self._taken: list[tuple[Answer, Movie, Links]] = []
        self._skipped: list[TMDBRecord] = []
        self._outcomes: dict[str, list[int]] = defaultdict(list)

    def take(self, answer: Answer, links: Links) -> None:
        """Decides what to do with one movie. Nothing is written until `save`."""
        document = answer.found.document
        movie = self._find(answer.found)
        reason = self._reason_to_skip(document) if movie is None else None
        if reason or (movie is None and document.id in self._deleted):
            if reason:  # otherwise the existing record already says that it was deleted here
                self._skipped.append(_record(document.id, State.SKIPPED, reason))
            self._outcomes[Outcome.SKIPPED].append(answer.item.pk)
            return
        values = values_from(document, Source.TMDB)
        for name in self._movies.by_id.taken(values, movie):  # two movies with one id would both claim to be the same
            del values[name]
        self._taken.append((answer, self._movies.put(movie, values), links))

    def save(self) -> dict[str, list[int]]:
        """Writes everything. Returns the items' ids by outcome."""
        updated = self._movies.save(((movie, links) for _, movie, links in self._taken), replace=True)
        for (item, found), movie, _ in self._taken:
            outcome = Outcome.UPDATED if movie.pk in updated else Outcome.UNCHANGED
            if movie in self._movies.new:
                outcome = Outcome.ADDED
            self._outcomes[Outcome.MERGED if found.is_merged else outcome].append(item.pk)
        refresh_search(Movie.objects.filter(pk__in=[movie.pk for _, movie, _ in self._taken]))
        self._save_records()
        return self._outcomes

    def _save_records(self) -> None:
        now = timezone.now()
        fetched = {found.document.id: (movie, found.document.ignored) for (_, found), movie, _ in self._taken}
        merged = {found.asked_id: found.document.id for (_, found), _, _ in self._taken}
        records = [
            _record(key, State.FETCHED, _of_ignored(ignored), movie=movie, fetched_at=now, region=self._region)
            for key, (movie, ignored) in fetched.items()
        ]
        records += [
            _record(old, State.MERGED, Code.MERGED(tmdb_id=new), merged_into=new)
            for old, new in merged.items()
            if old not in fetched
        ]
        _save_records(records, with_content=True)
        _save_records(self._skipped, with_content=False)

    def _find(self, found: FoundMovie) -> Movie | None:
        """Returns the movie with this TMDB id, with an id merged into it, or the duplicate, in this order."""
        known = self._movies.by_id
        if movie := known.get("tmdb_id", found.document.id):
            return movie
        movie = known.get("tmdb_id", found.asked_id) or self._duplicates.get(found.document.id)
        if movie and movie.tmdb_id is not None and movie.field_sources.get("tmdb_id") != Source.SITE:
            movie.field_sources = movie.field_sources | {"tmdb_id": Source.TMDB.value}  # the old id no longer exists
        return movie

    def _reason_to_skip(self, document: MovieDocument) -> Reason | None:
        """Returns why the policy excludes a movie that is not in the catalogue, or None if it may be added."""
        policy = settings.POLICY.tmdb
        if document.is_adult and not policy.adult:
            return Code.ADULT()
        if not policy.unreleased and document.is_unreleased(timezone.now().date()):
            day = document.release_date
            return Code.UNRELEASED(day=day.isoformat()) if day else Code.NO_RELEASE()
        return None


def _of_ignored(ignored: list[str]) -> Reason | None:
    shown = [detail[:DETAIL_LENGTH] for detail in ignored[:DETAILS_SHOWN]]
    return Code.IGNORED(n=len(ignored), details="; ".join(shown)) if ignored else None


def write_failure(item: SyncItem, error: Exception) -> None:
    """Records a failure. Deletes the movie if TMDB removed it and nothing on this site refers to it."""
    tmdb_id = int(item.key)
    state, outcome = State.FAILED, Outcome.FAILED
    if isinstance(error, RecordGone):
        state, outcome = State.GONE, Outcome.GONE
    elif isinstance(error, AnswerRejected):
        state, outcome = State.REJECTED, Outcome.REJECTED
    said = str(error)[:ERROR_LENGTH]
    reason = Code.PROVIDER(error=said) if isinstance(error, ProviderError) else Code.BUG(error=type(error).__name__)
    with transaction.atomic():
        if settle(item, outcome):
            _save_records([_record(tmdb_id, state, reason)], with_content=False)
            if state == State.GONE:
                remove_unused([tmdb_id])


def _record(tmdb_id: int, state: str, reason: Reason | None = None, **values: Any) -> TMDBRecord:
    reasons = [reason] if reason else []
    return TMDBRecord(tmdb_id=tmdb_id, state=state, reasons=reasons, checked_at=timezone.now(), **values)


def _save_records(records: list[TMDBRecord], *, with_content: bool) -> None:
    """Inserts or replaces records. `with_content` also replaces the movie and the time it was last fetched."""
    columns = [
        "state",
        "reasons",
        "checked_at",
        "merged_into",
        *(["movie", "fetched_at", "region"] if with_content else []),
    ]
    TMDBRecord.objects.bulk_create(records, update_conflicts=True, unique_fields=["tmdb_id"], update_fields=columns)


def remove_unused(tmdb_ids: Iterable[int]) -> None:
    if ids := list(tmdb_ids):
        delete_unreferenced(Movie.objects.filter(tmdb_id__in=ids, source=Source.TMDB))
