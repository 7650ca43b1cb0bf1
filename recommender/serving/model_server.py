"""The models that this process serves: loaded once, followed to the pointer rows, swapped without a pause.

A request only reads `server.served()`, a tuple that is replaced as a whole. All loading happens in one background
thread, except before the very first list of a process, which waits for its model.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from django.conf import settings
from django.db import DatabaseError

from recommender.logs import log_once_a_minute
from recommender.metrics import MODEL_LOAD_FAILURES, MODEL_SWAPS
from recommender.models import ServedModel
from recommender.serving.background import Worker
from recommender.serving.catalog_snapshot import Catalogue, CatalogueState
from recommender.serving.stats import tally

if TYPE_CHECKING:
    from recommender.estimators import Recommender

logger = logging.getLogger(__name__)

RETRY_SECONDS = 60.0  # a refused artefact is read again after this time: its files may have been incomplete
Ids = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class Served:
    """A loaded model and what of the site's catalogue it knows.

    `rated` and `new` are the movies with and without a rating in the model's snapshot, the latter newest first.
    """

    step: str
    version: int
    artifact: str
    model: Recommender
    rated: Ids
    new: Ids
    known: frozenset[int]
    catalogue: CatalogueState

    @property
    def candidates(self) -> Ids | None:
        """None, which is the fastest to score, while every rated movie is still in the catalogue."""
        return None if len(self.rated) == int(self.model.is_rated_.sum()) else self.rated


class ModelServer:
    def __init__(self) -> None:
        self.worker = Worker("follow the served model", self._follow, lambda: settings.POLICY.serving.refresh_seconds)
        self.reset()
        os.register_at_fork(after_in_child=self._renew_lock)

    def reset(self) -> None:
        """As in a process that has not served anything yet."""
        self._renew_lock()
        self._served: tuple[Served, ...] = ()
        self._is_loaded = False
        self._refused: dict[tuple[int, str], float] = {}
        self._catalogue_read_at = 0.0

    def _renew_lock(self) -> None:
        self._lock = threading.Lock()  # a fork may have copied it while it was held

    def served(self) -> tuple[Served, ...]:
        """The steps of the ladder that are models, best first; empty while there is none."""
        if not self._is_loaded:
            self._load_first()
        self.worker.ensure_started()
        return self._served

    def _load_first(self) -> None:
        with self._lock:
            if self._is_loaded:
                return
            try:
                self._refresh(at_once=True)
            except DatabaseError:
                log_once_a_minute(logger, "The served model cannot be read from the database")

    def refresh(self) -> None:
        """Serve what the pointer rows name now, with the catalogue as it is now."""
        with self._lock:
            self._catalogue_read_at = 0.0
            self._refresh()

    def _follow(self) -> None:
        with self._lock:
            self._refresh()

    def _refresh(self, *, at_once: bool = False) -> None:
        """Follow the pointers; `at_once` stops at the first model that serves, the thread adds the rest."""
        rows = {row.slot: row for row in ServedModel.objects.all()}
        self._swap([rows[slot] for slot in ServedModel.Slot.values if slot in rows], at_once)
        self._is_loaded = True
        if time.monotonic() - self._catalogue_read_at >= settings.POLICY.serving.new_movies_refresh_seconds:
            self._take_in_movies()
            self._catalogue_read_at = time.monotonic()

    def _swap(self, wanted: list[ServedModel], at_once: bool) -> None:
        before = self._served
        if [_key(row) for row in wanted] == [(served.step, served.version, served.artifact) for served in before]:
            return
        now: list[Served] = []
        for row in wanted:
            served = _in_memory(row, before) or self._load(row)
            if served is not None:
                now.append(served)
                if at_once:
                    break
        if not now and wanted and before:  # none of them can be loaded: what is served stays
            now = [replace(before[0], step=ServedModel.Slot.PREVIOUS.value)]
        self._served = tuple(now)
        if before and now and before[0].version != now[0].version:
            MODEL_SWAPS.inc()
            logger.info("Model %s is served now, model %s was", now[0].version, before[0].version)

    def _load(self, row: ServedModel) -> Served | None:
        key = (row.version, row.artifact)
        refused_at = self._refused.get(key)
        if refused_at is not None and time.monotonic() - refused_at < RETRY_SECONDS:
            return None
        try:
            served = load(row)
        except DatabaseError:
            raise  # says nothing about the artefact
        except Exception as error:
            MODEL_LOAD_FAILURES.inc()
            tally.failed(row.version)
            if refused_at is None:
                logger.exception("Model %s cannot be served and is left out: %s", row.version, error)
            self._refused[key] = time.monotonic()
            return None
        self._refused.pop(key, None)
        logger.info("Model %s (%s) is loaded", row.version, row.algorithm)
        return served

    def _take_in_movies(self) -> None:
        self._served = tuple(take_in_movies(served) for served in self._served)


def _key(row: ServedModel) -> tuple[str, int, str]:
    return row.slot, row.version, row.artifact


def _in_memory(row: ServedModel, loaded: tuple[Served, ...]) -> Served | None:
    for served in loaded:
        if (served.version, served.artifact) == (row.version, row.artifact):
            return replace(served, step=row.slot)
    return None


def load(row: ServedModel) -> Served:
    """The artefact of `row`, checked (sums, format, finite values, a first list) and ready to answer at once."""
    # Here, so that commands which serve nothing start without numpy's and pandas' weight.
    from threadpoolctl import threadpool_limits

    from recommender.estimators import load_recommender

    folder = Path(settings.MODEL_DIR) / row.artifact
    model = load_recommender(folder, mmap=True)
    threadpool_limits(limits=1, user_api="blas")  # its threads would fight with those that serve requests
    trained_after = min((folder / "manifest.json").stat().st_mtime, row.activated_at.timestamp())
    state = CatalogueState.at(trained_after - settings.POLICY.training.max_runtime_seconds)
    empty = np.empty(0, dtype=np.int64)
    served = Served(row.slot, row.version, row.artifact, model, empty, empty, frozenset(), state)
    served = take_in_movies(served)
    _probe(served.model)
    return served


def take_in_movies(served: Served) -> Served:
    """The same model knowing what was added to the catalogue or changed in it since; nothing to do is cheap."""
    catalogue = Catalogue.read(since=served.catalogue)
    if catalogue is None:
        return served
    model = served.model
    is_rated = dict(zip(model.movie_ids_.tolist(), model.is_rated_.tolist(), strict=True))
    added = [movie for movie in catalogue.ids if movie not in is_rated]
    changed = [movie for movie in catalogue.changed if is_rated.get(movie) is False]
    if added or changed:
        from recommender.export import movie_frame

        model = model.with_movies(movie_frame(movie_ids=[*added, *changed]))
        _probe(model)
        logger.info("Model %s knows %d new movies (%d changed)", served.version, len(added), len(changed))
    ids = np.array(catalogue.ids, dtype=np.int64)
    rated = np.array([is_rated.get(movie, False) for movie in catalogue.ids], dtype=bool)
    known = frozenset(model.movie_ids_.tolist())
    return replace(served, model=model, rated=ids[rated], new=ids[~rated], known=known, catalogue=catalogue.state)


def _probe(model: Recommender) -> None:
    """A first list: fills the look-ups that requests would wait for, and refuses a model that cannot answer."""
    first = model.recommend_for_history([{}], k=1)
    model.likeness(first["movie_id"])


server = ModelServer()


def warm_up() -> None:
    """Load the model before the first request comes."""
    server.served()
