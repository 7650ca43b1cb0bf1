"""Renames GateVerdict to GateDecision and its `decision` to `outcome`."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mlops", "0007_online_metrics")]

    operations = [
        migrations.RenameModel(old_name="GateVerdict", new_name="GateDecision"),
        migrations.RenameField(model_name="gatedecision", old_name="decision", new_name="outcome"),
        migrations.AlterField(
            model_name="gatedecision",
            name="version",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="decisions", to="mlops.modelversion"
            ),
        ),
        migrations.AlterField(
            model_name="gatedecision",
            name="rules",
            field=models.JSONField(help_text="A finding for each rule: code, figure, interval, threshold and outcome."),
        ),
        migrations.AlterField(
            model_name="gatedecision",
            name="reason",
            field=models.TextField(blank=True, help_text="Given by the person who refused it."),
        ),
    ]
