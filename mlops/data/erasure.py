"""Erases snapshots: deletes their files and keeps the rows with the reason."""

import logging
import shutil
from typing import Any

from django.conf import settings
from django.db import transaction
from django.dispatch import receiver
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog.models import Source, User
from catalog.signals import provider_purged
from mlops.errors import AlreadyWithdrawn, ReasonRequired, SnapshotNotFound
from mlops.models import DatasetSnapshot, QuarantinedRow

logger = logging.getLogger(__name__)


def withdraw_snapshot(*, snapshot: int, reason: str, by: User | None = None) -> DatasetSnapshot:
    """Withdraws a snapshot and deletes its files. Raises SnapshotNotFound, ReasonRequired, AlreadyWithdrawn."""
    if not reason.strip():
        raise ReasonRequired(_("Give a reason for withdrawing the snapshot."))
    row = DatasetSnapshot.objects.filter(pk=snapshot).first()
    if row is None:
        raise SnapshotNotFound(_("Snapshot {snapshot} does not exist.").format(snapshot=snapshot))
    with transaction.atomic():
        if not DatasetSnapshot.objects.filter(pk=snapshot, withdrawn_at=None).update(
            withdrawn_at=timezone.now(), withdrawn_by=by, withdrawn_reason=reason.strip()
        ):
            text = _("Snapshot {snapshot} is already withdrawn.").format(snapshot=row)
            raise AlreadyWithdrawn(row.unavailable_reason or text)
        QuarantinedRow.objects.filter(snapshot=row).delete()
        transaction.on_commit(lambda: _remove_files(row))
    row.refresh_from_db()
    logger.warning("snapshot %s was withdrawn: %s", row, row.withdrawn_reason)
    return row


@receiver(provider_purged)
def withdraw_provider(source: str, **kwargs: Any) -> None:
    """Withdraws every snapshot that contains data from the provider."""
    for row in DatasetSnapshot.objects.filter(withdrawn_at=None):
        if source in row.sources:
            withdraw_snapshot(snapshot=row.pk, reason=f"The data of {Source(source).label} was purged from the site.")


def _remove_files(snapshot: DatasetSnapshot) -> None:
    folder = settings.SNAPSHOT_DIR / snapshot.folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.with_name(f"{folder.name}.dvc").unlink(missing_ok=True)
    DatasetSnapshot.objects.filter(pk=snapshot.pk, removed_at=None).update(removed_at=timezone.now())
