"""A few documents at once: looked up together, decided on one after the other, saved together."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from catalog.models import Movie, Source, SyncItem, TMDBRecord
from catalog.providers.tmdb import FoundMovie
from catalog.providers.tmdb_documents import MovieDocument
from catalog.search.upkeep import refresh_search
from catalog.sync.fields import EMPTY, fill, save_changes, values_of
from catalog.sync.links import Links, write_links
from catalog.sync.records import record, save_records

State = TMDBRecord.State
Outcome = SyncItem.Outcome
IDS = ("tmdb_id", "imdb_id")
DELETED_HERE = "deleted on this site"


@dataclass
class _Taken:
    item: int
    found: FoundMovie
    movie: Movie | None
    links: Links
    is_new: bool = False
    changed: dict[str, Any] | None = None


class Batch:
    """Within one transaction: the movies are locked. `twins` are known under another id (see `_twins`)."""

    def __init__(self, found: Sequence[FoundMovie], twins: dict[int, int], *, takes_deleted: bool) -> None:
        documents = [movie.document for movie in found]
        tmdb_ids = {document.id for document in documents} | {movie.asked_id for movie in found}
        imdb_ids = {document.any_imdb_id for document in documents if document.any_imdb_id}
        wanted = Q(tmdb_id__in=tmdb_ids) | Q(imdb_id__in=imdb_ids) | Q(pk__in=twins.values())
        movies = list(Movie.objects.select_for_update().filter(wanted).order_by("pk"))
        self._by_id: dict[tuple[str, Any], Movie] = {}
        for movie in movies:
            self._remember(movie)
        by_key = {movie.pk: movie for movie in movies}
        self._twins = {tmdb_id: by_key[pk] for tmdb_id, pk in twins.items() if pk in by_key}
        deleted = TMDBRecord.objects.filter(tmdb_id__in=tmdb_ids, state=State.FETCHED, movie=None)
        self._deleted = set() if takes_deleted else set(deleted.values_list("tmdb_id", flat=True))
        self._taken: list[_Taken] = []
        self._left_out: list[TMDBRecord] = []
        self._outcomes: dict[str, list[int]] = defaultdict(list)

    def take(self, item: int, found: FoundMovie, links: Links) -> None:
        document = found.document
        movie = self._find(found)
        if movie is None and (reason := self._reason_against(document)):
            if reason != DELETED_HERE:  # else the record goes on saying so
                self._left_out.append(record(document.id, state=State.SKIPPED, reason=reason))
            self._outcomes[Outcome.SKIPPED].append(item)
            return
        taken = _Taken(item, found, movie, links)
        values = self._without_taken_ids(movie, values_of(document))
        if movie is None:
            taken.movie, taken.is_new = Movie(source=Source.TMDB, **values), True
        else:
            taken.changed = fill(movie, values)
        self._remember(taken.movie)
        self._taken.append(taken)

    def save(self) -> dict[str, list[int]]:
        """The items by their outcome."""
        Movie.objects.bulk_create([taken.movie for taken in self._taken if taken.is_new and taken.movie])
        fresh = {taken.movie.pk for taken in self._taken if taken.is_new and taken.movie}
        pairs = {taken.movie.pk: (taken.movie, taken.links) for taken in self._taken if taken.movie}
        linked = write_links(list(pairs.values()), fresh=fresh)
        for taken in self._taken:
            self._outcomes[self._settled(taken, linked)].append(taken.item)
        refresh_search(Movie.objects.filter(pk__in=pairs))
        self._note()
        return self._outcomes

    def _settled(self, taken: _Taken, linked: set[int]) -> str:
        assert taken.movie is not None
        changed = bool(taken.changed) or (taken.movie.pk in linked and not taken.is_new)
        if changed:
            save_changes(taken.movie, taken.changed or {})
        if taken.found.asked_id != taken.found.document.id:
            return Outcome.MERGED
        if taken.is_new:
            return Outcome.ADDED
        return Outcome.UPDATED if changed else Outcome.UNCHANGED

    def _note(self) -> None:
        now = timezone.now()
        fetched = {taken.found.document.id: taken.movie for taken in self._taken}
        records = [record(key, state=State.FETCHED, movie=movie, fetched_at=now) for key, movie in fetched.items()]
        save_records(records, with_content=True)
        merged = {t.found.asked_id: t.found.document.id for t in self._taken if t.found.asked_id not in fetched}
        records = [record(k, state=State.MERGED, reason=f"merged into {n}", merged_into=n) for k, n in merged.items()]
        save_records(records, with_content=True)
        save_records(self._left_out, with_content=False)

    def _find(self, found: FoundMovie) -> Movie | None:
        """By the id; else the one whose id was merged into it; else its twin."""
        document = found.document
        if movie := self._by_id.get(("tmdb_id", document.id)):
            return movie
        movie = self._by_id.get(("tmdb_id", found.asked_id)) or self._twins.get(document.id)
        if movie and movie.tmdb_id is not None and movie.field_sources.get("tmdb_id") != Source.SITE:
            movie.field_sources = movie.field_sources | {"tmdb_id": Source.TMDB.value}  # its old id is no more
        return movie

    def _without_taken_ids(self, movie: Movie | None, values: dict[str, Any]) -> dict[str, Any]:
        """An id that another movie has is left out: both would claim to be the same."""
        for name in IDS:
            owner = self._by_id.get((name, values[name]))
            if owner is not None and owner is not movie:
                values = values | {name: getattr(movie, name) if movie else EMPTY[name]}
        return values

    def _reason_against(self, document: MovieDocument) -> str:
        """Why a movie that is not in the catalogue is not taken in; empty when it is."""
        policy = settings.POLICY.tmdb
        if document.adult and not policy.adult:
            return "adult (tmdb.adult is false)"
        if not policy.unreleased and document.is_unreleased(timezone.now().date()):
            return f"not released before {document.released_on or 'a day that is known'} (tmdb.unreleased is false)"
        return DELETED_HERE if document.id in self._deleted else ""

    def _remember(self, movie: Movie | None) -> None:
        for name in IDS:
            if movie and (value := getattr(movie, name)) is not None:
                self._by_id[name, value] = movie
