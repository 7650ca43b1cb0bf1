"""Users of benchmarks.serving."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from django.db.models import Count

from catalog.keys import create_sign_in_key
from catalog.models import Rating, User

N_USERS = 20  # the rate limit of the API is per user
MAX_RATINGS = 200


@contextmanager
def temporary_users(n: int = N_USERS) -> Iterator[list[str]]:
    """Yields the API keys of n temporary users, each with a copy of an existing user's ratings."""
    raters = User.objects.annotate(n_ratings=Count("ratings")).filter(n_ratings__gt=0).order_by("?")[:n]
    if not raters:
        raise SystemExit("There are no ratings: load the sample first (python manage.py load_sample).")
    made: list[User] = []
    try:
        for rater in raters:
            user = User.objects.create_user(username=f"benchmark-{secrets.token_hex(6)}")
            made.append(user)
            ratings = rater.ratings.all()[:MAX_RATINGS]
            Rating.objects.bulk_create(
                Rating(user=user, movie_id=row.movie_id, rating=row.rating, rated_at=row.rated_at) for row in ratings
            )
        yield [create_sign_in_key(user=user).key for user in made]
    finally:
        User.objects.filter(pk__in=[user.pk for user in made]).delete()
