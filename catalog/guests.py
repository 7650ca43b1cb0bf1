"""Ratings of guests. They are stored in the session and recorded when the guest signs up or signs in.

The receiver is connected when the site's URLs import this module, so it works on any page.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth.signals import user_logged_in
from django.contrib.sessions.backends.base import SessionBase
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import ngettext

from catalog.errors import MovieNotFound
from catalog.models import Movie, Rating, User
from catalog.models.movie import Marks
from catalog.services import mark_movies, record_rating, remove_rating

KEY = "guest_ratings"  # {movie id: [rating, seconds since 1970]}, latest last
MAX_RATINGS = 100  # if there are more, the oldest one is dropped


def guest_ratings(session: SessionBase) -> dict[int, float]:
    """Returns the guest's ratings, latest first."""
    rows = session.get(KEY, {})
    return {int(movie): rating for movie, (rating, _) in reversed(rows.items())}


def rate_as_guest(session: SessionBase, movie: Movie, rating: float | None) -> None:
    """Replaces the guest's rating of the movie, or removes it if it is None. The caller must validate the rating."""
    rows = {key: row for key, row in session.get(KEY, {}).items() if key != str(movie.pk)}
    if rating is not None:
        rows[str(movie.pk)] = [rating, int(timezone.now().timestamp())]
    session[KEY] = dict(list(rows.items())[-MAX_RATINGS:])


def rate_for(request: HttpRequest, movie: Movie, rating: float | None) -> None:
    """Records the rating for the account, or in the guest's session. None removes it."""
    if not request.user.is_authenticated:
        rate_as_guest(request.session, movie, rating)
    elif rating is None:
        remove_rating(user=request.user, movie=movie)
    else:
        record_rating(user=request.user, movie=movie, rating=rating)


def mark_for(request: HttpRequest, movies: Iterable[Movie]) -> None:
    """Sets `marks` of these movies for the current user or guest. Cards show them."""
    if request.user.is_authenticated:
        mark_movies(request.user, movies)
        return
    ratings = guest_ratings(request.session)
    for movie in movies:
        movie.marks = Marks(rating=ratings.get(movie.pk))


@receiver(user_logged_in)
def keep_guest_ratings(sender: Any, request: HttpRequest, user: User, **kwargs: Any) -> None:
    """Records the session's ratings for the account that signs in. Keeps existing ratings."""
    rows = request.session.get(KEY, {})
    movies = Movie.objects.in_bulk(int(key) for key in rows)
    rated = set(Rating.objects.filter(user=user, movie__in=movies).values_list("movie_id", flat=True))
    n_kept = 0
    for key, (rating, seconds) in rows.items():
        movie = movies.get(int(key))
        if movie is not None and movie.pk not in rated:
            n_kept += _keep(user, movie, rating, datetime.fromtimestamp(seconds, tz=UTC))
    request.session.pop(KEY, None)
    if n_kept:
        kept = (
            ngettext(
                "%d rating has been saved to your account.", ("%d ratings have been saved to your account."), n_kept
            )
            % n_kept
        )
        messages.success(request, kept, fail_silently=True)


def _keep(user: User, movie: Movie, rating: float, rated_at: datetime) -> bool:
    try:
        record_rating(user=user, movie=movie, rating=rating, rated_at=rated_at)
    except MovieNotFound:  # deleted meanwhile
        return False
    return True
