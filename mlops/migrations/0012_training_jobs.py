import re

import django.db.models.deletion
from django.db import migrations, models

from catalog.migrations._operations import InheritFromJob, check_constraints

# Sentences of former runs: what their numbers and words are called in the details of the code.
SENTENCES = {
    "promoted": r"Version (?P<version>\d+) passed the gate and was promoted\.",
    "awaits_promotion": r"Version (?P<version>\d+) passed the gate and waits for a person to promote it\.",
    "champion_replaced": r"Version (?P<version>\d+) passed the gate, but the champion it was compared to was replaced\.",
    "awaits_decision": r"Version (?P<version>\d+) waits for a person: (?P<decision>[^.]*)\. (?P<reasons>.*)",
    "gate_refused": r"The gate refused version (?P<version>\d+)\. (?P<reasons>.*)",
    "too_few_ratings": r"There are (?P<n>\d+) ratings; at least (?P<minimum>\d+) are needed .*",
    "not_fitted": r"The model cannot be fitted: (?P<error>.*)",
    "overtime": r"The training took longer than .*",
    "run_lost": r"The run was marked as ended while .*",
    "cancelled": r"Cancelled by a person\.",
    "cancelled_before_start": r"Cancelled before it started\.",
    "interrupted": r"Interrupted from the keyboard .*",
    "heartbeat_lost": r"The worker died: nothing was heard of it since (?P<since>.*) UTC\.",
}


def outcome_of(row):
    if not row.message:
        return "", {}
    for code, pattern in SENTENCES.items():
        if found := re.fullmatch(pattern, row.message, re.DOTALL):
            details = {name: int(text) if text.isdigit() else text for name, text in found.groupdict().items()}
            if "decision" in details:
                details["decision"] = details["decision"].replace(" ", "_")
            return code, details
    return ("bug" if row.status == "errored" else "step_failed"), {"error": row.message}


def give_jobs(apps, schema_editor):
    PipelineRun, Job = apps.get_model("mlops", "PipelineRun"), apps.get_model("catalog", "Job")
    for row in PipelineRun.objects.order_by("pk").iterator():
        outcome, details = outcome_of(row)
        row.job_ptr = Job.objects.create(
            kind="training",
            status=row.status,
            trigger=row.trigger,
            requested_by_id=row.started_by_id,
            exclusive="training",
            outcome=outcome,
            details=details,
            log=row.log,
            attempt=row.attempt,
            created_at=row.queued_at,
            started_at=row.started_at,
            claimed_at=row.started_at if row.attempt == 1 else row.heartbeat_at,
            heartbeat_at=row.heartbeat_at,
            ended_at=row.ended_at,
            cancel_requested_at=row.cancel_requested_at,
            retry_at=row.retry_at,
        )
        row.save(update_fields=["job_ptr"])
    check_constraints(apps, schema_editor)


def take_jobs(apps, schema_editor):
    PipelineRun, Job = apps.get_model("mlops", "PipelineRun"), apps.get_model("catalog", "Job")
    same = ["status", "log", "attempt", "started_at", "heartbeat_at", "ended_at", "cancel_requested_at", "retry_at"]
    for row in PipelineRun.objects.select_related("job_ptr").iterator():
        job = row.job_ptr
        for name in same:
            setattr(row, name, getattr(job, name))
        row.trigger, row.started_by_id, row.queued_at = job.trigger, job.requested_by_id, job.created_at
        row.message = str(job.details.get("error") or job.outcome)
        row.job_ptr = None
        row.save(update_fields=[*same, "trigger", "started_by", "queued_at", "message", "job_ptr"])
    Job.objects.filter(kind="training").delete()
    check_constraints(apps, schema_editor)


class Migration(migrations.Migration):
    dependencies = [("catalog", "0008_jobs"), ("mlops", "0011_data_codes")]

    operations = [
        migrations.AddField(
            "pipelinerun",
            "job_ptr",
            models.OneToOneField(
                null=True, on_delete=django.db.models.deletion.CASCADE, to="catalog.job"
            ),
        ),
        migrations.RemoveConstraint("pipelinerun", "mlops_run_one_active"),
        migrations.RemoveIndex("pipelinerun", "mlops_run_queued_at"),
        migrations.AlterModelOptions(
            "pipelinerun",
            {"ordering": ["-id"], "permissions": [("start_training", "Can start, cancel and repeat trainings")]},
        ),
        migrations.RunPython(give_jobs, take_jobs),
        # With a default, so that the way back can add it to rows.
        migrations.AlterField("pipelinerun", "trigger", models.CharField(default="command", max_length=16)),
        *(
            migrations.RemoveField("pipelinerun", name)
            for name in (
                "status",
                "trigger",
                "started_by",
                "log",
                "message",
                "queued_at",
                "started_at",
                "heartbeat_at",
                "ended_at",
                "cancel_requested_at",
                "attempt",
                "retry_at",
            )
        ),
        migrations.AlterField(
            "pipelinerun",
            "job_ptr",
            models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, parent_link=True, to="catalog.job"),
        ),
        migrations.AlterField("pipelinerun", "id", models.BigAutoField(primary_key=True, serialize=False)),
        InheritFromJob("pipelinerun"),
        migrations.AlterModelOptions(
            "pipelinerun",
            {
                "ordering": ["-created_at", "-id"],
                "permissions": [("start_training", "Can start, cancel and repeat trainings")],
            },
        ),
        migrations.RemoveField("runstep", "progress"),
        migrations.AddField(
            "runstep",
            "activity",
            models.CharField(
                blank=True,
                choices=[
                    ("writing_ratings", "{done:,} ratings"),
                    ("choosing_parameters", "choosing what is not given"),
                    ("fitting", "fitting on all data"),
                    ("saving", "saving"),
                    ("evaluating", "{done}/{total} {model}"),
                    ("smoke_test", "loading in a fresh process"),
                    ("mlflow", "MLflow"),
                ],
                max_length=32,
            ),
        ),
        migrations.AddField("runstep", "activity_details", models.JSONField(blank=True, default=dict)),
        migrations.AddField(
            "runstep", "share", models.FloatField(blank=True, help_text="Of this step, from 0 to 1.", null=True)
        ),
        migrations.AddField("runstep", "remaining_seconds", models.FloatField(blank=True, null=True)),
    ]
