"""Keeps what an estimator raised apart from the sentence about it."""

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def give_details(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    for trial in apps.get_model("mlops", "TuningTrial").objects.exclude(message=""):
        trial.details = {"error": trial.message}
        trial.save(update_fields=["details"])


class Migration(migrations.Migration):
    dependencies = [("mlops", "0018_site_identity")]

    operations = [
        migrations.AddField(
            "tuningtrial",
            "details",
            models.JSONField(blank=True, default=dict, help_text="What the estimator raised, as `error`."),
        ),
        migrations.RunPython(give_details, migrations.RunPython.noop, elidable=True),
        migrations.RemoveField("tuningtrial", "message"),
    ]
