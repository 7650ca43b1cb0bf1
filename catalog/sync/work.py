"""The TMDB sync worker. Leases items, requests them from TMDB in threads, and writes the responses."""

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextvars import copy_context
from typing import Any

from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import InterfaceError, OperationalError

from catalog.errors import ProviderError, ProviderUnavailable, TokenRefused
from catalog.jobs import queue
from catalog.jobs.heartbeat import beating
from catalog.jobs.progress import Pace
from catalog.models import SyncItem, SyncRun
from catalog.models.outcomes import Outcome
from catalog.providers.tmdb import TMDBClient, connect
from catalog.sync.batch import Answer, write_failure
from catalog.sync.job import SyncOutcome, finish, heartbeat, open_run, stop
from catalog.sync.movies import write_movies
from catalog.sync.pages import fetch_page, write_page
from catalog.sync.work_items import SyncRequest, claim, release

logger = logging.getLogger(__name__)

ITEMS_A_THREAD = 6
MOVIES_A_WRITE = 16
FAILURES_IN_A_ROW = 10  # consecutive failures after which TMDB must be the cause
WAIT_FOR_OTHERS = 0.5

OnProgress = Callable[[SyncRun], None]


def sync(
    request: SyncRequest,
    *,
    trigger: str = SyncRun.Trigger.COMMAND,
    until: float | None = None,
    on_progress: OnProgress = lambda run: None,
) -> SyncRun:
    """Runs the requested sync, after any active one. Stops early at `until` (in time.monotonic).

    Returns the run with its outcome. Raises ProviderError if TMDB is not set up.
    """
    with connect() as client, beating():
        while True:
            run, is_requested = open_run(request, trigger=trigger)
            _Worker(run, client, until, on_progress).work()
            run.refresh_from_db()
            if is_requested or run.status != SyncRun.Status.SUCCEEDED:
                return run


class _Worker:
    def __init__(self, run: SyncRun, client: TMDBClient, until: float | None, on_progress: OnProgress) -> None:
        self._run = run
        self._client = client
        self._until = until
        self._on_progress = on_progress
        self._received: list[Answer] = []
        self._refused: TokenRefused | None = None
        self._failures = 0  # consecutive
        self._threads = settings.POLICY.tmdb.connections
        self._pace = Pace(run.n_done / max(1, run.n_items))

    def work(self) -> None:
        try:
            self._work()
        except (OperationalError, InterfaceError) as error:
            logger.exception("TMDB %s: the database failed", self._run)
            stop(self._run, SyncRun.Status.ERRORED, Outcome.DATABASE, retry=True, error=str(error))

    def _work(self) -> None:
        with ThreadPoolExecutor(self._threads, thread_name_prefix="tmdb") as pool:
            while heartbeat(self._run, self._pace):
                if self._until is not None and time.monotonic() > self._until:
                    queue.release(self._run)
                    return
                self._on_progress(self._run)
                items = claim(self._run, self._threads * ITEMS_A_THREAD)
                if items and not self._batch(pool, items):
                    return
                if not items:
                    if finish(self._run):
                        return
                    # other workers hold the rest, or were killed and their leases will expire
                    time.sleep(WAIT_FOR_OTHERS)

    def _batch(self, pool: ThreadPoolExecutor, items: list[SyncItem]) -> bool:
        """Processes the items. Returns False if the run was stopped."""
        answers = {
            pool.submit(copy_context().run, self._fetch, item): item for item in items
        }  # with the context's ids for log lines
        try:
            for answer in as_completed(answers):
                self._receive(answers[answer], answer)
            self._write_received()
        except _Stopped as stopped:
            stop(self._run, stopped.status, stopped.outcome, **stopped.details)
            return False
        except TokenRefused as error:
            stop(self._run, SyncRun.Status.FAILED, SyncOutcome.TOKEN_REFUSED, error=str(error))
            return False
        finally:
            for answer in answers:
                answer.cancel()
            self._received.clear()
            release(items)
        return True

    def _fetch(self, item: SyncItem) -> Any:
        if self._refused:  # another thread's token was rejected, so this one would fail too
            raise self._refused
        try:
            is_movie = item.kind == SyncItem.Kind.MOVIE
            return self._client.movie(int(item.key)) if is_movie else fetch_page(self._client, item)
        except TokenRefused as error:
            self._refused = error
            raise

    def _receive(self, item: SyncItem, answer: "Future[Any]") -> None:
        """Writes movies in small batches while the threads continue to send requests."""
        try:
            found = answer.result()
            if item.kind != SyncItem.Kind.MOVIE:
                write_page(item, found)
                return
        except (TokenRefused, OperationalError, SoftTimeLimitExceeded):
            raise
        except Exception as error:
            self._failed(item, error)
            return
        self._received.append(Answer(item, found))
        if len(self._received) >= MOVIES_A_WRITE:
            self._write_received()

    def _write_received(self) -> None:
        received, self._received = self._received, []
        failures = write_movies(self._run, received, self._client) if received else []
        if len(failures) < len(received):
            self._failures = 0
        for item, error in failures:
            self._failed(item, error)

    def _failed(self, item: SyncItem, error: Exception) -> None:
        """Records a failed movie for the next run. A failed page stops the run."""
        is_bug = not isinstance(error, ProviderError)
        if is_bug:
            logger.exception("TMDB sync %s: %s", self._run.pk, item, exc_info=error)
        status = SyncRun.Status.ERRORED if is_bug else SyncRun.Status.FAILED
        sentence = f"{item}: {type(error).__name__}" if is_bug else str(error)
        if item.kind != SyncItem.Kind.MOVIE:
            raise _Stopped(status, SyncOutcome.PAGE_FAILED, error=sentence)
        self._failures += is_bug or isinstance(error, ProviderUnavailable)
        if self._failures >= FAILURES_IN_A_ROW:
            raise _Stopped(status, SyncOutcome.MOVIES_FAILED, n=FAILURES_IN_A_ROW, error=sentence)
        write_failure(item, error)


class _Stopped(Exception):
    def __init__(self, status: str, outcome: str, **details: Any) -> None:
        super().__init__(outcome)
        self.status, self.outcome, self.details = status, outcome, details
