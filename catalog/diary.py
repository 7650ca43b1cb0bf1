"""Services for the diary (which movies a user watched and when) and for notes."""

from datetime import date, timedelta

from django.db.models import F, OuterRef, QuerySet, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog.bounds import FIRST_YEAR
from catalog.errors import InvalidViewing, ViewingNotFound
from catalog.models import Movie, Note, Rating, User, Viewing
from catalog.services import changing, remove_from_watchlist


def diary_of(user: User) -> QuerySet[Viewing]:
    """Returns the user's viewings, annotated with `rating`, the user's rating of the movie."""
    theirs = Rating.objects.filter(user=user.pk, movie=OuterRef("movie")).values("rating")
    return Viewing.objects.filter(user=user.pk).select_related("movie").annotate(rating=Subquery(theirs))


def unrated_by(user: User) -> QuerySet[Movie]:
    """Returns movies that the user watched but has not rated, latest first, annotated with `watched_on`."""
    watched = Viewing.objects.filter(user=user, movie=OuterRef("pk"))  # latest day first
    movies = Movie.objects.filter(pk__in=user.viewings.values("movie")).exclude(pk__in=user.ratings.values("movie"))
    movies = movies.annotate(watched_on=Subquery(watched.values("watched_on")[:1]))
    return movies.order_by(F("watched_on").desc(nulls_last=True), "-pk")


def record_viewing(
    *, user: User, movie: Movie, watched_on: date | None, is_rewatch: bool | None = None, note: str | None = None
) -> tuple[Viewing, bool]:
    """Adds or updates a viewing and removes the movie from the watchlist. Returns the viewing, and whether it is new.

    Each day counts once. A viewing on an unknown day is replaced when the day becomes known. Arguments that are None
    leave the value unchanged. A new viewing is a rewatch if there is an earlier one. Raises InvalidViewing,
    MovieNotFound, UserNotFound.
    """
    _check(watched_on)
    with changing(user, movie):
        known = list(Viewing.objects.filter(user=user, movie=movie))  # unknown day last
        same = (row for row in known if watched_on is None or row.watched_on in (watched_on, None))
        row = next(same, None) or Viewing(user=user, movie=movie)
        is_new = row.pk is None
        if is_new and is_rewatch is None:
            is_rewatch = any(other.watched_on and watched_on and other.watched_on < watched_on for other in known)
        row.watched_on = watched_on or row.watched_on
        row.is_rewatch = row.is_rewatch if is_rewatch is None else is_rewatch
        row.note = row.note if note is None else note
        row.save()
        remove_from_watchlist(user=user, movie=movie)
    return row, is_new


def change_viewing(viewing: Viewing, *, watched_on: date | None, is_rewatch: bool, note: str) -> Viewing:
    """Changes a viewing. Raises InvalidViewing if the movie already has a viewing on that day.

    Raises MovieNotFound, ViewingNotFound.
    """
    _check(watched_on)
    with changing(viewing.user, viewing.movie):
        if not Viewing.objects.select_for_update(no_key=True).filter(pk=viewing.pk).exists():
            raise ViewingNotFound  # otherwise it would be saved as a new viewing
        others = Viewing.objects.filter(user=viewing.user, movie=viewing.movie).exclude(pk=viewing.pk)
        if others.filter(watched_on=watched_on).exists():
            raise _invalid(_("Your diary already has %(movie)s on this day.") % {"movie": viewing.movie.title})
        viewing.watched_on, viewing.is_rewatch, viewing.note = watched_on, is_rewatch, note
        viewing.save()
    return viewing


def write_note(*, user: User, movie: Movie, text: str) -> None:
    """Replaces the user's note about the movie. Empty text deletes it. Raises MovieNotFound, UserNotFound."""
    with changing(user, movie):
        if text:
            Note.objects.update_or_create(user=user, movie=movie, defaults={"text": text})
        else:
            Note.objects.filter(user=user, movie=movie).delete()


def _check(day: date | None) -> None:
    latest = (timezone.now() + timedelta(hours=14)).date()  # today in the easternmost time zone
    if day and not date(FIRST_YEAR, 1, 1) <= day <= latest:
        raise _invalid(_("Enter a date between %(year)s and today.") % {"year": FIRST_YEAR})


def _invalid(message: str) -> InvalidViewing:
    return InvalidViewing(message, fields={"watched_on": [message]})
