"""Ratings of people with tastes, without a database. Each person likes three of ten kinds of movies."""

import numpy as np
import pandas as pd

from recommender.estimators import Dataset

N_USERS, N_KINDS, KIND_SIZE = 80, 10, 10


def ratings_of_tastes(seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    rows = []
    for user in range(N_USERS):
        kinds = rng.choice(N_KINDS, 3, replace=False)
        movies = [kind * KIND_SIZE + int(n) + 1 for kind in kinds for n in rng.permutation(KIND_SIZE)[:6]]
        rows += [(user, movie, float(rng.choice([3.5, 4.0, 5.0]))) for movie in movies]
    frame = pd.DataFrame(rows, columns=["user_id", "movie_id", "rating"])
    frame["rated_at"] = pd.Timestamp("2026-01-01", tz="UTC") + pd.to_timedelta(
        rng.uniform(0, 200, len(frame)), unit="D"
    )
    return frame


def dataset_of_tastes(seed: int = 0) -> Dataset:
    return Dataset.from_frames(ratings_of_tastes(seed))
