"""The lifecycle of an upload: received, parsed by a job, previewed, then committed or discarded."""

import json
import logging
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import PurePath
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, OperationalError, transaction
from django.utils import timezone

from catalog.imports.changes import changes_of
from catalog.imports.fields import ParsedRow
from catalog.imports.formats import read_for, read_upload
from catalog.imports.mapping import remember
from catalog.imports.matching import Match, match_rows
from catalog.imports.reading import Answers
from catalog.imports.remembered import Remembered
from catalog.imports.report import counts_of
from catalog.ingest.rows import insert_rows
from catalog.jobs.heartbeat import beating
from catalog.jobs.kinds import JobKind, Limits, register
from catalog.jobs.progress import Pace
from catalog.jobs.queue import claim, enqueue, fail, finish, heartbeat
from catalog.models import ImportRow, User, UserImport
from catalog.models.outcomes import Outcome
from catalog.progress import chunks

logger = logging.getLogger(__name__)

ROWS_A_WRITE = 2000
MAX_SECONDS = 1800
READ_TASK = "catalog.read_import"
PARSED = ("file", "line", "kind", "title", "year", "rating", "recorded_at", "watched_on", "is_rewatch")
COLUMNS = ("user_import_id", *PARSED, "list_name", "movie_id", "review", "reasons", "ignored", "identity", "choice")


def receive_upload(
    *, user: User, format: str, file: UploadedFile, trigger: str, answers: Answers | None = None
) -> UserImport:
    """Creates an import and enqueues its job. Raises InvalidImport, UploadTooLarge."""
    name, content = file.name or "", file.read()
    user_import = create_import(user=user, format=format, name=name, content=content, trigger=trigger, answers=answers)
    transaction.on_commit(lambda: enqueue(user_import))
    return user_import


def create_import(
    *,
    user: User,
    format: str,
    name: str,
    content: bytes,
    trigger: str = UserImport.Trigger.COMMAND,
    answers: Answers | None = None,
) -> UserImport:
    """Creates an import, which replaces the user's previous one if that was not committed.

    `answers` answer QUESTIONS. Raises InvalidImport, UploadTooLarge; then nothing has changed.
    """
    name = PurePath(name).name.replace("\0", "")[:200] or "upload"
    reading, used = read_for(user=user, format=format, name=name, content=content, answers=answers or {})
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=user.pk)
        remember(user, reading.columns, used.get("columns", {}))
        UserImport.objects.filter(user=user).open().delete()
        return UserImport.objects.create(
            user=user,
            format=format,
            name=name,
            content=content,
            n_rows=len(reading.rows),
            report=reading.report,
            answers=used,
            trigger=trigger,
            requested_by=user,
            exclusive=f"import of user {user.pk}",
        )


def read_import(*, import_id: int, on_progress: Callable[[int], object] = lambda n: None) -> bool:
    """Matches every row against the catalogue for the preview. Returns False if there was nothing to do.

    Rows of an interrupted attempt are never shown, and the next attempt deletes them.
    """
    waiting = UserImport.objects.filter(pk=import_id).select_related("user").first()
    user_import = claim(waiting) if waiting else None
    if user_import is None:
        return False
    with beating():
        try:
            return _read(user_import, on_progress)
        except (OperationalError, IntegrityError) as error:
            # The database failed, or a movie or the account was deleted concurrently.
            logger.warning("import %s is read again: %s", user_import.pk, error)
            fail(user_import, Outcome.DATABASE, status=UserImport.Status.ERRORED, error=str(error))
        except Exception as error:
            logger.exception("import %s failed", user_import.pk)
            said = f"{type(error).__name__}: {error}"
            fail(user_import, Outcome.BUG, status=UserImport.Status.ERRORED, retry=False, error=said)
    return False


def _read(user_import: UserImport, on_progress: Callable[[int], object]) -> bool:
    reading = read_upload(
        format=user_import.format,
        name=user_import.name,
        content=bytes(user_import.content),
        answers=user_import.answers,
    )
    rows, list_names = reading.rows, {found["key"]: found["name"] for found in user_import.report.get("lists", [])}
    matches = Remembered(user_import.user).apply(rows, match_rows(rows), user_import.format)
    user_import.rows.all().delete()
    pace, n_read = Pace(), 0
    for pairs in chunks(list(zip(rows, matches, strict=True)), ROWS_A_WRITE):
        n_read += len(pairs)
        with transaction.atomic():
            if not heartbeat(user_import, **pace.at(n_read / len(rows))):
                return False  # discarded in the meantime
            insert_rows(ImportRow, COLUMNS, (_row(user_import, row, match, list_names) for row, match in pairs))
        on_progress(len(pairs))
    counts = counts_of(rows, matches) | changes_of(user_import).counts()
    kept = user_import.content if reading.questions or reading.columns else b""
    with transaction.atomic():
        UserImport.objects.filter(pk=user_import.pk).update(content=kept, counts=counts)
        if not finish(user_import):
            transaction.set_rollback(True)  # another attempt has claimed the import and needs the file
            return False
    return True


def _row(user_import: UserImport, row: ParsedRow, match: Match, list_names: Mapping[str, str]) -> list[Any]:
    """Returns the values of an ImportRow in the order of COLUMNS. Reviews are dropped if no movie can be chosen."""
    values = [*(getattr(row, name) for name in PARSED), list_names.get(row.list_name, row.list_name)]
    review = row.review if match.movie_id or match.identity else ""
    reasons, ignored, identity = map(json.dumps, (match.reasons, row.ignored, match.identity))
    return [user_import.pk, *values, match.movie_id, review, reasons, ignored, identity, match.choice]


def remove_old_imports() -> int:
    """Deletes imports older than the policy allows and returns how many there were."""
    limit = timezone.now() - timedelta(days=settings.POLICY.imports.keep_days)
    old = UserImport.objects.filter(created_at__lt=limit).defer("content")
    return sum(bool(user_import.delete()[0]) for user_import in old)


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
