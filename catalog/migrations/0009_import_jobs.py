import django.db.models.deletion
from django.db import migrations, models

from catalog.migrations._operations import InheritFromJob, check_constraints

STATUSES = {
    "waiting": "queued",
    "reading": "running",
    "ready": "succeeded",
    "done": "succeeded",
    "failed": "errored",
}


def give_jobs(apps, schema_editor):
    UserImport, Job = apps.get_model("catalog", "UserImport"), apps.get_model("catalog", "Job")
    for row in UserImport.objects.defer("content").iterator():
        is_failed = row.status == "failed"
        row.job_ptr = Job.objects.create(
            kind="import",
            status=STATUSES[row.status],
            trigger="page",
            requested_by_id=row.user_id,
            exclusive=f"import of user {row.user_id}",
            outcome="bug" if is_failed else "",
            details={"error": "See the log of that time."} if is_failed else {},
            attempt=max(1, row.attempts),
            created_at=row.created_at,
            started_at=row.heartbeat_at if row.attempts else None,
            heartbeat_at=row.heartbeat_at,
            ended_at=row.heartbeat_at if row.status == "ready" else row.ended_at,
            share=row.n_read / row.n_rows if row.n_rows else None,
        )
        row.committed_at = row.ended_at if row.status == "done" else None
        row.save(update_fields=["job_ptr", "committed_at"])
    check_constraints(apps, schema_editor)


def take_jobs(apps, schema_editor):
    UserImport, Job = apps.get_model("catalog", "UserImport"), apps.get_model("catalog", "Job")
    former = {"queued": "waiting", "running": "reading", "succeeded": "ready"}
    for row in UserImport.objects.select_related("job_ptr").defer("content").iterator():
        job = row.job_ptr
        row.status = "done" if row.committed_at else former.get(job.status, "failed")
        row.attempts = job.attempt
        row.n_read = round(row.n_rows * (job.share or 0))
        row.created_at, row.heartbeat_at = job.created_at, job.heartbeat_at or job.created_at
        row.ended_at = row.committed_at or (job.ended_at if row.status == "failed" else None)
        row.job_ptr = None
        row.save(
            update_fields=["status", "attempts", "n_read", "created_at", "heartbeat_at", "ended_at", "job_ptr"]
        )
    Job.objects.filter(kind="import").delete()
    check_constraints(apps, schema_editor)


class Migration(migrations.Migration):
    dependencies = [("catalog", "0008_jobs")]

    operations = [
        migrations.AddField(
            "userimport",
            "job_ptr",
            models.OneToOneField(
                null=True, on_delete=django.db.models.deletion.CASCADE, to="catalog.job"
            ),
        ),
        migrations.AddField(
            "userimport",
            "committed_at",
            models.DateTimeField(blank=True, help_text="When its owner imported it.", null=True),
        ),
        migrations.RemoveConstraint("userimport", "catalog_userimport_one_open"),
        migrations.RemoveIndex("userimport", "catalog_userimport_status"),
        migrations.AlterModelOptions("userimport", {"ordering": ["-id"]}),
        migrations.RunPython(give_jobs, take_jobs),
        migrations.RemoveField("userimport", "status"),
        migrations.RemoveField("userimport", "n_read"),
        migrations.RemoveField("userimport", "attempts"),
        migrations.RemoveField("userimport", "created_at"),
        migrations.RemoveField("userimport", "heartbeat_at"),
        migrations.RemoveField("userimport", "ended_at"),
        migrations.AlterField(
            "userimport",
            "job_ptr",
            models.OneToOneField(
                on_delete=django.db.models.deletion.CASCADE, parent_link=True, to="catalog.job"
            ),
        ),
        migrations.AlterField("userimport", "id", models.BigAutoField(primary_key=True, serialize=False)),
        InheritFromJob("userimport"),
        migrations.AlterModelOptions("userimport", {"ordering": ["-created_at", "-id"]}),
    ]
