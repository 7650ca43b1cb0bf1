"""Renames LiveQuality to OnlineMetrics, with the permissions and the watermark that carry its name."""

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
import django.db.models.deletion

from catalog.migrations._permissions import rename_permissions


def rename(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    rename_permissions(apps, "mlops", "livequality", "onlinemetrics", "online metrics")
    apps.get_model("mlops", "Watermark").objects.filter(name="live quality").update(name="online_metrics")


def rename_back(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    rename_permissions(apps, "mlops", "onlinemetrics", "livequality", "live quality")
    apps.get_model("mlops", "Watermark").objects.filter(name="online_metrics").update(name="live quality")


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("mlops", "0006_backtests"),
    ]

    operations = [
        migrations.RemoveConstraint(model_name="livequality", name="mlops_livequality_unique"),
        migrations.RenameModel(old_name="LiveQuality", new_name="OnlineMetrics"),
        migrations.AlterModelOptions(
            name="onlinemetrics",
            options={
                "ordering": ["-day", "-version"],
                "verbose_name": "online metrics",
                "verbose_name_plural": "online metrics",
            },
        ),
        migrations.AlterField(
            model_name="onlinemetrics",
            name="version",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="online_metrics", to="mlops.modelversion"
            ),
        ),
        migrations.AddConstraint(
            model_name="onlinemetrics",
            constraint=models.UniqueConstraint(fields=("version", "day"), name="mlops_onlinemetrics_unique"),
        ),
        migrations.RunPython(rename, rename_back, elidable=True),
    ]
