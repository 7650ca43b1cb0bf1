"""What the rest of the site asks of the recommender."""

from pathlib import PurePosixPath

from django.db import transaction
from django.utils import timezone

from recommender.models import ServedModel


class RecommenderError(Exception):
    """Something a person can put right; `code` and `status` say how the API shows it."""

    code = "invalid"
    status = 400


def activate(*, version: int, algorithm: str, artifact: str) -> ServedModel:
    """Point the web processes at the artefact (a folder below MODEL_DIR); they follow within seconds.

    The champion becomes the previous one, to which the ladder falls and a roll-back returns; naming the
    version that is served already only corrects its artefact.
    """
    folder = PurePosixPath(artifact)
    if folder.is_absolute() or ".." in folder.parts or not folder.parts:
        raise RecommenderError(f"artifact: expected a folder below MODEL_DIR, got {artifact!r}")
    with transaction.atomic():
        slots = {row.slot: row for row in ServedModel.objects.select_for_update()}
        champion = slots.get(ServedModel.Slot.CHAMPION)
        if champion is not None and champion.version != version:
            ServedModel.objects.update_or_create(
                slot=ServedModel.Slot.PREVIOUS,
                defaults={
                    "version": champion.version,
                    "algorithm": champion.algorithm,
                    "artifact": champion.artifact,
                    "activated_at": champion.activated_at,
                },
            )
        row, _ = ServedModel.objects.update_or_create(
            slot=ServedModel.Slot.CHAMPION,
            defaults={
                "version": version,
                "algorithm": algorithm,
                "artifact": artifact,
                "activated_at": timezone.now(),
            },
        )
    return row
