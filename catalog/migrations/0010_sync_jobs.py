import django.db.models.deletion
from django.db import migrations, models

from catalog.migrations._operations import InheritFromJob, check_constraints


def outcome_of(row):
    """The stored sentence as a code: of a success it follows from the counts, else it is what TMDB or Python said."""
    if row.status == "succeeded":
        movies = {outcome: n for outcome, n in row.counts.items() if outcome != "listed" and n}
        return ("synced" if movies else "nothing_due"), movies
    if row.status in ("failed", "errored"):
        return "page_failed", {"error": row.message}
    return "", {}


def give_jobs(apps, schema_editor):
    SyncRun, Job = apps.get_model("catalog", "SyncRun"), apps.get_model("catalog", "Job")
    for row in SyncRun.objects.iterator():
        outcome, details = outcome_of(row)
        row.job_ptr = Job.objects.create(
            kind="sync",
            status=row.status,
            trigger="scheduled" if row.scope == "everything" else "command",
            exclusive="TMDB",
            outcome=outcome,
            details=details,
            created_at=row.started_at,
            started_at=row.started_at,
            claimed_at=row.started_at,
            heartbeat_at=row.heartbeat_at,
            ended_at=row.ended_at,
        )
        row.save(update_fields=["job_ptr"])
    check_constraints(apps, schema_editor)


def take_jobs(apps, schema_editor):
    SyncRun, Job = apps.get_model("catalog", "SyncRun"), apps.get_model("catalog", "Job")
    for row in SyncRun.objects.select_related("job_ptr").iterator():
        job = row.job_ptr
        row.status = {"queued": "running", "cancelled": "failed"}.get(job.status, job.status)
        row.message = str(job.details.get("error", ""))
        row.started_at = job.started_at or job.created_at
        row.heartbeat_at, row.ended_at = job.heartbeat_at or job.created_at, job.ended_at
        row.job_ptr = None
        row.save(update_fields=["status", "message", "started_at", "heartbeat_at", "ended_at", "job_ptr"])
    Job.objects.filter(kind="sync").delete()
    check_constraints(apps, schema_editor)


class Migration(migrations.Migration):
    dependencies = [("catalog", "0009_import_jobs")]

    operations = [
        migrations.RenameField("syncrun", "kind", "scope"),
        migrations.AddField(
            "syncrun",
            "job_ptr",
            models.OneToOneField(
                null=True, on_delete=django.db.models.deletion.CASCADE, to="catalog.job"
            ),
        ),
        migrations.RemoveConstraint("syncrun", "catalog_syncrun_one_running"),
        migrations.AlterModelOptions("syncrun", {"ordering": ["-id"]}),
        migrations.RunPython(give_jobs, take_jobs),
        migrations.RemoveField("syncrun", "status"),
        migrations.RemoveField("syncrun", "message"),
        migrations.RemoveField("syncrun", "started_at"),
        migrations.RemoveField("syncrun", "heartbeat_at"),
        migrations.RemoveField("syncrun", "ended_at"),
        migrations.AlterField(
            "syncrun",
            "job_ptr",
            models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, parent_link=True, to="catalog.job"),
        ),
        migrations.AlterField("syncrun", "id", models.BigAutoField(primary_key=True, serialize=False)),
        InheritFromJob("syncrun"),
        migrations.AlterModelOptions("syncrun", {"ordering": ["-created_at", "-id"]}),
    ]
