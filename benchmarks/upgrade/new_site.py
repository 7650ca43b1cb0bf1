"""Checks an upgraded site with the code of the newer checkout, in a process of that checkout. Writes rows as JSON.

benchmarks.upgrade starts this script after `migrate`. Each check is a generator of problems and passes if there are
none.
"""

from __future__ import annotations

import json
import re
import sys
import traceback
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import django

import benchmarks

benchmarks.__path__.insert(0, str(Path(__file__).resolve().parent.parent))  # uses these checks, even if NEW has its own
django.setup()

from celery import current_app  # noqa: E402 - apps exist after setup
from django.apps import apps  # noqa: E402
from django.conf import settings  # noqa: E402
from django.contrib import admin  # noqa: E402
from django.contrib.auth.models import Permission  # noqa: E402
from django.test import Client  # noqa: E402
from django.urls import reverse  # noqa: E402
from django_celery_beat.models import PeriodicTask  # noqa: E402

from benchmarks.upgrade.renames import CODES, FREE_TO_SHRINK, find_model, stored_values  # noqa: E402

Problems = Iterator[str]
PAGES = ["/", "/movies/", "/ratings/", "/watchlist/", "/import/", "/mlops/", "/admin/", "/readyz"]
API = ["models/", "runs/", "drift/", "recommendations/", "recommendations/new/", "ratings/", "movies/"]
DETAILS = 5  # rows per model whose admin page is opened
SKIPPED_QUEUE = "training"  # schedules of this queue take minutes
MEMBER, OPERATOR = "member", "operator"
LEGACY = "legacy"  # the code of a finding whose text no migration knew
CODE = re.compile(r"[a-z0-9_]+([.:-][a-z0-9_]+)*")


class Site:
    def __init__(self, before: dict[str, Any]) -> None:
        self.before = before
        self.old_alerts = dict(_alerts().values_list("pk", "findings"))

    def client(self, username: str) -> Client:
        client = Client(headers={"host": "localhost"}, raise_request_exception=False)
        client.force_login(find_model("catalog.User").objects.get(username=username))
        return client

    def list_of_member(self) -> dict[str, Any]:
        answer: dict[str, Any] = self.client(MEMBER).get("/api/v1/recommendations/?k=20").json()
        return answer


def _alerts() -> Any:
    return find_model("mlops.Alert").objects.filter(closed_at=None)


def history_is_complete(site: Site) -> Problems:
    for label, n_before in site.before["counts"].items():
        try:
            n = find_model(label)._base_manager.count()
        except LookupError:
            yield f"{label}: no such model, name it in benchmarks/upgrade/renames.py"
            continue
        if n < n_before and label not in FREE_TO_SHRINK:
            yield f"{label}: {n_before} rows before, {n} after"


def stored_values_are_codes(site: Site) -> Problems:
    for label, field in CODES:
        found = {str(value) for value in stored_values(label, field)}
        sentences = sorted(value for value in found if not CODE.fullmatch(value) or value == LEGACY)
        if sentences:
            yield f"{label}.{field}: {len(sentences)} values without a code, {sentences[0]!r} first"


def permissions_still_exist(site: Site) -> Problems:
    held = set(Permission.objects.filter(group__name="analysts").values_list("content_type__app_label", "codename"))
    defined = {
        (model._meta.app_label, f"{action}_{model._meta.model_name}")
        for model in apps.get_models()
        for action in model._meta.default_permissions
    } | {(m._meta.app_label, codename) for m in apps.get_models() for codename, _ in m._meta.permissions}
    gone = sorted(f"{app}.{codename}" for app, codename in held - defined)
    if gone:
        yield f"a group still holds {len(gone)} permissions that no model defines: {', '.join(gone[:5])}"


def champion_serves(site: Site) -> Problems:
    answer = site.list_of_member()
    if answer["fallback"] or answer["model_version"] != site.before["champion"]:
        if not find_model("mlops.PipelineRun").objects.filter(status__in=["queued", "running"]).exists():
            yield f"version {answer['model_version']}, fallback {answer['fallback']!r}, and no training is queued"
        return
    movies = [row["movie"]["id"] for row in answer["results"]]
    differing = [
        place + 1 for place, pair in enumerate(zip(movies, site.before["list"], strict=False)) if len(set(pair)) > 1
    ]
    if differing:
        yield f"the list differs at ranks {differing}"


def pages_answer(site: Site) -> Problems:
    client = site.client(OPERATOR)
    versions = find_model("mlops.ModelVersion").objects.values_list("pk", flat=True)
    runs = find_model("mlops.PipelineRun").objects.values_list("pk", flat=True)
    paths = [*PAGES, *(f"/api/v1/{path}" for path in API), *(f"/api/v1/models/{pk}/" for pk in versions)]
    yield from _not_ok(client, [*paths, *(f"/api/v1/runs/{pk}/" for pk in runs)])


def admin_pages_answer(site: Site) -> Problems:
    client = site.client(OPERATOR)
    paths = []
    for model in admin.site._registry:
        name = f"{model._meta.app_label}_{model._meta.model_name}"
        paths.append(reverse(f"admin:{name}_changelist"))
        for pk in model._base_manager.order_by("-pk").values_list("pk", flat=True)[:DETAILS]:
            paths.append(reverse(f"admin:{name}_change", args=[pk]))
    yield from _not_ok(client, paths)


def _not_ok(client: Client, paths: list[str]) -> Problems:
    for path in paths:
        status = client.get(path).status_code
        if status != 200:
            yield f"{path}: {status}"


def schedules_run(site: Site) -> Problems:
    """Checks all schedules, including rows written by the old site, whose task names must still be known."""
    current_app.loader.import_default_modules()
    for row in PeriodicTask.objects.filter(enabled=True).exclude(queue=SKIPPED_QUEUE).exclude(name="train-model"):
        task = current_app.tasks.get(row.task)
        if task is None:
            yield f"schedule {row.name}: no task is called {row.task}"
        elif not row.name.startswith("celery.") and (failed := _failure(task)):
            yield f"schedule {row.name}: {failed}"
    names = list(PeriodicTask.objects.filter(enabled=True).values_list("task", flat=True))
    doubled = sorted({name for name in names if names.count(name) > 1} - {"mlops.backtest"})
    if doubled:
        yield f"scheduled twice: {', '.join(doubled)}"


def _failure(task: Any) -> str:
    result = task.apply()
    return "" if result.successful() else str(result.traceback).strip().splitlines()[-1]


def dead_runs_end(site: Site) -> Problems:
    for run in find_model("mlops.PipelineRun").objects.filter(status="running"):
        yield f"{run} of the old site still runs"
    for row in find_model("catalog.HistoryImport").objects.filter(status__in=["reading", "running"]):
        yield f"import {row} is still being read"


def quarantined_rows_are_released(site: Site) -> Problems:
    services = import_module("mlops.services")
    operator = find_model("catalog.User").objects.get(username=OPERATOR)
    rows = find_model("mlops.QuarantinedRow").objects
    fatal = rows.get(fingerprint="f" * 64)
    releasable = list(rows.filter(released_at=None).exclude(pk=fatal.pk).values_list("pk", flat=True))
    n = services.release(rows=releasable, by=operator, reason="the clock was wrong")
    if n != len(releasable):
        yield f"{n} of {len(releasable)} rows were released"
    try:
        services.release(rows=[fatal.pk], by=operator, reason="try")
        yield "a row whose rating is not a number was released"
    except import_module("mlops.errors").MLOpsError:
        pass


def alerts_close(site: Site) -> Problems:
    for alert in _alerts():
        if site.old_alerts.get(alert.pk) == alert.findings:
            yield f"still open: {str(alert)[:80]}"


BEFORE_TRAINING: list[Callable[[Site], Problems]] = [
    history_is_complete,
    stored_values_are_codes,
    permissions_still_exist,
    champion_serves,
    pages_answer,
    admin_pages_answer,
    schedules_run,
    dead_runs_end,
    quarantined_rows_are_released,
]


def released_rows_stay_released(site: Site) -> Problems:
    rows = find_model("mlops.QuarantinedRow").objects.filter(released_at=None).exclude(fingerprint="f" * 64)
    for row in rows:
        yield f"{row} is in quarantine again: {row.reasons}"


def new_champion_serves(site: Site) -> Problems:
    answer = site.list_of_member()
    if answer["fallback"] or answer["model_version"] == site.before["champion"]:
        yield f"version {answer['model_version']}, fallback {answer['fallback']!r}"


def alerts_close_after_training(site: Site) -> Problems:
    yield from schedules_run(site)
    yield from alerts_close(site)


AFTER_TRAINING: list[Callable[[Site], Problems]] = [
    released_rows_stay_released,
    new_champion_serves,
    alerts_close_after_training,
    pages_answer,
    admin_pages_answer,
]
AFTER_ROLL_BACK: list[Callable[[Site], Problems]] = [champion_serves]
STAGES = {"migrated": BEFORE_TRAINING, "trained": AFTER_TRAINING, "rolled back": AFTER_ROLL_BACK}


def main(stage: str, before: Path, out: Path) -> None:
    content = json.loads(before.read_text(encoding="utf-8"))
    site = Site(content)
    if stage != "migrated":
        site.old_alerts = {int(pk): findings for pk, findings in content["open"].items()}
    rows = [_row(check, site) for check in STAGES[stage]]
    if stage == "migrated":
        before.write_text(json.dumps(content | {"open": site.old_alerts}), encoding="utf-8")
    out.write_text(json.dumps(rows), encoding="utf-8")


def _row(check: Callable[[Site], Problems], site: Site) -> dict[str, Any]:
    try:
        problems = list(check(site))
    except Exception as error:
        # Any exception is a result of the upgrade. The other checks still run.
        traceback.print_exc()
        problems = [f"{type(error).__name__}: {error}"]
    return {"check": check.__name__.replace("_", " "), "problems": problems}


if __name__ == "__main__":
    settings.ALLOWED_HOSTS = ["*"]
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
