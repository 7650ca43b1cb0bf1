"""Opens a search: an interrupted one, or a new one."""

import hashlib
import json
from typing import Any

from django.conf import settings
from django.utils import timezone

from mlops.data.lookup import find_snapshot
from mlops.data.snapshots import export_snapshot
from mlops.errors import InvalidSpace
from mlops.evaluation.parameters import known_algorithm, to_json
from mlops.models import TuningStudy
from mlops.tuning.choices import parameters_in_force
from mlops.tuning.space import distributions


def open_study(*, algorithm: str | None, n_trials: int | None, snapshot: str | None, restart: bool) -> TuningStudy:
    """The unfinished search with the same recipe, on its own data; a new one, on today's data, if `restart`."""
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


def _recipe(algorithm: str, space: dict[str, Any], given: dict[str, Any]) -> str:
    """Equal for searches with comparable trials."""
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
