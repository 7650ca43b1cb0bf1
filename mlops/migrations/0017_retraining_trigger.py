"""Runs that the retraining criteria started say so: until now their trigger was that of the schedule."""

from django.db import migrations


def mark_runs(apps, schema_editor):
    runs = apps.get_model("mlops", "RetrainingCheck").objects.filter(run__isnull=False).values("run__job_ptr")
    apps.get_model("catalog", "Job").objects.filter(pk__in=runs, trigger="scheduled").update(trigger="retraining")


def unmark_runs(apps, schema_editor):
    apps.get_model("catalog", "Job").objects.filter(trigger="retraining").update(trigger="scheduled")


class Migration(migrations.Migration):
    dependencies = [("catalog", "0012_job_trigger"), ("mlops", "0016_status_labels")]

    operations = [migrations.RunPython(mark_runs, unmark_runs)]
