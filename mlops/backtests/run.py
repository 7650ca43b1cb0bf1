"""A backtest from beginning to end: the champion's data, models fitted and judged, the row that is kept."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
from django.conf import settings
from django.utils import timezone
from threadpoolctl import threadpool_limits

from mlops.backtests.features import judge_features
from mlops.backtests.staleness import judge_staleness
from mlops.errors import NothingToTest, SnapshotNotAvailable, StepFailed
from mlops.lineage import fitting_threads
from mlops.models import Backtest, ModelVersion
from mlops.parameters import from_json
from mlops.validation import frames_as_of
from recommender.estimators import Dataset
from recommender.evaluation import Evaluation, LaterData, fitter, temporal_cuts

Progress = Callable[[str], None]
Kind = Backtest.Kind


@dataclass(frozen=True)
class Subject:
    """The champion's recipe, and the last cut of its own data. Models are judged on what came after it."""

    algorithm: str
    parameters: Mapping[str, Any]
    movies: pd.DataFrame
    later: LaterData
    progress: Progress

    def judged(self, name: str, data: LaterData) -> Evaluation:
        """A model that learnt from `data`, asked what all of them are asked."""
        self.progress(name)
        model = fitter(self.algorithm, settings.POLICY.training.random_state, **self.parameters)(data.dataset)
        return data.evaluate(model, settings.POLICY.evaluation.k)

    def learnt_from(self, ratings: pd.DataFrame, movies: pd.DataFrame) -> Dataset:
        """Metadata of the movies that are rated there: encoders learn nothing from later ones."""
        known = movies[movies["movie_id"].isin(ratings["movie_id"].unique())]
        return Dataset.from_frames(ratings, known, settings.POLICY.training.implicit_threshold)


JUDGES: dict[str, Callable[[Subject], tuple[dict[str, Any], bool, str]]] = {
    Kind.FEATURES: judge_features,
    Kind.STALENESS: judge_staleness,
}


def backtest(*, kind: str, on_progress: Progress | None = None) -> Backtest:
    """Fits the champion's recipe several times. Raises NothingToTest, SnapshotNotAvailable, StepFailed."""
    champion = ModelVersion.objects.filter(status=ModelVersion.Status.CHAMPION).select_related("snapshot").first()
    if champion is None:
        raise NothingToTest("There is no champion yet.")
    if champion.snapshot.absence:
        raise SnapshotNotAvailable(champion.snapshot.absence)
    started = timezone.now()
    with threadpool_limits(limits=fitting_threads(), user_api="blas"):
        figures, passed, sentence = JUDGES[kind](_subject(champion, on_progress or (lambda name: None)))
    return Backtest.objects.create(
        kind=kind,
        version=champion,
        figures=figures,
        passed=passed,
        sentence=sentence,
        started_at=started,
        ended_at=timezone.now(),
    )


def _subject(champion: ModelVersion, progress: Progress) -> Subject:
    ratings, movies = frames_as_of(champion.snapshot, champion.created_at)
    try:
        split = temporal_cuts(ratings, settings.POLICY.evaluation.cuts[-1:])[0]
        later = LaterData.after(split, movies, settings.POLICY.training.implicit_threshold, sampling=None)
    except ValueError as error:
        raise StepFailed(f"There is nothing later to judge by: {error}") from error
    parameters = from_json(champion.parameters | champion.chosen)
    return Subject(champion.algorithm, parameters, movies, later, progress)
