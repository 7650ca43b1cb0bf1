import os
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone

from mlops.models import Alert, DatasetSnapshot, ModelVersion, PipelineRun, RetrainingCheck
from mlops.services import promote, prune
from mlops.tasks import prune as prune_task
from movierec.policy import load_policy
from recommender.models import Impression
from tests.mlops.site import make_snapshot, make_version, write_policy


def kept(settings) -> list[int]:
    return [v.pk for v in ModelVersion.objects.order_by("pk") if (settings.MODEL_DIR / v.artifact).exists()]


@pytest.mark.ml_test("I7")
def test_the_last_champions_and_the_last_versions_stay(alice, quick, settings):
    champions = [make_version() for _ in range(6)]
    for version in champions:
        promote(version=version.pk)
    others = [make_version(decision="refused", status="refused") for _ in range(5)]

    assert prune()["artifacts"] == 4

    # the serving one, three to go back to, and the last three others
    assert kept(settings) == [v.pk for v in [*champions[2:], *others[2:]]]
    gone = ModelVersion.objects.exclude(artifact_removed_at=None)
    assert {version.pk for version in gone} == {v.pk for v in [*champions[:2], *others[:2]]}
    assert prune_task()["artifacts"] == 0


def test_the_champion_stays_whatever_the_audit_says(alice, quick, settings):
    champion = make_version()
    promote(version=champion.pk)
    for _ in range(8):
        make_version()

    prune()

    assert champion.pk in kept(settings)


def test_snapshots_in_use_and_the_last_ones_stay(alice, quick, settings, tmp_path):
    settings.POLICY = load_policy(write_policy(tmp_path / "few.yaml", retention={"snapshots": 1}))
    used = make_snapshot()
    make_version(snapshot=used, status="champion")
    old, new = make_snapshot(), make_snapshot()
    for snapshot in (used, old, new):
        (settings.SNAPSHOT_DIR / snapshot.folder).mkdir(parents=True)

    assert prune()["snapshots"] == 1

    assert DatasetSnapshot.objects.get(pk=old.pk).removed_at is not None
    assert {folder.name for folder in settings.SNAPSHOT_DIR.iterdir()} == {used.folder, new.folder}


def test_old_runs_and_impressions_go(alice, quick):
    long_ago = timezone.now() - timedelta(days=400)
    PipelineRun.objects.create(status="failed", trigger="admin", algorithm="ease", created_at=long_ago)
    PipelineRun.objects.create(status="failed", trigger="admin", algorithm="ease")
    Impression.objects.create(user=alice, surface="home", items=[], shown_at=long_ago)

    pruned = prune()

    assert (pruned["runs"], PipelineRun.objects.count(), Impression.objects.count()) == (1, 1, 0)


def test_old_checks_and_closed_alerts_are_removed(db, quick):
    now = timezone.now()
    long_ago = now - timedelta(days=400)
    for moment in (now, long_ago):
        RetrainingCheck.objects.create(criteria=[], checked_at=moment)
        Alert.objects.create(code="drift", opened_at=long_ago, closed_at=moment)
    Alert.objects.create(code="retraining", opened_at=long_ago)

    assert prune()["monitoring"] == 2

    assert RetrainingCheck.objects.get().checked_at == now
    assert set(Alert.objects.values_list("closed_at", flat=True)) == {now, None}


def test_what_a_killed_process_left_goes_after_hours(db, quick, settings):
    fresh, stale = settings.MODEL_DIR / ".run-1.new.part", settings.MODEL_DIR / ".run-1.old.part"
    for folder in (fresh, stale):
        folder.mkdir(parents=True)
    day_ago = time.time() - 86400
    os.utime(stale, (day_ago, day_ago))

    assert prune()["leftovers"] == 1
    assert (fresh.exists(), stale.exists()) == (True, False)


def test_a_folder_that_is_moved_meanwhile_is_no_fault(db, quick, settings, monkeypatch):
    """Another process ends between the list of the folders and a look at them."""
    monkeypatch.setattr(Path, "glob", lambda root, pattern: [root / ".export-1.part"])

    assert prune()["leftovers"] == 0


def test_expired_sessions_go(alice):
    now = timezone.now()
    Session.objects.create(session_key="old", expire_date=now - timedelta(days=1))
    Session.objects.create(session_key="new", expire_date=now + timedelta(days=1))

    assert prune()["sessions"] == 1
    assert Session.objects.filter(session_key="new").exists()
