"""Quarantine: stores rows that broke a data check until a person releases them."""

import hashlib
import json
import math
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.utils import timezone
from django.utils.translation import gettext as _

from catalog.models import User
from mlops.data.codes import RELEASABLE
from mlops.errors import NotReleasable, ReasonRequired
from mlops.findings import title
from mlops.models import DatasetSnapshot, QuarantinedRow, UserPseudonym

if TYPE_CHECKING:  # the admin releases rows in web processes, which should not load pandas
    import pandas as pd

    from mlops.data.checks import BadRows, CheckReport

Kind = QuarantinedRow.Kind
MAX_ROWS = 10_000  # maximum number of rows added per snapshot
BATCH = 500

BadRowsByPlace = dict[tuple[str, int], QuarantinedRow]


def bad_rows(ratings: "pd.DataFrame", movies: "pd.DataFrame", report: "CheckReport") -> BadRowsByPlace:
    """Returns the bad rows as unsaved quarantine rows, keyed by kind and position in the frame."""
    return _rows(Kind.RATING, ratings, report.bad_ratings) | _rows(Kind.MOVIE, movies, report.bad_movies)


def without_released_rows(report: "CheckReport", rows: BadRowsByPlace, *, as_of: datetime) -> "CheckReport":
    """Returns the report without the rows that had been released by `as_of`."""
    released = _released(rows.values(), as_of)
    places = [place for place, row in rows.items() if row.fingerprint in released]
    return report.without_rows(
        ratings={place for kind, place in places if kind == Kind.RATING},
        movies={place for kind, place in places if kind == Kind.MOVIE},
    )


def quarantine(snapshot: DatasetSnapshot, rows: BadRowsByPlace, report: "CheckReport") -> None:
    """Saves the rows that are still bad according to the report, except those of deleted accounts."""
    bad = [(Kind.RATING, place) for place in report.bad_ratings] + [(Kind.MOVIE, place) for place in report.bad_movies]
    kept = {rows[place].fingerprint: rows[place] for place in bad if place in rows}
    users = {row.user_id for row in kept.values() if row.user_id is not None}
    existing = UserPseudonym.objects.in_bulk(list(users), field_name="number")
    for row in kept.values():
        row.snapshot = snapshot
    QuarantinedRow.objects.bulk_create(
        [row for row in kept.values() if row.user_id is None or row.user_id in existing],
        batch_size=BATCH,
        update_conflicts=True,
        unique_fields=["fingerprint"],
        update_fields=["reasons", "snapshot", "released_at", "released_by", "release_reason"],
    )


def release(*, rows: Iterable[int], by: User, reason: str) -> int:
    """Releases all rows or none, and returns their number. Raises ReasonRequired, NotReleasable."""
    if not reason.strip():
        raise ReasonRequired(_("Give a reason for releasing the row from quarantine."))
    wanted = QuarantinedRow.objects.filter(pk__in=list(rows), released_at=None)
    for row in wanted:
        fatal = sorted(set(row.reasons) - RELEASABLE)
        if fatal:
            reasons = "; ".join(title(code) for code in fatal)
            text = _("{row} cannot be used for training ({reasons}). Correct the data instead.")
            raise NotReleasable(text.format(row=row, reasons=reasons))
    return wanted.update(released_at=timezone.now(), released_by=by, release_reason=reason.strip())


def _rows(kind: str, frame: "pd.DataFrame", bad: "BadRows") -> BadRowsByPlace:
    places = sorted(bad)[:MAX_ROWS]
    contents = frame.loc[places].to_dict("records")
    return {
        (kind, place): _quarantined(kind, {str(name): _plain(value) for name, value in content.items()}, bad[place])
        for place, content in zip(places, contents, strict=True)
    }


def _quarantined(kind: str, content: dict[str, Any], reasons: tuple[str, ...]) -> QuarantinedRow:
    text = json.dumps([kind, content], sort_keys=True)
    return QuarantinedRow(
        kind=kind,
        fingerprint=hashlib.sha256(text.encode()).hexdigest(),
        content=content,
        reasons=list(reasons),
        movie_id=content["movie_id"] if isinstance(content["movie_id"], int) else None,
        user_id=content["user_id"] if kind == Kind.RATING and isinstance(content["user_id"], int) else None,
    )


def _released(rows: Iterable[QuarantinedRow], as_of: datetime) -> set[str]:
    """Returns the fingerprints of rows released by `as_of`. A release covers only the rules broken at that time."""
    now = {row.fingerprint: set(row.reasons) for row in rows}
    released = QuarantinedRow.objects.filter(released_at__lte=as_of).in_bulk(list(now), field_name="fingerprint")
    return {fingerprint for fingerprint, row in released.items() if now[fingerprint] <= set(row.reasons)}


def _plain(value: Any) -> Any:
    """Converts the value to a JSON value. JSON has no NaN, times or arrays."""
    if isinstance(value, list):
        return [str(part) for part in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if value is None or value != value:  # NaT
        return None
    return value.isoformat() if hasattr(value, "isoformat") else value
