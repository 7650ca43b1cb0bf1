"""Finds the new rows of a followed source, and imports them by the rules of uploads.

Stricter than an upload, it never changes a rating that its owner gave on this site.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import NamedTuple

from django.db.models import QuerySet
from django.utils import timezone

from catalog.following.source import SourceRow
from catalog.imports.commit import write_matched
from catalog.imports.fields import Kind, ParsedRow
from catalog.imports.lifecycle import PARSED
from catalog.imports.matching import Match, match_rows
from catalog.imports.remembered import Remembered, lock_user
from catalog.models import FollowedRow, FollowedSource, ImportRow, Movie, Rating, Source, UserImport

Outcome = FollowedRow.Outcome

RETRIED_FOR = timedelta(days=30)  # how long a row without a movie is matched again, because the catalogue grows
SHOWN = ("ratings_new", "ratings_changed", "viewings_new", "watchlist_new", "watchlist_left", "notes_new")


class NewRow(NamedTuple):
    """A row to import, with the movie that it matches. `is_changed` is set if only its rating is new."""

    key: str
    row: ParsedRow
    match: Match
    is_changed: bool = False


def waiting_rows(source: FollowedSource) -> QuerySet[FollowedRow]:
    """Returns the recent rows without a movie, which later syncs match again."""
    return unmatched_rows(source).filter(found_at__gt=timezone.now() - RETRIED_FOR)


def unmatched_rows(source: FollowedSource) -> QuerySet[FollowedRow]:
    """Returns the rows without a movie, latest first."""
    return source.rows.filter(outcome=Outcome.UNMATCHED)


def new_rows(source: FollowedSource, rows: Sequence[SourceRow]) -> list[NewRow]:
    """Returns the rows that were not handled yet, those with another rating than before, and found waiting ones."""
    known = {key: (rating, outcome) for key, rating, outcome in source.rows.values_list("key", "rating", "outcome")}
    waiting = set(waiting_rows(source).values_list("key", flat=True))
    latest = {key: row for key, row in rows if _is_open(row, known.get(key), key in waiting)}
    wanted = list(latest.values())
    matches = Remembered(source.user).apply(wanted, match_rows(wanted), source.options.get("format") or source.kind)
    found = [
        NewRow(key, row, match, is_changed=key in known and key not in waiting)
        for (key, row), match in zip(latest.items(), matches, strict=True)
    ]
    return [new for new in found if new.match.movie_id or new.key not in waiting]


def _is_open(row: ParsedRow, known: tuple[float | None, str] | None, is_waiting: bool) -> bool:
    if known is None or is_waiting:
        return True
    rating, outcome = known
    return outcome != Outcome.UNMATCHED and row.rating not in (None, rating)


def write_rows(source: FollowedSource, rows: Sequence[NewRow]) -> dict[str, int]:
    """Imports the rows and records their keys, within the caller's transaction. Returns what was added and changed."""
    lock_user(source.user)
    is_first = not (source.with_existing or source.synced_at)
    wanted = [] if is_first else [new for new in rows if new.match.movie_id]
    counts = _import(source, _without_own(source, wanted))
    _record(source, rows, Outcome.SKIPPED if is_first else Outcome.IMPORTED)
    outcomes = Counter(_outcome(new, Outcome.IMPORTED) for new in rows)
    n_unmatched = 0 if is_first else outcomes[Outcome.UNMATCHED]
    return {"rows": len(rows), "unmatched": n_unmatched} | {name: counts.get(name, 0) for name in SHOWN}


def _without_own(source: FollowedSource, rows: Sequence[NewRow]) -> list[NewRow]:
    """Removes ratings of movies that the user rated on this site, and changed ratings of unrated movies."""
    movies = {new.match.movie_id for new in rows if new.match.movie_id}
    # locked, so that a rating which is given meanwhile waits and is then the later one
    list(Movie.objects.filter(pk__in=movies).order_by("pk").select_for_update(no_key=True).values_list("pk"))
    ratings = {rating.movie_id: rating for rating in Rating.objects.filter(user=source.user_id, movie__in=movies)}
    kept = []
    for new in rows:
        rating = ratings.get(new.match.movie_id or 0)
        row = new.row
        if new.is_changed:
            if rating is None or rating.source != Source.IMPORTED:
                continue
            is_later = row.recorded_at is not None and row.recorded_at > rating.rated_at
            row = replace(row, kind=Kind.RATED, recorded_at=row.recorded_at if is_later else None, watched_on=None)
        elif rating is not None and rating.source != Source.IMPORTED:
            row = replace(row, rating=None)
        if row.rating is not None or row.kind != Kind.RATED:
            kept.append(new._replace(row=row))
    return kept


def _import(source: FollowedSource, rows: Sequence[NewRow]) -> dict[str, int]:
    """Imports rows by the rules of uploads, through an upload that exists only within this transaction."""
    if not rows:
        return {}
    upload = UserImport.objects.create(
        user=source.user,
        format=source.kind,
        name=source.name,
        n_rows=len(rows),
        trigger=UserImport.Trigger.SCHEDULED,
        status=UserImport.Status.SUCCEEDED,
    )
    ImportRow.objects.bulk_create(
        ImportRow(
            user_import=upload,
            movie_id=new.match.movie_id,
            review=new.row.review,
            **{name: getattr(new.row, name) for name in PARSED},
        )
        for new in rows
    )
    counts = write_matched(upload)
    upload.delete()
    return counts


def _record(source: FollowedSource, rows: Sequence[NewRow], outcome: Outcome) -> None:
    """Records the rows by their keys. A waiting row that has found its movie is updated."""
    FollowedRow.objects.bulk_create(
        (
            FollowedRow(
                source=source,
                key=new.key,
                outcome=_outcome(new, outcome),
                title=new.row.title,
                year=new.row.year,
                rating=new.row.rating,
                movie_id=new.match.movie_id,
                reasons=[list(reason) for reason in new.match.reasons],
            )
            for new in rows
        ),
        update_conflicts=True,
        unique_fields=["source", "key"],
        update_fields=["outcome", "rating", "movie", "reasons"],
    )


def _outcome(new: NewRow, imported: Outcome) -> Outcome:
    if imported == Outcome.SKIPPED or new.row.medium:
        return Outcome.SKIPPED
    return imported if new.match.movie_id else Outcome.UNMATCHED
