"""Operator actions on the site of benchmarks.memory. The site's own worker does the work."""

from __future__ import annotations

from celery import current_app
from django.conf import settings
from django_celery_beat.models import PeriodicTask

from benchmarks.chaos.processes import wait_for
from mlops.models import ModelVersion, PipelineRun
from mlops.registry.promotion import promote
from mlops.training.runs import start_training

LONGEST_TRAINING = 1800.0


def train() -> int:
    """Trains and returns the registered version. Waits first for a training started by the schedule."""
    begun = PipelineRun.objects.filter(status__in=PipelineRun.ACTIVE)
    wait_for(lambda: not begun.exists(), seconds=LONGEST_TRAINING, what="a scheduled training ends", pause=0.5)
    run = start_training(trigger=PipelineRun.Trigger.API)
    active = PipelineRun.objects.filter(pk=run.pk, status__in=PipelineRun.ACTIVE)
    wait_for(lambda: not active.exists(), seconds=LONGEST_TRAINING, what="the training ends", pause=0.5)
    version = ModelVersion.objects.filter(run=run.pk).first()
    if version is None:
        run.refresh_from_db()
        raise SystemExit(f"The training registered no version: {run.message}")
    return int(version.pk)


def make_champion(version: int) -> None:
    """Promotes the version even if the gate refused it."""
    champion = ModelVersion.champion()
    if champion is None or champion.pk != version:
        promote(version=version, force=True, reason="benchmark of memory")


def run_every_task() -> None:
    """Sends all tasks that are scheduled for the default queue in a day. Waits until the worker has received them."""
    for row in PeriodicTask.objects.enabled().filter(queue="default").exclude(task="mlops.train_model_scheduled"):
        current_app.send_task(row.task, queue=row.queue)
    messages = settings.VAR_DIR / "broker" / "messages"
    wait_for(lambda: not list(messages.glob("*.default.msg")), seconds=600, what="every task is received")
