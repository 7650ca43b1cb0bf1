"""What is noted of each of TMDB's ids."""

from typing import Any

from django.utils import timezone

from catalog.models import TMDBRecord

REASON_LENGTH = 500


def record(tmdb_id: int, *, state: str, reason: str = "", **values: Any) -> TMDBRecord:
    return TMDBRecord(tmdb_id=tmdb_id, state=state, reason=reason[:REASON_LENGTH], checked_at=timezone.now(), **values)


def save_records(records: list[TMDBRecord], *, with_content: bool) -> None:
    """In place of what was noted before; `with_content` also which movie it is, and that it was read just now."""
    columns = ["state", "reason", "checked_at", "merged_into", *(["movie", "fetched_at"] if with_content else [])]
    if records:
        TMDBRecord.objects.bulk_create(records, update_conflicts=True, unique_fields=["tmdb_id"], update_fields=columns)


def note(tmdb_id: int, *, state: str, reason: str) -> None:
    """Without new content: when the old one was read, and by which movie it is shown, stays."""
    save_records([record(tmdb_id, state=state, reason=reason)], with_content=False)
