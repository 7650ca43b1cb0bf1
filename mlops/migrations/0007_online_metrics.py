"""Renames LiveQuality to OnlineMetrics, with the permissions and the watermark that carry its name."""

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
import django.db.models.deletion


def rename(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    _rename_permissions(apps, "livequality", "onlinemetrics", "online metrics")
    apps.get_model("mlops", "Watermark").objects.filter(name="live quality").update(name="online_metrics")


def rename_back(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    _rename_permissions(apps, "onlinemetrics", "livequality", "live quality")
    apps.get_model("mlops", "Watermark").objects.filter(name="online_metrics").update(name="live quality")


def _rename_permissions(apps: Apps, before: str, after: str, words: str) -> None:
    """Staff who could see the rows keep that permission: RenameModel itself leaves the code names as they are."""
    permissions = apps.get_model("auth", "Permission").objects.filter(content_type__app_label="mlops")
    for action in ("add", "change", "delete", "view"):
        permissions.filter(codename=f"{action}_{before}").update(
            codename=f"{action}_{after}", name=f"Can {action} {words}"
        )


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
