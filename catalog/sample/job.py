"""The sample as a background job, started from the setup page. The command `load_sample` does the same work."""

from functools import partial
from io import StringIO
from typing import Any

from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.db.models import TextChoices

from catalog.jobs.heartbeat import beating
from catalog.jobs.kinds import JobKind, Limits, register
from catalog.jobs.queue import claim, enqueue, fail, finish
from catalog.models import User
from catalog.models.imports import SampleLoad
from catalog.models.outcomes import Outcome, add_sentences
from catalog.signals import sample_loaded

TASK = "catalog.load_sample"
MAX_SECONDS = 1800
Status = SampleLoad.Status


class SampleOutcome(TextChoices):
    LOADED = "sample_loaded", "{said}"
    REFUSED = "sample_refused", "{error}"


def request_sample(*, user: User) -> SampleLoad | None:
    """Enqueues the load. Returns None if one is in progress."""
    try:
        with transaction.atomic():
            job = SampleLoad.objects.create(trigger=SampleLoad.Trigger.PAGE, requested_by=user)
    except IntegrityError:
        return None
    transaction.on_commit(partial(enqueue, job))
    return job


def run_load(*, load_id: int) -> bool:
    """Loads the sample, or completes an interrupted load. Returns whether the sample is complete."""
    waiting = SampleLoad.objects.filter(pk=load_id).first()
    job = claim(waiting) if waiting else None
    if job is None:
        return False
    said = StringIO()
    with beating():
        try:
            call_command("load_sample", verbosity=0, stdout=said)
        except CommandError as error:
            fail(job, SampleOutcome.REFUSED, error=str(error))
            return False
        except Exception as error:
            fail(job, Outcome.BUG, status=Status.ERRORED, error=f"{type(error).__name__}: {error}")
            raise
    first_line = said.getvalue().strip().partition("\n")[0]
    if finish(job, SampleOutcome.LOADED, said=first_line):
        sample_loaded.send_robust(sender=SampleLoad, user_id=job.requested_by_id)
    return True


def _arguments(job: SampleLoad) -> dict[str, Any]:
    return {"load_id": job.pk}


add_sentences(dict(SampleOutcome.choices))
register(
    JobKind(
        name=SampleLoad.KIND,
        model=SampleLoad,
        task=TASK,
        queue="default",
        limits=lambda: Limits(stale_after_seconds=25, max_seconds=MAX_SECONDS, retries=2, retry_after_seconds=5),
        arguments=_arguments,
    )
)
