"""Reading a user's file, as a kind of job."""

from django.conf import settings

from catalog.jobs.kinds import JobKind, Limits, register
from catalog.models import UserImport

READ_TASK = "catalog.read_import"
MAX_SECONDS = 1800


def _limits() -> Limits:
    policy = settings.POLICY.imports
    return Limits(policy.stale_after_seconds, MAX_SECONDS, retries=policy.attempts - 1)


def _forget_file(user_import: UserImport) -> None:
    if not user_import.retry_at:
        UserImport.objects.filter(pk=user_import.pk).update(content=b"")


register(
    JobKind(
        name=UserImport.KIND,
        model=UserImport,
        task=READ_TASK,
        queue="default",
        limits=_limits,
        arguments=lambda user_import: {"import_id": user_import.pk},
        on_end=_forget_file,
    )
)
