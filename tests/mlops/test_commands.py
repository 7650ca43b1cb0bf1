"""Commands: their output, exit codes and error messages."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from catalog.models import Rating
from mlops.data.codes import RowRule
from mlops.models import DatasetSnapshot, DriftReport, GateDecision, ModelVersion, PipelineRun, Promotion
from recommender.estimators import artifact_checksum
from tests.mlops.site import make_version

COMMANDS = [
    "train_model",
    "export_snapshot",
    "evaluate_model",
    "reproduce_model",
    "restore_data",
    "backup",
    "restore",
    "validate_snapshot",
    "promote_model",
    "rollback_model",
    "check_drift",
    "ensure_schedules",
]


def call(name: str, *args: object, **options: object) -> str:
    out = StringIO()
    call_command(name, *args, stdout=out, **options)
    return out.getvalue()


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_help(name, capsys):
    with pytest.raises(SystemExit) as ended:
        call_command(name, "--help")

    assert ended.value.code == 0
    assert len(capsys.readouterr().out) > 300


@pytest.mark.wording
def test_a_model_from_its_training_to_its_reproduction(rated_site, tmp_path):
    out = tmp_path / "out" / "model"
    text = call("train_model", "--out", str(out))

    version = ModelVersion.objects.get()
    assert artifact_checksum(out) == version.artifact_checksum
    record = json.loads(out.with_name("model.json").read_text())
    assert (record["version"], record["snapshot"]) == (version.pk, version.snapshot.content_hash)
    assert text == f"Version {version.pk} passed the gate and was promoted.\n"
    assert PipelineRun.objects.get().trigger == "command"
    text = call("evaluate_model", version.pk)
    assert f"Version {version.pk}: passed." in text
    assert "item knn" in text
    assert GateDecision.objects.filter(version=version).count() == 2
    call("evaluate_model", str(out.with_name("model.json")), "--out", str(tmp_path / "evaluation.json"))
    assert json.loads((tmp_path / "evaluation.json").read_text())["decision"] == "passed"
    with pytest.raises(CommandError, match="neither a version's number nor a file"):
        call("evaluate_model", str(tmp_path / "nothing.json"))
    assert call("reproduce_model", version.pk).startswith(f"Version {version.pk} was made again, byte for byte")
    ModelVersion.objects.update(artifact_checksum="0" * 64)
    with pytest.raises(CommandError, match="came out different"):
        call("reproduce_model", version.pk)


@pytest.mark.wording
def test_train_model_fails_if_the_training_fails(rated_site):
    Rating.objects.all().delete()

    with pytest.raises(CommandError, match=r"Run \d+ failed\. There are 0 ratings") as error:
        call("train_model")
    assert error.value.returncode == 1
    with pytest.raises(CommandError, match="Unknown algorithm 'magic'"):
        call("train_model", "--algorithm", "magic")


def test_export_snapshot_and_validate_snapshot(alice, quick, tmp_path):
    assert "10 ratings of 1 users, 10 movies" in call("export_snapshot")
    assert DatasetSnapshot.objects.count() == 1
    call("export_snapshot", "--out", str(tmp_path / "copy"))
    assert call("validate_snapshot", str(tmp_path / "copy"), "--out", str(tmp_path / "checks.json")).endswith(
        "20 rows, 0 bad.\n"
    )
    assert json.loads((tmp_path / "checks.json").read_text())["problems"] == []
    Rating.objects.update(rated_at=timezone.now() + timedelta(days=30))
    call("export_snapshot", "--out", str(tmp_path / "bad"))
    with pytest.raises(CommandError, match=str(RowRule.IN_FUTURE.label)):
        call("validate_snapshot", str(tmp_path / "bad"))
    Rating.objects.all().delete()
    with pytest.raises(CommandError, match="no ratings to export"):
        call("export_snapshot")


@pytest.mark.wording
def test_train_model_takes_up_an_errored_run_and_no_other(rated_site):
    run = PipelineRun.objects.create(status="errored", trigger="command", algorithm="popularity")

    with pytest.raises(CommandError, match="own algorithm and snapshot"):
        call("train_model", "--resume", str(run.pk), "--algorithm", "ease")
    with pytest.raises(CommandError, match="The gate rejected"):
        call("train_model", "--resume", str(run.pk))
    run.refresh_from_db()
    assert run.attempt == 2
    with pytest.raises(CommandError, match="Only runs that failed with an error can be resumed"):
        call("train_model", "--resume", str(run.pk))


def test_restore_data_says_what_it_lacks(db, quick, settings):
    settings.DVC_REMOTE_URL = ""

    with pytest.raises(CommandError, match="DVC_REMOTE_URL"):
        call("restore_data")


@pytest.mark.wording
def test_promote_model_and_rollback_model(alice, quick):
    first, second, refused = make_version(), make_version(), make_version(decision="refused")

    assert call("promote_model", first.pk) == f"Version {first.pk} is the champion.\n"
    assert call("promote_model", second.pk) == f"Version {second.pk} is the champion instead of {first.pk}.\n"
    with pytest.raises(CommandError, match="did not pass"):
        call("promote_model", refused.pk)
    with pytest.raises(CommandError, match="Give a reason"):
        call("promote_model", refused.pk, "--force")
    call("promote_model", refused.pk, "--force", "--reason", "by hand")
    assert (Promotion.objects.first().kind, Promotion.objects.first().reason) == ("forced", "by hand")
    assert f"Version {second.pk} is the champion again" in call("rollback_model")
    assert f"Version {first.pk} is the champion again" in call("rollback_model", "--to", str(first.pk))
    with pytest.raises(CommandError, match="Model version 999 does not exist"):
        call("rollback_model", "--to", "999")
    with pytest.raises(CommandError, match="Model version 999 does not exist"):
        call("evaluate_model", 999)


@pytest.mark.wording
def test_check_drift_and_ensure_schedules(alice, quick):
    printed = call("check_drift")
    for finding in DriftReport.objects.get().findings:
        assert f"{finding.title}: insufficient data" in printed
    assert call("ensure_schedules").startswith("Created: train-model")
    assert call("ensure_schedules") == "All schedules are there already.\n"
