"""Which models this host fetched from the store, and when each was last wanted: the oldest ones make room.

A model has an empty file with the name of its folder, whose time is that of its last use. Models that were trained here
have none: the policy's `retention` decides about those.
"""

import logging
import shutil
from collections.abc import Iterable
from pathlib import Path

from django.conf import settings

from mlops.models import ModelVersion
from mlops.registry.artifacts import size_of
from recommender.models import ServedModel

logger = logging.getLogger(__name__)


def mark_as_used(rows: Iterable[ModelVersion], *, is_new: bool = False) -> None:
    """Of models that were not fetched only `is_new` ones are marked."""
    for row in rows:
        mark = _marks() / row.artifact
        if is_new or mark.exists():
            mark.touch()


def forget_oldest(*, keep: Iterable[ModelVersion], limit: int) -> None:
    """Removes what was fetched beyond `limit` bytes, the longest unused first, but none that is served or in `keep`."""
    kept = {row.artifact for row in keep} | set(ServedModel.objects.values_list("artifact", flat=True))
    marks = sorted(_marks().iterdir(), key=lambda mark: mark.stat().st_mtime_ns)
    sizes = {mark: size_of(Path(settings.MODEL_DIR) / mark.name) for mark in marks}
    surplus = sum(sizes.values()) - limit
    for mark in marks:
        if surplus > 0 and mark.name not in kept:
            shutil.rmtree(Path(settings.MODEL_DIR) / mark.name, ignore_errors=True)
            mark.unlink()
            surplus -= sizes[mark]
            logger.info("%s was removed to make room; the store still has it", mark.name)


def _marks() -> Path:
    folder = Path(settings.VAR_DIR) / "fetched"
    folder.mkdir(exist_ok=True)
    return folder
