"""In-memory cache of listed movies. A movie is read when it is first shown, and refreshed while lists show it.

Changes by this process apply immediately. Changes by other processes apply within `serving.refresh_seconds`, the
refresh interval of models.
"""

import math
import os
import threading
import time
from collections.abc import Iterable
from typing import Any, NamedTuple

from django.conf import settings
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from rest_framework.renderers import JSONRenderer

from catalog.api.movie_serializers import MovieSummarySerializer
from catalog.models import Genre, Movie
from catalog.signals import rating_recorded
from recommender.serving.periodic import PeriodicThread

CAPACITY = 5000  # movies, about 2 KB each; exceeding it clears the cache
KEPT_SECONDS = 60.0  # time that a movie stays cached after a list last showed it
MAX_AGE = 2  # refresh intervals after which a cached movie is outdated
UNUSED = ("overview", "search_title", "search_terms")  # long strings that cards do not show

_summary, _json = MovieSummarySerializer(), JSONRenderer()


class Listed(NamedTuple):
    movie: Movie
    read_at: float


class MovieCache:
    def __init__(self) -> None:
        self.thread = PeriodicThread("refresh listed movies", self.refresh, self._seconds)
        self.clear()
        os.register_at_fork(after_in_child=self.clear)

    def clear(self) -> None:
        """Clear the cache, as in a new process."""
        self._lock = threading.Lock()
        self._listed: dict[int, Listed] = {}
        self._used_at: dict[int, float] = {}
        self._forgotten_at: dict[int, float] = {}

    @staticmethod
    def _seconds() -> float:
        return settings.POLICY.serving.refresh_seconds

    def get(self, movie_ids: Iterable[int]) -> dict[int, Movie]:
        """Return the existing movies, keyed by id, with their genres and `card` loaded.

        The caller may set attributes on a movie but must not save it.
        """
        wanted = set(movie_ids)
        self.thread.ensure_started()
        now = time.monotonic()
        oldest = now - MAX_AGE * self._seconds()
        listed = self._listed
        found = {pk: row for pk in wanted if (row := listed.get(pk)) is not None and row.read_at >= oldest}
        if len(found) < len(wanted):
            found |= self._read(wanted - found.keys())
        self._used_at.update(dict.fromkeys(wanted, now))
        return {pk: _copy(row.movie) for pk, row in found.items()}

    def refresh(self) -> None:
        """Reload the movies shown in the last KEPT_SECONDS and drop the rest."""
        since = time.monotonic() - KEPT_SECONDS
        with self._lock:
            kept = {pk for pk in self._listed if self._used_at.get(pk, since) > since}
            self._listed = {pk: self._listed[pk] for pk in kept}
            self._used_at = {pk: self._used_at[pk] for pk in kept}
            self._forgotten_at = {pk: at for pk, at in self._forgotten_at.items() if at > since}
        read = _read(kept)
        with self._lock:
            for pk in kept - read.keys():  # deleted
                self._listed.pop(pk, None)
            self._store(read)

    def forget(self, movie_id: int) -> None:
        """Drop the movie from the cache. Discards the result of a read in progress."""
        with self._lock:
            self._listed.pop(movie_id, None)
            self._forgotten_at[movie_id] = time.monotonic()

    def _read(self, movie_ids: set[int]) -> dict[int, Listed]:
        read = _read(movie_ids)
        with self._lock:
            if len(self._listed) + len(read) > CAPACITY:
                self._listed, self._used_at = {}, {}
            self._store(read)
        return read

    def _store(self, read: dict[int, Listed]) -> None:
        never = -math.inf
        self._listed |= {pk: row for pk, row in read.items() if row.read_at > self._forgotten_at.get(pk, never)}


def _read(movie_ids: set[int]) -> dict[int, Listed]:
    """Read the movies from the database."""
    if not movie_ids:
        return {}
    now = time.monotonic()
    movies = Movie.objects.defer(*UNUSED).prefetch_related("genres").in_bulk(movie_ids)
    for movie in movies.values():
        movie.card = _json.render(_summary.to_representation(movie))
    return {pk: Listed(movie, now) for pk, movie in movies.items()}


def _copy(movie: Movie) -> Movie:
    """Return a shallow copy, ten times as fast as `copy.copy`. Pages set attributes on it for the current user."""
    copied = Movie.__new__(Movie)
    copied.__dict__.update(movie.__dict__)
    return copied


listed_movies = MovieCache()


@receiver([post_save, post_delete], sender=Movie)
def _forget_movie(sender: Any, instance: Movie, **kwargs: Any) -> None:
    listed_movies.forget(instance.pk)


@receiver([post_save, post_delete], sender=Genre)
def _forget_all(sender: Any, **kwargs: Any) -> None:
    listed_movies.clear()


@receiver(rating_recorded)
def _forget_rated_movie(sender: Any, movie_id: int, **kwargs: Any) -> None:
    listed_movies.forget(movie_id)
