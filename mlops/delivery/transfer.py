"""Transfers versions between sites. An imported package passes through the same gate as any candidate."""

import logging
import shutil
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from mlops.data.snapshots import adopt_snapshot, read_snapshot
from mlops.delivery.fetch import place
from mlops.delivery.package import (
    COPIED,
    MLFLOW,
    MODEL,
    SNAPSHOT,
    model_store,
    open_package,
    package_name,
    write_package,
)
from mlops.errors import (
    ArtifactNotAvailable,
    ForeignCatalogue,
    NotPromotable,
    SnapshotNotAvailable,
    VersionNotFound,
)
from mlops.evaluation.comparison import Progress
from mlops.gate.versions import evaluate_version
from mlops.models import DatasetSnapshot, GateDecision, ModelVersion, Promotion
from mlops.registry.artifacts import size_of
from mlops.registry.promotion import get_version, promote
from recommender.estimators.artifact_files import copy_artifact
from recommender.export import movie_frame

logger = logging.getLogger(__name__)

MIN_KNOWN_SHARE = 0.9  # share of a model's movies that the catalogue must contain; titles are edited occasionally
Status = ModelVersion.Status


def export_version(*, version: int | None = None, to: str | None = None) -> str:
    """Writes the version, by default the champion, to a store. Returns the address of its package.

    Raises VersionNotFound, ArtifactNotAvailable, SnapshotNotAvailable, PackageError.
    """
    row = ModelVersion.champion() if version is None else get_version(version)
    if row is None:
        raise VersionNotFound("There is no champion to export.")
    return write_package(row, to or model_store())


def publish_champion() -> str | None:
    """Writes the champion to MODEL_STORE for hosts that do not share this host's disk, unless it is already there.

    Returns the package's address. Returns None if this host lacks the champion's files or data, or if the store is
    MLflow, to which versions are mirrored anyway. Raises PackageError.
    """
    if settings.MODEL_STORE == MLFLOW:
        return None
    try:
        return export_version()
    except (VersionNotFound, ArtifactNotAvailable, SnapshotNotAvailable) as error:
        logger.info("the champion is not published from this host: %s", error)
        return None


def import_version(*, address: str, on_progress: Progress | None = None) -> tuple[ModelVersion, GateDecision]:
    """Imports a package as a candidate and lets the gate decide. Promotes it if it passes and the policy allows it.

    A repeated import of the same package keeps the gate's decision and only does the missing steps. Raises
    PackageError, SnapshotNotAvailable, StepFailed, or ForeignCatalogue if the model was trained on another site's
    movies.
    """
    with open_package(address) as (folder, record):
        row = ModelVersion.objects.filter(artifact_checksum=record["checksum"]).first()
        if row is None:
            row = _register(folder, record)
        else:
            place(row, folder / MODEL)
    decision = row.decisions.first() or evaluate_version(version=row.pk, on_progress=on_progress)
    row.refresh_from_db()
    if row.status == Status.CANDIDATE and decision.outcome == GateDecision.Outcome.PASSED:
        _promote(row, decision)
    return row, decision


def _register(folder: Path, record: Mapping[str, Any]) -> ModelVersion:
    is_ours = DatasetSnapshot.objects.filter(content_hash=record["snapshot"], removed_at=None).exists()
    snapshot = adopt_snapshot(folder / SNAPSHOT)
    _require_our_movies(snapshot)
    if not is_ours:  # keep the original export time, because an import does not make the data newer
        DatasetSnapshot.objects.filter(pk=snapshot.pk).update(exported_at=record["exported_at"])
    fields = {name: record[name] for name in COPIED} | {"created_at": record["created_at"]}
    # Only this row uses the folder; another import of the same package gets its own.
    target = settings.MODEL_DIR / f"{package_name(record['checksum'])}-{uuid.uuid4().hex[:8]}"
    copy_artifact(folder / MODEL, target)
    try:
        return ModelVersion.objects.create(
            **fields,
            snapshot=snapshot,
            artifact=target.name,
            artifact_checksum=record["checksum"],
            artifact_bytes=size_of(target),
        )
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)
        raise


def _require_our_movies(snapshot: DatasetSnapshot) -> None:
    """Raises ForeignCatalogue if too few movies match, because ids in another catalogue mean other movies."""
    theirs = read_snapshot(snapshot)[1].set_index("movie_id")["title"]
    ours = movie_frame(movie_ids=theirs.index.tolist()).set_index("movie_id")["title"].reindex(theirs.index)
    share = float((theirs.fillna("") == ours).mean()) if len(theirs) else 0.0
    if share < MIN_KNOWN_SHARE:
        raise ForeignCatalogue(
            f"{share:.0%} of the model's {len(theirs):,} movies are movies of this site under the same number and "
            f"title; {MIN_KNOWN_SHARE:.0%} are needed. It was trained on another catalogue."
        )


def _promote(row: ModelVersion, decision: GateDecision) -> None:
    champion = decision.champion
    if champion is not None and not settings.POLICY.promotion.automatic:
        return
    with transaction.atomic():
        if ModelVersion.objects.select_for_update().filter(status=Status.CHAMPION).first() != champion:
            raise NotPromotable(f"Version {row.pk} passed, but the champion that it was compared with was replaced.")
        promote(version=row.pk, kind=Promotion.Kind.AUTOMATIC)
    row.refresh_from_db()
