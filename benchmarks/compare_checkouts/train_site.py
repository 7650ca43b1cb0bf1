"""Trains twice on a new site of one checkout; or writes a site's metrics and decisions as JSON. Started as a script."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import django

django.setup()

from django.apps import apps  # noqa: E402 - models exist after setup
from django.core.management import call_command  # noqa: E402
from django.core.management.base import CommandError  # noqa: E402

PSEUDONYMS = ("UserPseudonym", "UserSurrogate")  # the newer name first


def pseudonyms() -> Any:
    models = {model.__name__: model for model in apps.get_app_config("mlops").get_models()}
    return next(models[name] for name in PSEUDONYMS if name in models)


def train(algorithms: list[str]) -> None:
    call_command("migrate", verbosity=0, interactive=False)
    call_command("load_sample", verbosity=0)
    users = apps.get_model("catalog.User").objects.order_by("pk").values_list("pk", flat=True)
    kind = pseudonyms()  # in order, not drawn: otherwise every site orders its users in another way
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
    else:
        call_command("migrate", verbosity=0, interactive=False)
        dump(Path(sys.argv[2]))
