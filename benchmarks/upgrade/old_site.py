"""Fills a site with the code of checkout ff2ac02, in a process of that checkout. Writes the row counts as JSON.

benchmarks.upgrade starts this script with the old checkout on the path. The names of modules and models below are those
of the old checkout, so they are looked up at run time.
"""

from __future__ import annotations

import json
import sys
from datetime import date, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import django

django.setup()

from django.apps import apps  # noqa: E402 - models exist after setup
from django.contrib.auth.models import Group, Permission  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.core.management.base import CommandError  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.utils import timezone  # noqa: E402

APPS = ("catalog", "recommender", "mlops")
ALERTS = {  # subject -> message; the cause of each is gone at the time of the upgrade
    "age of scheduler": "nothing was heard of it for 9 minutes, more than 3 minutes (2026-11-01 10:00 UTC)",
    "age of champion's data": "nothing was heard of it for 40 days, more than 30 days (2026-11-01 10:00 UTC)",
    "drift": "rating distribution: PSI is 0.400 (0.25)",
    "champion at work": "Version 1 passes the bounds of its watch. 9 % of its lists failed.",
    "dependency: the champion's libraries": "version 1 learnt with others: numpy 1.0 -> 2.0",
    "dependency: pinned libraries": "others are installed than requirements.txt pins: numpy 1.0 -> 2.0",
    "served scores are those of the artefact": "50 lists, largest difference of a score 0.3",
    "serving inputs keep the rules of training data": "90 rows of 9 people, 8 break a rule",
    "metadata is the same in training and serving": "90 unchanged movies compared in 8 fields, 4 differ",
}
HISTORY = """imdb_id,title,year,rating,watched_on
,{title},{year},4.5,2026-01-02
,A Movie That No Catalogue Has,1999,3,2026-01-03
,Another Movie That No Catalogue Has,2001,,2026-01-04
"""


def model(name: str) -> Any:
    return apps.get_model(name)


def service(module: str, name: str) -> Any:
    return getattr(import_module(module), name)


def train(*, expect_refusal: bool = False) -> None:
    try:
        call_command("train_model", verbosity=0)
    except CommandError as error:
        if not expect_refusal:
            raise
        print(f"as intended: {error}", file=sys.stderr)


def add_people() -> Any:
    user = model("catalog.User")
    user.objects.create_superuser("operator", "operator@example.org", "benchmark-only-password")
    member = user.objects.create_user("member", "member@example.org", "benchmark-only-password")
    analyst = user.objects.create_user("analyst", "analyst@example.org", "benchmark-only-password", is_staff=True)
    group = Group.objects.create(name="analysts")
    group.permissions.set(Permission.objects.filter(content_type__app_label__in=APPS))
    analyst.groups.add(group)
    movies = list(model("catalog.Movie").objects.order_by("-rating_count", "pk")[:20])
    for place, movie in enumerate(movies[:12]):
        service("catalog.services", "record_rating")(user=member, movie=movie, rating=5 - place / 2 if place < 9 else 3)
    for movie in movies[12:15]:
        service("catalog.services", "add_to_watchlist")(user=member, movie=movie)
    model("catalog.Viewing").objects.create(user=member, movie=movies[0], watched_on=date(2026, 1, 1))
    service("recommender.services", "record_feedback")(user=member, movie=movies[15], kind="not_interested")
    return member


def add_bad_rows(member: Any) -> None:
    """Adds rows that the site would reject, as if written directly to the database."""
    movie, old = list(model("catalog.Movie").objects.order_by("rating_count", "pk")[:2])
    future = timezone.now() + timedelta(days=900)
    others = list(model("catalog.User").objects.exclude(pk=member.pk).filter(ratings__isnull=False).distinct()[:2])
    rating = model("catalog.Rating")
    rating.objects.bulk_create(
        [rating(user=person, movie=movie, rating=4, rated_at=future, source="site") for person in [member, *others[:1]]]
    )
    with connection.cursor() as cursor:
        cursor.execute("UPDATE catalog_movie SET language = 'xx', source = 'site' WHERE id = %s", [old.pk])


def add_quarantine(operator: Any) -> None:
    """Adds quarantined rows. One has already been released, and one can never be."""
    rows = model("mlops.QuarantinedRow").objects.filter(kind="rating")
    service("mlops.services", "release")(rows=[rows[0].pk], by=operator, reason="the clock was wrong")
    model("mlops.QuarantinedRow").objects.create(
        fingerprint="f" * 64,
        kind="rating",
        content={"user_id": 1, "movie_id": 1, "rating": "nan", "rated_at": "2026-01-01T00:00:00+00:00"},
        reasons=[service("mlops.data_rules", "NOT_FINITE"), service("mlops.data_rules", "UNKNOWN_MOVIE")],
    )


def add_imports(member: Any, folder: Path) -> None:
    movie = model("catalog.Movie").objects.exclude(year=None).order_by("-rating_count", "pk")[15]
    path = folder / "history.csv"
    path.write_text(HISTORY.format(title=f'"{movie.title}"', year=movie.year), encoding="utf-8")
    call_command("import_ratings", path, user=member.username, format="csv", verbosity=0)
    long_ago = timezone.now() - timedelta(hours=3)
    history = model("catalog.HistoryImport")
    people = model("catalog.User").objects.filter(ratings__isnull=False).exclude(pk=member.pk).distinct()[:3]
    states = [{"status": "reading", "attempts": 1}, {"status": "waiting"}, {"status": "failed", "ended_at": long_ago}]
    for person, state in zip(people, states, strict=True):
        content = b"" if state["status"] == "failed" else path.read_bytes()
        fields = {"format": "csv", "name": "history.csv", "content": content, "n_entries": 3, "heartbeat_at": long_ago}
        history.objects.create(user=person, **fields, **state)


def add_syncs() -> None:
    run, item = model("catalog.SyncRun"), model("catalog.SyncItem")
    ended = timezone.now() - timedelta(hours=5)
    run.objects.create(kind="changes", status="succeeded", counts={"updated": 2}, message="2 updated.", ended_at=ended)
    failed = run.objects.create(
        kind="ids",
        status="failed",
        counts={"added": 1, "pending": 1},
        message="TMDB refused the token.",
        ended_at=ended,
    )
    item.objects.create(run=failed, kind="movie", key="603", outcome="added")
    item.objects.create(run=failed, kind="movie", key="604")
    model("catalog.TMDBRecord").objects.create(tmdb_id=603, state="rejected", reason="title: missing")


def add_operations(folder: Path) -> None:
    """Adds rows that schedules and staff create."""
    for command in ("check_drift", "check_retraining", "ensure_schedules", "check_dependencies"):
        call_command(command, verbosity=0)
    tests = {"D1": {"passed": ["tests/a.py::b"], "failed": []}, "M1": {"passed": [], "failed": ["tests/c.py::d"]}}
    record = {"ran_at": timezone.now().isoformat(), "suite": "embedded", "automatic": True, "revision": "ff2ac02"}
    (folder / "evidence.json").write_text(json.dumps(record | {"tests": tests}), encoding="utf-8")
    call_command("record_evidence", folder / "evidence.json", verbosity=0)
    for name in ("beat_heartbeat", "check_serving", "watch_champion", "collect_evidence", "check_freshness"):
        service("mlops.services", name)()
    champion = model("mlops.ModelVersion").objects.get(status="champion")
    today = timezone.now().date()
    model("mlops.LiveQuality").objects.create(version=champion, day=today, n=40, n_shown=9, hits=12, ndcg_sum=9)
    model("recommender.ServedMinute").objects.create(
        process="old", version=champion.pk, minute=timezone.now(), n_served=9, n_failed=0, seconds=[9] + [0] * 14
    )
    service("mlops.services", "backtest")(kind="staleness")
    interval = {"mean": 0.01, "low": 0.0, "high": 0.02, "n_users": 90, "n_rows": 90, "confidence": 0.95}
    figures = {"genres": {"outcome": "unclear", "worth": {"lists": interval, "lists of new movies": interval}}}
    model("mlops.Backtest").objects.create(
        kind="features", version=champion, figures=figures, passed=True, sentence="genres: unclear"
    )
    add_search(champion)
    set_alert = service("mlops.alerts", "set_alert")
    for subject, message in ALERTS.items():
        set_alert(subject, message)
    model("mlops.Watermark").objects.filter(name="beat").update(at=timezone.now() - timedelta(minutes=9))


def add_search(champion: Any) -> None:
    study = model("mlops.TuningStudy").objects.create(
        algorithm="als", snapshot=champion.snapshot, space={"regularization": {}}, recipe="0", n_trials=1
    )
    trial = model("mlops.TuningTrial")
    common = {"study": study, "status": "finished", "seconds": 1.0}
    trial.objects.create(number=0, parameters={}, ndcg=0.1, **common)
    trial.objects.create(number=1, parameters={"regularization": 90.0}, ndcg=0.2, **common)
    service("mlops.services", "adopt_parameters")(study=study.pk)


def add_dead_runs() -> None:
    """Adds two dead runs: one errored long ago, and the worker of the other died just before the upgrade."""
    run, hour = model("mlops.PipelineRun"), timedelta(hours=1)
    now = timezone.now()
    errored = {"status": "errored", "trigger": "scheduled", "algorithm": "ease", "message": "ZeroDivisionError: /"}
    run.objects.create(**errored, started_at=now - hour, ended_at=now - hour, queued_at=now - hour)
    service("mlops.services", "check_freshness")()
    dead = {"status": "running", "trigger": "scheduled", "algorithm": "ease", "attempt": 3}
    running = run.objects.create(**dead, started_at=now - hour, heartbeat_at=now - hour)
    model("mlops.RunStep").objects.create(run=running, name="fit", progress="fitting ease")


def add_lists(member: Any) -> list[int]:
    client = Client(headers={"host": "localhost"})
    client.force_login(member)
    answer = client.get("/api/v1/recommendations/?k=20").json()
    assert not answer["fallback"], answer
    service("recommender.impressions", "buffer").flush()
    return [row["movie"]["id"] for row in answer["results"]]


def counts() -> dict[str, int]:
    return {
        f"{m._meta.label}": m._base_manager.count() for name in APPS for m in apps.get_app_config(name).get_models()
    }


def open_alerts() -> dict[str, str]:
    return dict(model("mlops.Alert").objects.filter(closed_at=None).values_list("subject", "message"))


def main(out: Path) -> None:
    call_command("migrate", verbosity=0, interactive=False)
    call_command("generate_ratings", users=400, movies=250, ratings=12_000, verbosity=0)
    member = add_people()
    operator = model("catalog.User").objects.get(username="operator")
    add_bad_rows(member)
    train()
    add_quarantine(operator)
    policy = import_module("django.conf").settings.POLICY
    allowed = policy.gate.max_artifact_mb
    object.__setattr__(policy.gate, "max_artifact_mb", 1e-6)  # so that the gate refuses the second version
    train(expect_refusal=True)
    object.__setattr__(policy.gate, "max_artifact_mb", allowed)
    add_imports(member, out.parent)
    add_syncs()
    add_lists(member)
    add_operations(out.parent)
    add_dead_runs()
    champion = model("mlops.ModelVersion").objects.get(status="champion")
    found = {"counts": counts(), "alerts": open_alerts(), "champion": champion.pk, "list": add_lists(member)}
    out.write_text(json.dumps(found, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
