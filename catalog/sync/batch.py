"""Writes a few of TMDB's movies at once: found together, decided one by one, saved together."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from catalog.errors import AnswerRejected, RecordGone
from catalog.ingest.fields import assign, values_from
from catalog.ingest.identity import IdIndex, having_any_id, ids_of
from catalog.ingest.links import Links, write_links
from catalog.models import Movie, Source, SyncItem, TMDBRecord
from catalog.providers.tmdb import FoundMovie, TMDBClient
from catalog.providers.tmdb_documents import MovieDocument
from catalog.search.index_maintenance import refresh_search

State = TMDBRecord.State
Outcome = SyncItem.Outcome
IDS = ("tmdb_id", "imdb_id")
DELETED_HERE = "deleted on this site"
REASON_LENGTH = 500


def duplicates_of(documents: Iterable[MovieDocument], client: TMDBClient) -> dict[int, int]:
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


@dataclass
class Upsert:
    """A movie to insert, or the changed columns of one to update."""

    item: int
    found: FoundMovie
    movie: Movie
    links: Links
    is_new: bool = False
    changed: dict[str, Any] = field(default_factory=dict)


class Batch:
    """Lives within one transaction, which locks the movies.

    `duplicates` maps TMDB ids to movies that the catalogue knows under another id.
    """

    def __init__(self, found: Sequence[FoundMovie], duplicates: Mapping[int, int], *, takes_deleted: bool) -> None:
        ids = ids_of([movie.document for movie in found], IDS)
        ids["tmdb_id"] += [movie.asked_id for movie in found]
        wanted = having_any_id(ids) | Q(pk__in=duplicates.values())
        movies = {movie.pk: movie for movie in Movie.objects.select_for_update().filter(wanted).order_by("pk")}
        self._known = IdIndex(movies.values(), names=IDS)
        self._duplicates = {tmdb_id: movies[pk] for tmdb_id, pk in duplicates.items() if pk in movies}
        deleted = TMDBRecord.objects.filter(tmdb_id__in=ids["tmdb_id"], state=State.FETCHED, movie=None)
        self._deleted = set() if takes_deleted else set(deleted.values_list("tmdb_id", flat=True))
        self._upserts: list[Upsert] = []
        self._skipped: list[TMDBRecord] = []
        self._outcomes: dict[str, list[int]] = defaultdict(list)

    def take(self, item: int, found: FoundMovie, links: Links) -> None:
        """Decides on one movie; nothing is written before `save`."""
        document = found.document
        movie = self._find(found)
        if movie is None and (reason := self._reason_to_skip(document)):
            if reason != DELETED_HERE:  # otherwise the existing record already says so
                self._skipped.append(record(document.id, state=State.SKIPPED, reason=reason))
            self._outcomes[Outcome.SKIPPED].append(item)
            return
        values = values_from(document, Source.TMDB)
        for name in self._known.taken(values, movie):  # two movies with one id would both claim to be the same
            del values[name]
        if movie is None:
            upsert = Upsert(item, found, Movie(source=Source.TMDB, **values), links, is_new=True)
        else:
            upsert = Upsert(item, found, movie, links, changed=assign(movie, values, Source.TMDB))
        self._known.add(upsert.movie)
        self._upserts.append(upsert)

    def save(self) -> dict[str, list[int]]:
        """Writes everything and returns the items by outcome."""
        new = [upsert.movie for upsert in self._upserts if upsert.is_new]
        Movie.objects.bulk_create(new)
        pairs = {upsert.movie.pk: (upsert.movie, upsert.links) for upsert in self._upserts}
        linked = write_links(Source.TMDB, pairs.values(), fresh={movie.pk for movie in new}, replace=True)
        for upsert in self._upserts:
            self._outcomes[_save(upsert, links_changed=upsert.movie.pk in linked)].append(upsert.item)
        refresh_search(Movie.objects.filter(pk__in=pairs))
        self._save_records()
        return self._outcomes

    def _save_records(self) -> None:
        now = timezone.now()
        fetched = {upsert.found.document.id: upsert.movie for upsert in self._upserts}
        records = [record(key, state=State.FETCHED, movie=movie, fetched_at=now) for key, movie in fetched.items()]
        save_records(records, with_content=True)
        merged = {u.found.asked_id: u.found.document.id for u in self._upserts if u.found.asked_id not in fetched}
        records = [record(k, state=State.MERGED, reason=f"merged into {n}", merged_into=n) for k, n in merged.items()]
        save_records(records, with_content=True)
        save_records(self._skipped, with_content=False)

    def _find(self, found: FoundMovie) -> Movie | None:
        """By TMDB id, else by the id that was merged into it, else the duplicate."""
        document = found.document
        if movie := self._known.get("tmdb_id", document.id):
            return movie
        movie = self._known.get("tmdb_id", found.asked_id) or self._duplicates.get(document.id)
        if movie and movie.tmdb_id is not None and movie.field_sources.get("tmdb_id") != Source.SITE:
            movie.field_sources = movie.field_sources | {"tmdb_id": Source.TMDB.value}  # its old id no longer exists
        return movie

    def _reason_to_skip(self, document: MovieDocument) -> str:
        """Why a movie outside the catalogue is not added; empty if it is."""
        policy = settings.POLICY.tmdb
        if document.is_adult and not policy.adult:
            return "adult (tmdb.adult is false)"
        if not policy.unreleased and document.is_unreleased(timezone.now().date()):
            return f"not released before {document.release_date or 'a known date'} (tmdb.unreleased is false)"
        return DELETED_HERE if document.id in self._deleted else ""


def _save(upsert: Upsert, *, links_changed: bool) -> str:
    """Not `Movie.save()`, which would make the year follow the release date whatever their sources."""
    is_changed = bool(upsert.changed) or links_changed
    if is_changed:
        Movie.objects.filter(pk=upsert.movie.pk).update(**upsert.changed, updated_at=timezone.now())
    if upsert.found.asked_id != upsert.found.document.id:
        return Outcome.MERGED
    if upsert.is_new:
        return Outcome.ADDED
    return Outcome.UPDATED if is_changed else Outcome.UNCHANGED


def record(tmdb_id: int, *, state: str, reason: str = "", **values: Any) -> TMDBRecord:
    return TMDBRecord(tmdb_id=tmdb_id, state=state, reason=reason[:REASON_LENGTH], checked_at=timezone.now(), **values)


def save_records(records: list[TMDBRecord], *, with_content: bool) -> None:
    """Replaces earlier records. Without `with_content` the movie and the time of the last reading stay."""
    columns = ["state", "reason", "checked_at", "merged_into", *(["movie", "fetched_at"] if with_content else [])]
    if records:
        TMDBRecord.objects.bulk_create(records, update_conflicts=True, unique_fields=["tmdb_id"], update_fields=columns)
