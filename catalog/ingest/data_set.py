"""Writes a data set: MovieLens or the generated sample."""

import secrets
from collections.abc import Iterable, Sequence

from django.db import transaction
from django.utils import timezone

from catalog.aggregates import rebuild_aggregates
from catalog.ingest.movies import MovieRecord, write_movies
from catalog.ingest.ratings import RatingRow, RatingWriter
from catalog.ingest.report import ImportReport
from catalog.models import ImportRun, Source, User
from catalog.popularity import refresh_popularity
from catalog.progress import chunks_with_progress

MOVIES_A_BATCH = 500
USERS_A_BATCH = 2000


def write_data_set(
    report: ImportReport,
    *,
    source: Source,
    movies: dict[int, MovieRecord],
    users: dict[int, str],
    ratings: Iterable[RatingRow],
    show_progress: bool = False,
) -> None:
    """Writes movies, ratings and users (a map from keys to external ids), and fills the report.

    Ratings refer to movies and users by key. An interrupted import keeps the data it has written, and the aggregates
    include this data.
    """
    run, _ = ImportRun.objects.get_or_create(source=source, origin=report.origin, finished_at=None)
    try:
        movie_ids = _write_movies(source, movies, report, shown=show_progress)
        user_ids = _write_users(source, users, report, shown=show_progress)
        with RatingWriter(source) as writer:
            report.ratings = writer.counts
            for user, movie, rating, rated_at in ratings:
                writer.add(user_ids[user], movie_ids[movie], rating, rated_at)
    finally:
        rebuild_aggregates()
    refresh_popularity()
    run.finished_at, run.counts = timezone.now(), report.counts()
    run.save(update_fields=["finished_at", "counts"])


def _write_movies(
    source: Source, movies: dict[int, MovieRecord], report: ImportReport, *, shown: bool
) -> dict[int, int]:
    keys: dict[int, int] = {}
    for batch in chunks_with_progress(
        list(movies.items()), MOVIES_A_BATCH, description="Writing movies", unit=" movies", shown=shown
    ):
        written = write_movies(source, [record for _, record in batch], report.movies)
        keys |= {number: movie.pk for (number, _), movie in zip(batch, written, strict=True)}
    return keys


def _write_users(source: Source, users: dict[int, str], report: ImportReport, *, shown: bool) -> dict[int, int]:
    """Returns primary keys, keyed like `users`. Creates missing users, who cannot sign in."""
    known = User.objects.filter(source=source).exclude(external_id="")
    keys = dict(known.values_list("external_id", "pk").iterator())
    missing = [external_id for external_id in users.values() if external_id not in keys]
    for batch in chunks_with_progress(missing, USERS_A_BATCH, description="Writing users", unit=" users", shown=shown):
        with transaction.atomic():
            keys |= _create_users(source, batch)
    report.users.add(len(missing), 0, len(users) - len(missing))
    return {number: keys[external_id] for number, external_id in users.items()}


def _create_users(source: Source, external_ids: Sequence[str]) -> dict[str, int]:
    users = {user.username: user for user in (User.without_login(source, key) for key in external_ids)}
    for name in User.objects.filter(username__in=users).values_list("username", flat=True):
        users[name].username += f"-{secrets.token_hex(4)}"  # a user of the site already has this name
    return {user.external_id: user.pk for user in User.objects.bulk_create(users.values())}
