"""Finds a snapshot by its name on a command line."""

from pathlib import Path

from mlops.errors import SnapshotNotAvailable
from mlops.models import DatasetSnapshot


def find_snapshot(name: str) -> DatasetSnapshot:
    """By the beginning of its hash, or by a folder with a snapshot. Raises SnapshotNotAvailable."""
    if Path(name).is_dir():
        # Here, so that web processes start without pandas and pyarrow.
        from mlops.data.snapshots import adopt_snapshot

        return adopt_snapshot(Path(name))
    found = list(DatasetSnapshot.objects.filter(content_hash__startswith=name)[:2])
    if len(found) != 1:
        how_many = "Several snapshots begin" if found else "No snapshot begins"
        raise SnapshotNotAvailable(f"{how_many} with {name!r}.")
    if found[0].unavailable_reason:
        raise SnapshotNotAvailable(found[0].unavailable_reason)
    return found[0]
