"""Injects drift: three hundred new movies, and users whose ratings differ from earlier ones."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
from django.utils import timezone

from catalog.aggregates import rebuild_aggregates
from catalog.models import Movie, MovieGenre, Rating, User

N_MOVIES = 300
N_USERS, N_RATINGS_EACH = 120, 6
NEW_SHARE = 0.5  # share of the ratings for new movies


def inject_drift(seed: int = 0) -> dict[str, int]:
    """Writes the rows like an import, dated within the last hours."""
    rng = np.random.default_rng(seed)
    old = list(Movie.objects.order_by("-rating_count").values_list("pk", flat=True)[:100])
    now = timezone.now()
    movies = Movie.objects.bulk_create(
        Movie(title=f"Premiere {n}", search_title=f"premiere {n}", year=now.year, release_date=now.date())
        for n in range(N_MOVIES)
    )
    links = list(MovieGenre.objects.filter(movie__in=old).values_list("genre_id", flat=True))
    MovieGenre.objects.bulk_create(
        MovieGenre(movie=movie, genre_id=genre)
        for movie in movies
        for genre in {int(links[at]) for at in rng.integers(0, len(links), 2)}
    )
    users = list(User.objects.filter(ratings__isnull=False).distinct().order_by("-pk")[:N_USERS])
    rows: dict[tuple[int, int], Any] = {}
    for user in users:
        for _ in range(N_RATINGS_EACH):
            movie = movies[rng.integers(N_MOVIES)].pk if rng.random() < NEW_SHARE else old[rng.integers(len(old))]
            rated_at = now - timedelta(minutes=float(rng.uniform(1, 300)))
            stars = float(rng.choice([0.5, 1.0, 1.5, 5.0], p=[0.3, 0.3, 0.2, 0.2]))
            rows[user.pk, movie] = Rating(user=user, movie_id=movie, rating=stars, rated_at=rated_at)
    Rating.objects.bulk_create(
        rows.values(),
        update_conflicts=True,
        unique_fields=["user", "movie"],
        update_fields=["rating", "rated_at"],
    )
    rebuild_aggregates()
    return {"movies": len(movies), "ratings": len(rows), "users": len(users)}
