"""Syncs and what they left behind."""

from datetime import timedelta

from django.utils import timezone

from catalog.models import Movie, SyncRun, TMDBRecord
from catalog.sync.due import Asked
from catalog.sync.work import sync


def sync_ids(*ids: int) -> SyncRun:
    return sync(Asked(SyncRun.Kind.IDS, ids=ids))


def succeeded(kind: str, days_ago: int) -> SyncRun:
    moment = timezone.now() - timedelta(days=days_ago)
    return SyncRun.objects.create(kind=kind, status=SyncRun.Status.SUCCEEDED, started_at=moment, ended_at=moment)


def fetched(movie: Movie, *, days_ago: int = 0) -> TMDBRecord:
    moment = timezone.now() - timedelta(days=days_ago)
    state = TMDBRecord.State.FETCHED
    return TMDBRecord.objects.create(tmdb_id=movie.tmdb_id, movie=movie, state=state, fetched_at=moment)
