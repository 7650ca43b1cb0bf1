import django.db.models.deletion
from django.db import migrations, models

from mlops.migrations import _append_only
from mlops.migrations._append_only import create, drop


def drop_function(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"DROP FUNCTION IF EXISTS {_append_only.FUNCTION}()")


class Migration(migrations.Migration):
    dependencies = [
        ("mlops", "0021_alert_posted_at"),
    ]

    operations = [
        migrations.AlterField(
            model_name="gatedecision",
            name="version",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="decisions", to="mlops.modelversion"
            ),
        ),
        migrations.AlterField(
            model_name="gatedecision",
            name="champion",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="mlops.modelversion",
            ),
        ),
        migrations.RunPython(migrations.RunPython.noop, drop_function),
        migrations.RunPython(create, drop),
    ]
