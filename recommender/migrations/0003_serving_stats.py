from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from catalog.migrations._permissions import rename_permissions


def rename(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    rename_permissions(apps, "recommender", "servedminute", "servingstatsminute", "serving stats minute")


def rename_back(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    rename_permissions(apps, "recommender", "servingstatsminute", "servedminute", "served minute")


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("catalog", "0007_imports"),
        ("recommender", "0002_served_minute"),
    ]

    operations = [
        migrations.RenameModel("ServedMinute", "ServingStatsMinute"),
        migrations.RenameField("ServingStatsMinute", "seconds", "latency_histogram"),
        migrations.AlterField(
            "ServingStatsMinute",
            "latency_histogram",
            models.JSONField(help_text="Lists by latency, in the buckets of recommender.serving.stats."),
        ),
        migrations.AlterField(
            "ServingStatsMinute",
            "n_failed",
            models.PositiveIntegerField(help_text="Failures to make a list or to load the model."),
        ),
        migrations.RenameIndex(
            "ServingStatsMinute", old_name="recommender_served_minute", new_name="recommender_stats_minute"
        ),
        migrations.RemoveConstraint("ServingStatsMinute", "recommender_servedminute_unique"),
        migrations.AddConstraint(
            "ServingStatsMinute",
            models.UniqueConstraint(fields=["version", "minute", "process"], name="recommender_stats_unique"),
        ),
        migrations.AlterField(
            "Impression",
            "fallback",
            models.CharField(blank=True, help_text="Fallback that made the list, if any.", max_length=16),
        ),
        migrations.RunPython(rename, rename_back, elidable=True),
    ]
