"""The data of trials: the site's own later data, all of it before the first cut of the gate."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.utils import timezone

from mlops.data.validation import frames_as_of
from mlops.errors import StepFailed
from mlops.models import DatasetSnapshot
from recommender.evaluation import Comparison, Evaluation, TemporalFold, fitter, temporal_cuts
from recommender.evaluation.evaluate import pool

CANDIDATE, PRESENT = "candidate", "present"


def later_data(snapshot: DatasetSnapshot) -> list[TemporalFold]:
    """The folds of `tuning.cuts`, which are shares of the data before the first of `evaluation.cuts`."""
    ratings, movies = frames_as_of(snapshot, timezone.now())
    policy = settings.POLICY
    threshold = policy.training.implicit_threshold
    try:
        unjudged = temporal_cuts(ratings, policy.evaluation.cuts[:1])[0].train
        splits = temporal_cuts(unjudged, policy.tuning.cuts)
        return [TemporalFold.after(split, movies, threshold, sampling=None) for split in splits]
    except ValueError as error:
        raise StepFailed(f"There is no later data to evaluate a search on: {error}") from error


def evaluate_at(cut: TemporalFold, algorithm: str, parameters: Mapping[str, Any]) -> Evaluation:
    model = fitter(algorithm, settings.POLICY.training.random_state, **parameters)(cut.dataset)
    return cut.evaluate(model, settings.POLICY.evaluation.k)


def difference(cuts: list[TemporalFold], algorithm: str, parameters: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """CANDIDATE minus PRESENT, paired by user, with its interval."""
    both = Comparison(
        {name: pool([evaluate_at(cut, algorithm, values) for cut in cuts]) for name, values in parameters.items()}
    )
    resamples = settings.POLICY.evaluation.bootstrap_resamples
    return both.difference(CANDIDATE, PRESENT, resamples=resamples).to_dict()
