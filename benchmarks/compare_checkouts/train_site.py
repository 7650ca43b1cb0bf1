"""Trains on a new site of one checkout, or writes a site's metrics and decisions as JSON. Started as a script."""

from __future__ import annotations

import json
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import django

django.setup()

from django.apps import apps  # noqa: E402 - models exist after setup
from django.core.management import call_command  # noqa: E402
from django.core.management.base import CommandError  # noqa: E402

from recommender.estimators import ESTIMATORS, base  # noqa: E402

HERE = Path(__file__).resolve().parents[2]
EXACT = ("item_knn", "rp3beta", "popularity")  # algorithms whose scores do not use BLAS (see `score_bits`)
PSEUDONYMS = ("UserPseudonym", "UserSurrogate")  # newer name first


def pseudonyms() -> Any:
    models = {model.__name__: model for model in apps.get_app_config("mlops").get_models()}
    return next(models[name] for name in PSEUDONYMS if name in models)


def round_as_here() -> None:
    """Makes a checkout from before 2026-12 round its scores like this one, so that both break ties in the same way."""
    spec = spec_from_file_location("ranking_here", HERE / "recommender" / "estimators" / "ranking.py")
    ranking = module_from_spec(spec)
    spec.loader.exec_module(ranking)
    scores = base.Recommender._scores

    def rounded(model: Any, history: Any, columns: Any) -> Any:
        compute = model._score_history
        bits = ranking.EXACT_BITS if model.algorithm in EXACT else ranking.SCORE_BITS
        model._score_history = lambda *arguments: ranking.round_scores(compute(*arguments), bits)
        try:
            return scores(model, history, columns)
        finally:
            del model._score_history

    base.Recommender._scores = rounded
    assert all("_scores" not in vars(estimator) for estimator in ESTIMATORS.values())


def train(algorithms: list[str]) -> None:
    call_command("migrate", verbosity=0, interactive=False)
    call_command("load_sample", verbosity=0)
    users = apps.get_model("catalog.User").objects.order_by("pk").values_list("pk", flat=True)
    kind = pseudonyms()  # assigned in order instead of at random, so that all sites order their users in the same way
    kind.objects.bulk_create([kind(user_id=user, number=1_000 + place) for place, user in enumerate(users)])
    for algorithm in algorithms:
        try:
            call_command("train_model", algorithm=algorithm, verbosity=0)
        except CommandError as error:
            print(f"{algorithm}: {error}", file=sys.stderr)


def dump(out: Path) -> None:
    versions = []
    for version in apps.get_model("mlops.ModelVersion").objects.order_by("pk"):
        decision = version.decisions.first()
        rules = {f"{rule['code']} {rule['subject']}".strip(): rule for rule in decision.rules}
        found = {"algorithm": version.algorithm, "status": version.status, "decision": decision.outcome}
        checksums = {"data": version.snapshot.content_hash}
        versions.append(found | checksums | {"rules": rules, "metrics": version.figures})
    out.write_text(json.dumps(versions, indent=1), encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1] == "train":
        train(sys.argv[2:])
    elif sys.argv[1] == "train-rounded":
        round_as_here()
        train(sys.argv[2:])
    else:
        call_command("migrate", verbosity=0, interactive=False)
        dump(Path(sys.argv[2]))
