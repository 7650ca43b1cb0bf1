"""A generated catalogue with people of real tastes; no database, no Django."""

import numpy as np
import pandas as pd

from catalog.sample.catalogue import make_catalogue
from catalog.sample.tastes import make_ratings


def generate(*, users: int, movies: int, ratings: int, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Ratings (user_id, movie_id, rating, rated_at) in order of time, and movies with all their metadata.

    Same numbers and seed, same result. Raises ValueError when the numbers do not go together.
    """
    if users < 1 or movies < 1 or ratings < 0:
        raise ValueError(f"expected at least 1 user, 1 movie and 0 ratings; got {users}, {movies} and {ratings}")
    if ratings > (most := users * max(movies // 2, 1)):
        raise ValueError(
            f"{ratings:,} ratings are too many: {users:,} users rate half of {movies:,} movies, {most:,} in all"
        )
    rng = np.random.default_rng(seed)
    catalogue = make_catalogue(movies, rng)
    return make_ratings(catalogue, users=users, ratings=ratings, rng=rng), catalogue.frame
