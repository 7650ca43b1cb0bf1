"""Helpers that run syncs and inspect the result."""

from datetime import timedelta

from django.utils import timezone

from catalog.models import Movie, SyncRun, TMDBRecord
from catalog.sync.work import sync
from catalog.sync.work_items import SyncRequest


def sync_ids(*ids: int) -> SyncRun:
    return sync(SyncRequest(SyncRun.Scope.IDS, ids=ids))


def succeeded(scope: str, days_ago: int) -> SyncRun:
    moment = timezone.now() - timedelta(days=days_ago)
    times = dict.fromkeys(("created_at", "started_at", "ended_at"), moment)
    return SyncRun.objects.create(scope=scope, status=SyncRun.Status.SUCCEEDED, **times)


def fetched(movie: Movie, *, days_ago: int = 0) -> TMDBRecord:
    moment = timezone.now() - timedelta(days=days_ago)
    state = TMDBRecord.State.FETCHED
    return TMDBRecord.objects.create(tmdb_id=movie.tmdb_id, movie=movie, state=state, fetched_at=moment)
