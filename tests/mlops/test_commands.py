"""The commands: what they print, how they end, and what they say to a mistake."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from catalog.models import Rating
from mlops.models import DatasetSnapshot, GateVerdict, ModelVersion, PipelineRun, Promotion
from tests.mlops.site import make_version

COMMANDS = [
    "train_model",
    "export_snapshot",
    "evaluate_model",
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


def test_train_model_and_evaluate_model(rated_site):
    text = call("train_model")

    version = ModelVersion.objects.get()
    assert text == f"Version {version.pk} passed the gate and was promoted.\n"
    assert PipelineRun.objects.get().trigger == "command"
    text = call("evaluate_model", version.pk)
    assert f"Version {version.pk}: passed." in text
    assert "item knn" in text
    assert GateVerdict.objects.filter(version=version).count() == 2


def test_train_model_ends_with_an_error_where_the_training_failed(rated_site):
    Rating.objects.all().delete()

    with pytest.raises(CommandError, match=r"Run \d+ failed\. There are 0 ratings") as error:
        call("train_model")
    assert error.value.returncode == 1
    with pytest.raises(CommandError, match="There is no algorithm 'magic'"):
        call("train_model", "--algorithm", "magic")


def test_export_snapshot(alice, quick):
    assert "10 ratings of 1 users, 10 movies" in call("export_snapshot")
    assert DatasetSnapshot.objects.count() == 1
    Rating.objects.all().delete()
    with pytest.raises(CommandError, match="no ratings to export"):
        call("export_snapshot")


def test_promote_model_and_rollback_model(alice, quick):
    first, second, refused = make_version(), make_version(), make_version(decision="refused")

    assert call("promote_model", first.pk) == f"Version {first.pk} is the champion.\n"
    assert call("promote_model", second.pk) == f"Version {second.pk} is the champion instead of {first.pk}.\n"
    with pytest.raises(CommandError, match="did not pass"):
        call("promote_model", refused.pk)
    with pytest.raises(CommandError, match="needs a reason"):
        call("promote_model", refused.pk, "--force")
    call("promote_model", refused.pk, "--force", "--reason", "by hand")
    assert (Promotion.objects.first().kind, Promotion.objects.first().reason) == ("forced", "by hand")
    assert f"Version {second.pk} is the champion again" in call("rollback_model")
    assert f"Version {first.pk} is the champion again" in call("rollback_model", "--to", str(first.pk))
    with pytest.raises(CommandError, match="no model version 999"):
        call("rollback_model", "--to", "999")
    with pytest.raises(CommandError, match="no model version 999"):
        call("evaluate_model", 999)


def test_check_drift_and_ensure_schedules(alice, quick):
    assert "rating distribution: insufficient_data" in call("check_drift")
    assert call("ensure_schedules").startswith("Created: train-model")
    assert call("ensure_schedules") == "All schedules are there already.\n"
