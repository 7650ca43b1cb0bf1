"""Loads the models that this process serves, follows the pointer rows, and swaps models without a pause.

A request only reads `server.models()`, a tuple that is replaced atomically. One background thread loads models. Only a
process's first list waits for its model.
"""

import logging
import os
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.db import DatabaseError

from recommender.estimators.artifact_files import FileSignature, file_signature
from recommender.estimators.memory import forget_model, trim_heap
from recommender.logs import log_once_a_minute
from recommender.metrics import MODEL_LOAD_FAILURES, MODEL_SWAPS
from recommender.models import ServedModel
from recommender.serving.loaded_model import LoadedModel, load_model, refresh_items, while_whole
from recommender.serving.periodic import PeriodicThread
from recommender.serving.stats import serving_stats

logger = logging.getLogger(__name__)

RETRY_SECONDS = 60.0  # delay before a rejected artefact is tried again; changed files are tried at once


class Refusal(NamedTuple):
    at: float
    files: FileSignature
    error: str


class ModelServer:
    def __init__(self) -> None:
        self.thread = PeriodicThread(
            "refresh served models", self._refresh_locked, lambda: settings.POLICY.serving.refresh_seconds
        )
        self.reset()
        os.register_at_fork(after_in_child=self._look_again)

    def reset(self) -> None:
        """Remove all models, as in a new process."""
        self._renew_lock()
        self._models: tuple[LoadedModel, ...] = ()
        self._is_loaded = False
        self._refused: dict[tuple[int, str], Refusal] = {}
        self._items_refreshed_at = 0.0

    def _renew_lock(self) -> None:
        self._lock = threading.Lock()  # a fork may have copied it in locked state

    def _look_again(self) -> None:
        """Keep the parent's models after a fork, but check before the first list whether they are outdated."""
        self._renew_lock()
        self._is_loaded = False

    def preload(self) -> None:
        """Load all models for the worker processes that will be forked. Starts no thread."""
        self._load_first(first_only=False)
        for loaded in self._models:
            forget_model(loaded.model)
        trim_heap()

    def models(self) -> tuple[LoadedModel, ...]:
        """Return the loaded models, champion first."""
        if not self._is_loaded:
            self._load_first()
        self.thread.ensure_started()
        return self._models

    def champion(self) -> LoadedModel | None:
        """Return the champion or, if it cannot be loaded, the previous champion, or None."""
        return next(iter(self.models()), None)

    def refusal(self, row: ServedModel) -> str | None:
        """Return why the model of a pointer row cannot be loaded, "" if it can, or None if this process has not tried.

        A removed folder counts even if this process serves the model from memory, because a new process could not load
        it.
        """
        folder = Path(settings.MODEL_DIR) / row.artifact
        files = file_signature(folder)
        refused = self._refused.get((row.version, row.artifact))
        if refused:
            return refused.error if refused.files == files else None
        if _in_memory(row, self._models) is None:
            return None
        return "" if files else f"{folder} was removed"

    def _load_first(self, *, first_only: bool = True) -> None:
        with self._lock:
            if self._is_loaded:
                return
            try:
                self._refresh(first_only=first_only)
            except DatabaseError:
                log_once_a_minute(logger.exception, "Cannot read the served model from the database")

    def refresh(self) -> None:
        """Load the models of the pointer rows and the current catalog now."""
        with self._lock:
            self._items_refreshed_at = 0.0
            self._refresh()

    def _refresh_locked(self) -> None:
        with self._lock:
            self._refresh()

    def _refresh(self, *, first_only: bool = False) -> None:
        """Load the models of the pointer rows. With `first_only`, loads one model, and the thread loads the rest."""
        rows = {row.slot: row for row in ServedModel.objects.all()}
        if self._swap([rows[slot] for slot in ServedModel.Slot.values if slot in rows], first_only):
            trim_heap()
            self._forget_spare()
        self._is_loaded = True
        if time.monotonic() - self._items_refreshed_at >= settings.POLICY.serving.new_movies_refresh_seconds:
            self._models = tuple(refresh_items(loaded) for loaded in self._models)
            self._items_refreshed_at = time.monotonic()
            self._forget_spare()

    def _forget_spare(self) -> None:
        """Release the mapped memory of the fallback models. It is read again if the champion fails."""
        for loaded in self._models[1:]:
            forget_model(loaded.model)

    def _swap(self, rows: list[ServedModel], first_only: bool) -> bool:
        """Serve the models of the rows. Return whether they differ from those served so far."""
        served = self._models
        before = self._models = self._whole(served)
        if [(row.slot, row.version, row.artifact) for row in rows] == [(m.slot, m.version, m.artifact) for m in before]:
            return False
        now: list[LoadedModel] = []
        for row in rows:
            loaded = _in_memory(row, before) or self._load(row)
            if loaded is not None:
                now.append(loaded)
                if first_only:
                    break
        if not now and rows and before:  # none can be loaded, so keep the model in memory
            now = [replace(before[0], slot=ServedModel.Slot.PREVIOUS.value)]
        self._models = tuple(now)
        if served and now and served[0].version != now[0].version:
            MODEL_SWAPS.inc()
            logger.info("Swapped served model %s for model %s", served[0].version, now[0].version)
        return True

    def _whole(self, models: tuple[LoadedModel, ...]) -> tuple[LoadedModel, ...]:
        """Return the models whose files have not been overwritten."""
        found = [(loaded, while_whole(loaded)) for loaded in models]
        for loaded in [loaded for loaded, whole in found if whole is None]:
            logger.error("The files of model %s were changed: it is served no longer", loaded.version)
        return tuple(whole for _, whole in found if whole is not None)

    def _load(self, row: ServedModel) -> LoadedModel | None:
        key = (row.version, row.artifact)
        files = file_signature(Path(settings.MODEL_DIR) / row.artifact)
        refused = self._refused.get(key)
        if refused and refused.files == files and time.monotonic() - refused.at < RETRY_SECONDS:
            return None
        try:
            loaded = load_model(row)
        except DatabaseError:
            raise  # not caused by the artefact
        except Exception as error:
            MODEL_LOAD_FAILURES.inc()
            serving_stats.record_failure(row.version)
            if refused is None:
                logger.exception("Model %s cannot be served: %s", row.version, error)
            self._refused[key] = Refusal(time.monotonic(), files, str(error))
            return None
        self._refused.pop(key, None)
        logger.info("Loaded model %s (%s)", row.version, row.algorithm)
        return loaded


def _in_memory(row: ServedModel, models: tuple[LoadedModel, ...]) -> LoadedModel | None:
    for loaded in models:
        if (loaded.version, loaded.artifact) == (row.version, row.artifact):
            return replace(loaded, slot=row.slot)
    return None


server = ModelServer()
