"""Runs a backtest: loads the champion's data, fits and evaluates the models, saves the row."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.utils import timezone
from threadpoolctl import threadpool_limits

from mlops.data.validation import frames_as_of
from mlops.errors import NothingToTest, SnapshotNotAvailable, StepFailed
from mlops.evaluation.lineage import fitting_threads
from mlops.evaluation.parameters import from_json
from mlops.models import Backtest, ModelVersion
from mlops.monitoring.backtests.ablations import ablate_features
from mlops.monitoring.backtests.context import BacktestContext, Progress
from mlops.monitoring.backtests.staleness import measure_staleness
from recommender.evaluation import LaterData, temporal_cuts

Kind = Backtest.Kind

BACKTESTS: dict[str, Callable[[BacktestContext], tuple[dict[str, Any], bool]]] = {
    Kind.FEATURES: ablate_features,
    Kind.STALENESS: measure_staleness,
}


def backtest(*, kind: str, on_progress: Progress | None = None) -> Backtest:
    """Fits the champion's recipe several times. Raises NothingToTest, SnapshotNotAvailable, StepFailed."""
    champion = ModelVersion.objects.filter(status=ModelVersion.Status.CHAMPION).select_related("snapshot").first()
    if champion is None:
        raise NothingToTest("There is no champion yet.")
    if champion.snapshot.unavailable_reason:
        raise SnapshotNotAvailable(champion.snapshot.unavailable_reason)
    started = timezone.now()
    with threadpool_limits(limits=fitting_threads(), user_api="blas"):
        figures, passed = BACKTESTS[kind](_context(champion, on_progress or (lambda name: None)))
    return Backtest.objects.create(
        kind=kind,
        version=champion,
        figures=figures,
        passed=passed,
        started_at=started,
        ended_at=timezone.now(),
    )


def _context(champion: ModelVersion, progress: Progress) -> BacktestContext:
    ratings, movies = frames_as_of(champion.snapshot, champion.created_at)
    try:
        split = temporal_cuts(ratings, settings.POLICY.evaluation.cuts[-1:])[0]
        later = LaterData.after(split, movies, settings.POLICY.training.implicit_threshold, sampling=None)
    except ValueError as error:
        raise StepFailed(f"There is no later data to evaluate on: {error}") from error
    parameters = from_json(champion.parameters | champion.chosen)
    return BacktestContext(champion.algorithm, parameters, movies, later, progress)
