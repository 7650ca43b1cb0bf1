"""Judging a version again: against today's champion, on the data it was trained on."""

from django.conf import settings

from mlops.data.validation import frames_as_of
from mlops.errors import SnapshotNotAvailable
from mlops.evaluation.comparison import Progress, evaluate_candidate, figures_of
from mlops.evaluation.parameters import from_json
from mlops.gate.verdicts import judge_version
from mlops.models import GateVerdict, ModelVersion
from mlops.registry.artifacts import folder_of, require_artifact, verify_in_fresh_process
from mlops.registry.promotion import get_version
from mlops.registry.smoke_test_input import probe_of
from recommender.estimators import Dataset


def evaluate_version(*, version: int, on_progress: Progress | None = None) -> GateVerdict:
    """New figures and a new verdict. Raises VersionNotFound, ArtifactNotAvailable, SnapshotNotAvailable, StepFailed."""
    row = get_version(version)
    require_artifact(row)
    if row.snapshot.removed_at:
        raise SnapshotNotAvailable(f"The data of version {version} was removed by retention.")
    champion = ModelVersion.objects.filter(status=ModelVersion.Status.CHAMPION).exclude(pk=row.pk).first()
    ratings, movies = frames_as_of(row.snapshot, row.created_at)
    comparison = evaluate_candidate(
        algorithm=row.algorithm,
        parameters=from_json(row.parameters | row.chosen),
        champion=champion,
        ratings=ratings,
        movies=movies,
        progress=on_progress,
    )
    dataset = Dataset.from_frames(ratings, movies, settings.POLICY.training.implicit_threshold)
    fresh = verify_in_fresh_process(folder_of(row), probe_of(dataset, row.algorithm, row.random_state))
    row.figures = figures_of(comparison, movies) | {"fresh_process": fresh}
    row.save(update_fields=["figures"])
    return judge_version(row, champion)
