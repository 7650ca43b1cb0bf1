"""Finds a snapshot by the name given on a command line."""

from pathlib import Path

from django.utils.translation import gettext as _

from mlops.errors import SnapshotNotAvailable
from mlops.models import DatasetSnapshot


def find_snapshot(name: str) -> DatasetSnapshot:
    """Returns the snapshot in folder `name`, or the one whose hash begins with `name`. Raises SnapshotNotAvailable."""
    if Path(name).is_dir():
        # Imported here, so that web processes start without pandas and pyarrow.
        from mlops.data.snapshots import adopt_snapshot

        return adopt_snapshot(Path(name))
    found = list(DatasetSnapshot.objects.filter(content_hash__startswith=name)[:2])
    if len(found) != 1:
        text = _("More than one snapshot starts with {name!r}.") if found else _("No snapshot starts with {name!r}.")
        raise SnapshotNotAvailable(text.format(name=name))
    if found[0].unavailable_reason:
        raise SnapshotNotAvailable(found[0].unavailable_reason)
    return found[0]
