"""Computes how an import changes its owner's ratings, viewings, watchlist and notes."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any

from django.db.models import QuerySet

from catalog.imports.lists import ListChanges
from catalog.models import ImportRow, Note, Rating, Source, User, UserImport, Viewing, WatchlistItem

Kind = ImportRow.Kind
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass
class Changes:
    """The changes that an import would make to its owner's data.

    `given_at` is the time assumed for rows without one. `n_kept` counts ratings that are not overwritten because they
    were given later on this site. `rated_alike` maps changes of a movie's rating count and rating sum to the ids of the
    movies that change in this way.
    """

    user: User
    given_at: datetime
    new_ratings: list[Rating] = field(default_factory=list)
    changed_ratings: list[Rating] = field(default_factory=list)
    n_kept: int = 0
    n_notes: int = 0
    n_same: int = 0
    rated_alike: dict[tuple[int, float], list[int]] = field(default_factory=lambda: defaultdict(list))
    new_viewings: list[Viewing] = field(default_factory=list)
    outdated_viewings: list[int] = field(default_factory=list)
    new_watchlist: list[WatchlistItem] = field(default_factory=list)
    left_watchlist: list[int] = field(default_factory=list)
    new_notes: list[Note] = field(default_factory=list)
    noted_viewings: list[Viewing] = field(default_factory=list)
    lists: ListChanges = field(init=False)

    def __post_init__(self) -> None:
        self.lists = ListChanges(self.user, self.given_at)

    def counts(self) -> dict[str, int]:
        return {
            "ratings_new": len(self.new_ratings),
            "ratings_changed": len(self.changed_ratings),
            "ratings_kept": self.n_kept,
            "ratings_same": self.n_same,
            "viewings_new": len(self.new_viewings),
            "watchlist_new": len(self.new_watchlist),
            "watchlist_left": len(self.left_watchlist),
            "notes_new": self.n_notes,
            **self.lists.counts(),
        }

    def add_ratings(self, rows: QuerySet[ImportRow]) -> None:
        ratings = {rating.movie_id: rating for rating in self.user.ratings.all()}
        for movie_id, (value, rated_at) in _latest_ratings(rows).items():
            if rating := ratings.get(movie_id):
                self._rate_again(rating, value, rated_at)
            else:
                self.rated_alike[1, value].append(movie_id)
                values = {"rating": value, "rated_at": rated_at or self.given_at, "source": Source.IMPORTED}
                self.new_ratings.append(Rating(user=self.user, movie_id=movie_id, **values))

    def _rate_again(self, rating: Rating, value: float, rated_at: datetime | None) -> None:
        """Replaces a rating if the imported one is later. A rating without a date replaces only imported ones."""
        is_later = rated_at > rating.rated_at if rated_at else rating.source == Source.IMPORTED
        if rating.rating == value:
            self.n_same += 1
        elif is_later:
            self.rated_alike[0, value - rating.rating].append(rating.movie_id)
            rating.rating, rating.rated_at, rating.source = value, rated_at or self.given_at, Source.IMPORTED
            self.changed_ratings.append(rating)
        else:
            self.n_kept += 1

    def add_viewings(self, rows: QuerySet[ImportRow]) -> None:
        """Adds viewings on days that the diary does not have yet.

        A viewing on an unknown day only says that the movie was watched, so a dated viewing of it replaces that one.
        """
        known: dict[int, dict[date | None, int]] = defaultdict(dict)
        for pk, movie_id, watched_on in self.user.viewings.values_list("pk", "movie_id", "watched_on"):
            known[movie_id][watched_on] = pk
        viewings = self._viewings(rows)
        dated = {movie_id for movie_id, watched_on in viewings if watched_on}
        for (movie_id, watched_on), viewing in viewings.items():
            is_known = watched_on in known[movie_id] if watched_on else known[movie_id] or movie_id in dated
            if not is_known:
                self.new_viewings.append(viewing)
        self.outdated_viewings = [known[movie_id][None] for movie_id in dated if None in known[movie_id]]

    def _viewings(self, rows: QuerySet[ImportRow]) -> dict[tuple[int, date | None], Viewing]:
        found: dict[tuple[int, date | None], Viewing] = {}
        columns = ("movie_id", "watched_on", "is_rewatch", "recorded_at")
        for movie_id, watched_on, is_rewatch, recorded_at in rows.filter(kind=Kind.WATCHED).values_list(*columns):
            viewing = found.get((movie_id, watched_on)) or Viewing(
                user=self.user, movie_id=movie_id, watched_on=watched_on, recorded_at=recorded_at or self.given_at
            )
            viewing.is_rewatch |= is_rewatch
            found[movie_id, watched_on] = viewing
        return found

    def add_watchlist(self, rows: QuerySet[ImportRow]) -> None:
        """Adds wanted movies, and removes movies that were rated or watched after being added.

        A movie that the file lists as wanted is not removed.
        """
        listed = dict(self.user.watchlist.values_list("movie_id", "added_at"))
        wanted = dict(rows.filter(kind=Kind.WANTED).values_list("movie_id", "recorded_at"))
        seen = [(row.movie_id, row.rated_at) for row in (*self.new_ratings, *self.changed_ratings)]
        days = [(row.movie_id, row.watched_on) for row in self.new_viewings]
        seen += [(movie_id, datetime.combine(day, time.max, UTC)) for movie_id, day in days if day]
        left = {movie_id for movie_id, moment in seen if movie_id in listed and listed[movie_id] < moment}
        self.left_watchlist = sorted(left - wanted.keys())
        for movie_id, listed_at in wanted.items():
            if movie_id not in listed:
                added_at = listed_at or self.given_at
                self.new_watchlist.append(WatchlistItem(user=self.user, movie_id=movie_id, added_at=added_at))

    def add_notes(self, rows: QuerySet[ImportRow]) -> None:
        """Adds reviews as notes, to the viewing of the same day or else to the movie. Keeps existing notes."""
        written = rows.exclude(review="")
        reviews = list(written.values_list("movie_id", "watched_on", "review"))
        if not reviews:
            return
        movies = written.values("movie")
        known = [*self.user.viewings.filter(movie__in=movies), *self.new_viewings]
        viewings: dict[tuple[int, date | None], Viewing] = {
            (viewing.movie_id, viewing.watched_on): viewing for viewing in known if viewing.watched_on
        }
        noted = set(self.user.notes.filter(movie__in=movies).values_list("movie", flat=True))
        for movie_id, watched_on, review in reviews:
            viewing = viewings.get((movie_id, watched_on))
            if viewing and not viewing.note:
                viewing.note = review
                self.noted_viewings += [viewing] if viewing.pk else []
                self.n_notes += 1
            elif viewing is None and movie_id not in noted:
                noted.add(movie_id)
                self.new_notes.append(Note(user=self.user, movie_id=movie_id, text=review, updated_at=self.given_at))
                self.n_notes += 1


def changes_of(user_import: UserImport) -> Changes:
    """Returns the changes that the import's matched rows would make to its owner's data."""
    changes = Changes(user_import.user, given_at=user_import.created_at)
    rows = user_import.rows.exclude(movie=None)
    changes.add_ratings(rows)
    changes.add_viewings(rows)
    changes.add_watchlist(rows)
    changes.add_notes(rows)
    changes.lists.add(rows, user_import.report.get("lists", []))
    return changes


def _latest_ratings(rows: QuerySet[ImportRow]) -> dict[int, tuple[float, datetime | None]]:
    """Returns the latest rating and its time for each movie. Of ratings with equal times, the last row's is used."""
    latest: dict[int, tuple[float, datetime | None]] = {}
    rated = rows.exclude(rating=None).values_list("movie_id", "rating", "recorded_at", "watched_on")
    rating: Any  # not None
    for movie_id, rating, recorded_at, watched_on in rated:
        moment = recorded_at or (datetime.combine(watched_on, time(), UTC) if watched_on else None)
        if movie_id not in latest or (moment or _NEVER) >= (latest[movie_id][1] or _NEVER):
            latest[movie_id] = rating, moment
    return latest
