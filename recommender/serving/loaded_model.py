"""A model in memory, with the part of the catalog that it knows. Later, only changes are read."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from django.conf import settings
from django.db.models import Count, Max

from catalog.models import Credit, Movie, MovieGenre, MovieKeyword
from recommender import estimators  # lazy, so that commands that serve no list start without scipy
from recommender.estimators.artifact_files import FileSignature, file_signature
from recommender.models import ServedModel

if TYPE_CHECKING:
    from recommender.estimators import Recommender

logger = logging.getLogger(__name__)

LINKS = (MovieGenre, MovieKeyword, Credit)
OVERLAP = timedelta(minutes=2)  # a transaction may commit rows older than the latest row already read
Ids = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class Watermark:
    """The point up to which the catalog has been read."""

    n_movies: int
    last_movie: int
    updated_at: datetime
    last_links: tuple[int, ...] | None

    @classmethod
    def at(cls, timestamp: float) -> Self:
        """Return a watermark for a catalog that has not been read but is known up to `timestamp`."""
        return cls(0, 0, datetime.fromtimestamp(timestamp, tz=UTC), None)

    @classmethod
    def now(cls) -> Self:
        movies = Movie.objects.aggregate(count=Count("pk"), last=Max("pk"), updated_at=Max("updated_at"))
        links = tuple(model._default_manager.aggregate(last=Max("pk"))["last"] or 0 for model in LINKS)
        never = datetime.fromtimestamp(0, tz=UTC)
        return cls(movies["count"], movies["last"] or 0, movies["updated_at"] or never, links)


@dataclass(frozen=True)
class CatalogSnapshot:
    ids: list[int]  # newest first
    changed: set[int]
    watermark: Watermark

    @classmethod
    def read(cls, *, since: Watermark) -> Self | None:
        """Read the catalog, or return None if it has not changed since. The check takes four small queries."""
        watermark = Watermark.now()
        if watermark == since:
            return None
        changed = set(Movie.objects.filter(updated_at__gte=since.updated_at - OVERLAP).values_list("pk", flat=True))
        for model, last in zip(LINKS, since.last_links or (), strict=False):
            changed |= set(model._default_manager.filter(pk__gt=last).values_list("movie_id", flat=True))
        return cls(list(Movie.objects.newest().values_list("pk", flat=True)), changed, watermark)


@dataclass(frozen=True)
class LoadedModel:
    """A model in memory, with the part of the catalog that it knows.

    `rated` and `new` are the movies with and without ratings in the model's snapshot; `new` is sorted newest first.
    `files` is the signature of the artefact's files when they were last verified.
    """

    slot: str
    version: int
    artifact: str
    model: Recommender
    rated: Ids
    new: Ids
    known: frozenset[int]
    watermark: Watermark
    checksum: str
    files: FileSignature

    @property
    def candidates(self) -> Ids | None:
        """Return the rated movies, or None, which is scored fastest, if all of them are still in the catalog."""
        return None if len(self.rated) == int(self.model.is_rated_.sum()) else self.rated


def load_model(row: ServedModel) -> LoadedModel:
    """Load the artefact of `row`, check it (checksums, format, finite values, a first list) and warm it up."""
    # Imported here so that commands that serve no list start without scipy.
    from threadpoolctl import threadpool_limits

    folder = Path(settings.MODEL_DIR) / row.artifact
    files = file_signature(folder)  # taken before the files are read, to detect changes during loading
    model = estimators.load_recommender(folder, mmap=True)
    checksum = estimators.artifact_checksum(folder)
    if row.checksum and row.checksum != checksum:
        raise estimators.ArtifactError(f"{folder}: this is not the model that was activated: the checksum differs")
    threadpool_limits(limits=1, user_api="blas")  # more threads would compete with the request threads
    trained_after = min((folder / "manifest.json").stat().st_mtime, row.activated_at.timestamp())
    watermark = Watermark.at(trained_after - settings.POLICY.training.max_runtime_seconds)
    empty = np.empty(0, dtype=np.int64)
    known: frozenset[int] = frozenset()
    loaded = LoadedModel(row.slot, row.version, row.artifact, model, empty, empty, known, watermark, checksum, files)
    loaded = refresh_items(loaded)
    _warm_up(loaded.model)
    return loaded


def while_whole(loaded: LoadedModel) -> LoadedModel | None:
    """Return the model, or None if its artefact was overwritten.

    Large arrays are memory-mapped, so an overwritten file changes the model. Removed files stay mapped and do no harm.
    Reads the files only if their signature has changed.
    """
    folder = Path(settings.MODEL_DIR) / loaded.artifact
    files = file_signature(folder)
    if not files or files == loaded.files:
        return loaded
    try:
        is_same = estimators.verify_artifact(folder) == loaded.checksum
    except (estimators.ArtifactError, OSError):
        return None
    return replace(loaded, files=files) if is_same else None


def refresh_items(loaded: LoadedModel) -> LoadedModel:
    """Return the model with movies added or changed since. Cheap if there are none."""
    catalog = CatalogSnapshot.read(since=loaded.watermark)
    if catalog is None:
        return loaded
    model = loaded.model
    is_rated = dict(zip(model.movie_ids_.tolist(), model.is_rated_.tolist(), strict=True))
    added = [movie for movie in catalog.ids if movie not in is_rated]
    changed = [movie for movie in catalog.changed if is_rated.get(movie) is False]
    if added or changed:
        # Imported here so that commands that serve no list start without scipy.
        from recommender.export import movie_table

        model = model.with_movies(movie_table(movie_ids=[*added, *changed]))
        _warm_up(model)
        logger.info("Added %d new movies to model %s (%d changed)", len(added), loaded.version, len(changed))
    ids = np.array(catalog.ids, dtype=np.int64)
    rated = np.array([is_rated.get(movie, False) for movie in catalog.ids], dtype=bool)
    known = frozenset(model.movie_ids_.tolist())
    return replace(loaded, model=model, rated=ids[rated], new=ids[~rated], known=known, watermark=catalog.watermark)


def _warm_up(model: Recommender) -> None:
    """Make a first list. This fills caches and raises an error if the model is broken."""
    first = estimators.diverse_list(model, {}, 1, 0.0)[0]
    _ = model.likeness(first), model.attribute({}, first)
