"""Renames UserSurrogate to UserPseudonym."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import mlops.models.data


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("mlops", "0009_gate_codes"),
    ]

    operations = [
        migrations.RenameModel(old_name="UserSurrogate", new_name="UserPseudonym"),
        migrations.AlterField(
            model_name="userpseudonym",
            name="user",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.CASCADE,
                primary_key=True,
                related_name="pseudonym",
                serialize=False,
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AlterField(
            model_name="userpseudonym",
            name="number",
            field=models.BigIntegerField(default=mlops.models.data.new_pseudonym, unique=True),
        ),
        migrations.AlterField(
            model_name="datasetsnapshot",
            name="check_report",
            field=models.JSONField(blank=True, default=dict, help_text="The result of the data checks."),
        ),
        migrations.AlterField(
            model_name="datasetsnapshot",
            name="pushed_at",
            field=models.DateTimeField(blank=True, help_text="When DVC pushed it to the remote.", null=True),
        ),
        migrations.AlterField(
            model_name="quarantinedrow",
            name="reasons",
            field=models.JSONField(help_text="Codes of the rules that it broke."),
        ),
        migrations.AlterField(
            model_name="quarantinedrow",
            name="snapshot",
            field=models.ForeignKey(
                help_text="The last one with it.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="quarantined",
                to="mlops.datasetsnapshot",
            ),
        ),
    ]
