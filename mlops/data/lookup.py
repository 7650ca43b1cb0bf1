"""Finds a snapshot by what people type."""

from pathlib import Path

from mlops.errors import SnapshotNotAvailable
from mlops.models import DatasetSnapshot


def find_snapshot(name: str) -> DatasetSnapshot:
    """By the beginning of its hash, or by a folder that holds one. Raises SnapshotNotAvailable."""
    if Path(name).is_dir():
        from mlops.data.snapshots import adopt_snapshot

        return adopt_snapshot(Path(name))
    found = list(DatasetSnapshot.objects.filter(content_hash__startswith=name)[:2])
    if len(found) != 1:
        how_many = "several snapshots begin" if found else "no snapshot begins"
        raise SnapshotNotAvailable(f"{how_many} with {name!r}.".capitalize())
    if found[0].absence:
        raise SnapshotNotAvailable(found[0].absence)
    return found[0]
