"""The row, search space and data of a search. The data precedes the gate's first cut."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from django.conf import settings
from django.utils import timezone
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from mlops.data.lookup import find_snapshot
from mlops.data.snapshots import export_snapshot
from mlops.data.validation import frames_as_of
from mlops.errors import InvalidSpace, StepFailed
from mlops.evaluation.comparison import difference, fit_and_evaluate
from mlops.evaluation.parameters import from_json, known_algorithm, to_json
from mlops.models import DatasetSnapshot, TuningStudy
from mlops.tuning.choices import parameters_in_force
from recommender.estimators import ESTIMATORS
from recommender.evaluation import Comparison, temporal_cuts
from recommender.evaluation.comparison import pool
from recommender.evaluation.folds import TemporalFold

CANDIDATE, PRESENT = "candidate", "present"

Space = Mapping[str, Mapping[str, Any]]


def open_study(*, algorithm: str | None, n_trials: int | None, snapshot: str | None, restart: bool) -> TuningStudy:
    """Returns the unfinished search with the same recipe. Creates one if there is none or `restart` is set.

    An unfinished search continues on its own data. A new search exports the current data unless `snapshot` is given.
    """
    policy = settings.POLICY
    name = known_algorithm(algorithm or policy.training.algorithm)
    if name not in policy.tuning.spaces:
        raise InvalidSpace(f"tuning.spaces in config.yaml has no ranges for {name}.")
    space = {key: search.model_dump(mode="json") for key, search in policy.tuning.spaces[name].items()}
    distributions(name, space)
    given = to_json(parameters_in_force(name))
    data = find_snapshot(snapshot) if snapshot else None
    recipe = _recipe(name, space, given)
    unended = TuningStudy.objects.filter(recipe=recipe, ended_at=None, snapshot__removed_at=None)
    if data is not None:
        unended = unended.filter(snapshot=data)
    study = None if restart else unended.first()
    if study is None:
        study = TuningStudy(algorithm=name, snapshot=data or export_snapshot(), given=given, space=space, recipe=recipe)
        study.n_trials = policy.tuning.trials
    if n_trials is not None:
        study.n_trials = n_trials
    study.save()
    TuningStudy.objects.filter(algorithm=name, ended_at=None).exclude(pk=study.pk).update(ended_at=timezone.now())
    return study


def distributions(algorithm: str, space: Space) -> dict[str, BaseDistribution]:
    """Returns optuna's distribution for each hyper-parameter.

    Raises InvalidSpace, with the key in config.yaml, if the algorithm rejects a value.
    """
    kind = ESTIMATORS[algorithm]
    known = [field.name for field in fields(kind.config_class)]
    for name, search in space.items():
        where = f"tuning.spaces.{algorithm}.{name}"
        if name not in known:
            raise InvalidSpace(f"{where}: there is no such hyper-parameter; known are {', '.join(known)}.")
        for value in search.get("choices") or (_end(search, "low"), _end(search, "high")):
            try:
                kind(**from_json({name: value}))
            except (TypeError, ValueError) as error:
                raise InvalidSpace(f"{where}: {error}") from None
    return {name: _distribution(search) for name, search in space.items()}


def _end(search: Mapping[str, Any], name: str) -> float:
    return int(search[name]) if search["whole"] else float(search[name])


def _distribution(search: Mapping[str, Any]) -> BaseDistribution:
    if search.get("choices"):
        return CategoricalDistribution(search["choices"])
    if search["whole"]:
        return IntDistribution(int(search["low"]), int(search["high"]), log=search["log"])
    return FloatDistribution(search["low"], search["high"], log=search["log"])


def _recipe(algorithm: str, space: dict[str, Any], given: dict[str, Any]) -> str:
    """Returns a hash that is equal for searches with comparable trials."""
    policy = settings.POLICY
    parts = {
        "algorithm": algorithm,
        "space": space,
        "given": given,
        "cuts": [policy.evaluation.cuts[0], *policy.tuning.cuts],
        "k": policy.evaluation.k,
        "keep_share": policy.tuning.keep_share,
        "memory_mb": policy.training.memory_mb,
        "implicit_threshold": policy.training.implicit_threshold,
        "random_state": policy.training.random_state,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def later_data(snapshot: DatasetSnapshot) -> list[TemporalFold]:
    """Returns the folds at `tuning.cuts`, which are shares of the data before the first of `evaluation.cuts`."""
    ratings, movies = frames_as_of(snapshot, timezone.now())
    policy = settings.POLICY
    threshold = policy.training.implicit_threshold
    try:
        unjudged = temporal_cuts(ratings, policy.evaluation.cuts[:1])[0].train
        splits = temporal_cuts(unjudged, policy.tuning.cuts)
        return [TemporalFold.after(split, movies, threshold, sampling=None) for split in splits]
    except ValueError as error:
        raise StepFailed(f"There is no later data to evaluate a search on: {error}") from error


def gain(cuts: list[TemporalFold], algorithm: str, parameters: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Returns the nDCG of CANDIDATE minus that of PRESENT, paired by user, with its interval."""
    both = Comparison(
        {name: pool([fit_and_evaluate(cut, algorithm, values) for cut in cuts]) for name, values in parameters.items()}
    )
    return difference(both, CANDIDATE, PRESENT)
