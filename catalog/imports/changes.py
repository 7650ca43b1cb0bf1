"""The changes an import makes to its owner's ratings, viewings and watchlist, and how they are written."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from django.db import transaction
from django.db.models import F, Model

from catalog.imports.merged import MergedRow
from catalog.ingest.rows import insert_rows
from catalog.models import Movie, Rating, Source, User, Viewing, WatchlistItem
from catalog.progress import chunks
from catalog.signals import rating_recorded

BATCH = 500
IDS_PER_QUERY = 900  # below the parameter limit of every SQLite


@dataclass
class Changes:
    """`n_kept` counts ratings given here later, which stay. `former` holds the old values of changed ratings."""

    new_ratings: list[Rating] = field(default_factory=list)
    changed_ratings: list[Rating] = field(default_factory=list)
    former: dict[int, float] = field(default_factory=dict)
    n_kept: int = 0
    n_same: int = 0
    new_viewings: list[Viewing] = field(default_factory=list)
    outdated_viewings: list[int] = field(default_factory=list)
    new_watchlist: list[WatchlistItem] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        return {
            "ratings_new": len(self.new_ratings),
            "ratings_changed": len(self.changed_ratings),
            "ratings_kept": self.n_kept,
            "ratings_same": self.n_same,
            "viewings_new": len(self.new_viewings),
            "watchlist_new": len(self.new_watchlist),
        }


def changes_for(user: User, merged: Mapping[int, MergedRow], *, given_at: datetime) -> Changes:
    """Compares the merged rows with the user's data. `given_at` is used for rows without a time."""
    changes = Changes()
    ratings = {rating.movie_id: rating for rating in Rating.objects.filter(user=user)}
    viewings: dict[int, dict[object, int]] = defaultdict(dict)
    for pk, movie_id, watched_on in Viewing.objects.filter(user=user).values_list("pk", "movie_id", "watched_on"):
        viewings[movie_id][watched_on] = pk
    watchlist = set(WatchlistItem.objects.filter(user=user).values_list("movie_id", flat=True))
    for movie_id, row in merged.items():
        if row.rating is not None:
            _rate(changes, user, movie_id, row, ratings.get(movie_id), given_at)
        _watch(changes, user, movie_id, row, viewings.get(movie_id, {}), given_at)
        if row.is_wanted and movie_id not in watchlist:
            added_at = row.wanted_at or given_at
            changes.new_watchlist.append(WatchlistItem(user=user, movie_id=movie_id, added_at=added_at))
    return changes


def _rate(
    changes: Changes, user: User, movie_id: int, row: MergedRow, rating: Rating | None, given_at: datetime
) -> None:
    """The later rating counts. A rating without a date replaces only imported ones."""
    value = row.rating or 0.0
    if rating is None:
        moment = row.rated_at or given_at
        changes.new_ratings.append(
            Rating(user=user, movie_id=movie_id, rating=value, rated_at=moment, source=Source.IMPORTED)
        )
        return
    is_later = row.rated_at > rating.rated_at if row.rated_at else rating.source == Source.IMPORTED
    if rating.rating == value:
        changes.n_same += 1
    elif is_later:
        changes.former[movie_id] = rating.rating
        rating.rating, rating.rated_at, rating.source = value, row.rated_at or given_at, Source.IMPORTED
        changes.changed_ratings.append(rating)
    else:
        changes.n_kept += 1


def _watch(
    changes: Changes, user: User, movie_id: int, row: MergedRow, known: dict[object, int], given_at: datetime
) -> None:
    """A viewing on an unknown day only says that the movie was seen, so any dated viewing replaces it."""
    recorded_at = row.recorded_at or given_at
    for watched_on, is_rewatch in row.viewings.items():
        if watched_on in known or (watched_on is None and known):
            continue
        viewing = Viewing(
            user=user, movie_id=movie_id, watched_on=watched_on, is_rewatch=is_rewatch, recorded_at=recorded_at
        )
        changes.new_viewings.append(viewing)
    if None in known and None not in row.viewings and row.viewings:
        changes.outdated_viewings.append(known[None])


def lock(user: User, movie_ids: Sequence[int]) -> set[int]:
    """Locks the account and the movies until the end of the transaction. Returns the movies that exist."""
    list(User.objects.select_for_update(no_key=True).filter(pk=user.pk).values_list("pk", flat=True))
    found: set[int] = set()
    for ids in chunks(sorted(movie_ids), IDS_PER_QUERY):
        movies = Movie.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk")
        found.update(movies.values_list("pk", flat=True))
    return found


def write(user: User, changes: Changes) -> None:
    """Writes the changes; the transaction must have locked the movies. Sends `rating_recorded` after the commit."""
    _insert(Rating, changes.new_ratings)
    Rating.objects.bulk_update(changes.changed_ratings, ["rating", "rated_at", "source"], batch_size=BATCH)
    _change_aggregates(changes)
    for ids in chunks(changes.outdated_viewings, IDS_PER_QUERY):
        Viewing.objects.filter(pk__in=ids).delete()
    _insert(Viewing, changes.new_viewings, ignore_conflicts=True)
    _insert(WatchlistItem, changes.new_watchlist, ignore_conflicts=True)
    rated = [(rating.movie_id, rating.rating) for rating in [*changes.new_ratings, *changes.changed_ratings]]
    transaction.on_commit(partial(_announce, user.pk, rated))


def _insert(model: type[Model], objects: Sequence[Model], *, ignore_conflicts: bool = False) -> None:
    columns = [field.attname for field in model._meta.concrete_fields if not field.primary_key]
    rows = ([getattr(row, column) for column in columns] for row in objects)
    insert_rows(model, columns, rows, ignore_conflicts=ignore_conflicts)


def _change_aggregates(changes: Changes) -> None:
    """Updates all movies with the same change in one query; there are only a few distinct changes."""
    alike: dict[tuple[int, float], list[int]] = defaultdict(list)
    for rating in changes.new_ratings:
        alike[1, rating.rating].append(rating.movie_id)
    for rating in changes.changed_ratings:
        alike[0, rating.rating - changes.former[rating.movie_id]].append(rating.movie_id)
    for (count, total), movie_ids in alike.items():
        for ids in chunks(movie_ids, IDS_PER_QUERY):
            Movie.objects.filter(pk__in=ids).update(
                rating_count=F("rating_count") + count, rating_sum=F("rating_sum") + total
            )


def _announce(user_id: int, rated: list[tuple[int, float]]) -> None:
    for movie_id, rating in rated:
        rating_recorded.send_robust(sender=Rating, user_id=user_id, movie_id=movie_id, rating=rating)
