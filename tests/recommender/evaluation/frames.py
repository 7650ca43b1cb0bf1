"""Small generated logs, and recommenders that know everything or nothing."""

import numpy as np
import pandas as pd

START = pd.Timestamp("2024-01-01")


def ratings_frame(rows):
    """rows: (user_id, movie_id, rating, day)."""
    frame = pd.DataFrame(rows, columns=["user_id", "movie_id", "rating", "day"])
    frame["rated_at"] = START + pd.to_timedelta(frame.pop("day"), unit="D")
    return frame


def generated_log(n_users=60, n_movies=40, per_user=15, seed=0):
    """Two camps of users, each liking the movies of one parity; users arrive one after the other."""
    rng = np.random.default_rng(seed)
    rows = []
    for user in range(n_users):
        own = np.arange(user % 2, n_movies, 2)
        weights = 1 / np.arange(1, len(own) + 1)
        liked = rng.choice(own, size=per_user, replace=False, p=weights / weights.sum())
        day = 5 * user + np.sort(rng.random(per_user)) * 100
        rows += [(user, int(movie), float(rng.integers(7, 11)) / 2, d) for movie, d in zip(liked, day, strict=True)]
    return ratings_frame(rows)


class Ranking:
    """The recommender's methods over any function (user or None, history) -> {movie: score}."""

    scores_new_movies = False

    def __init__(self, score):
        self.score = score

    def fit(self, dataset):
        self.movies = dataset.movie_ids[dataset.is_rated].tolist()
        rows = dataset.ratings.tocsr()
        self.seen = {
            user: dict.fromkeys(dataset.movie_ids[rows[i].indices].tolist(), 1.0)
            for i, user in enumerate(dataset.user_ids.tolist())
        }
        return self

    def with_movies(self, movies):
        return self

    def _lists(self, users, histories, k, candidates, exclude_seen):
        rows = []
        for key, user, history in users:
            scores = self.score(user, history)
            pool = self.movies if candidates is None else candidates
            pool = [movie for movie in pool if not (exclude_seen and movie in history)]
            best = sorted(pool, key=lambda movie: (-scores.get(movie, 0.0), movie))[:k]
            rows += [(key, movie, scores.get(movie, 0.0), rank) for rank, movie in enumerate(best, start=1)]
        return pd.DataFrame(rows, columns=["user_id", "movie_id", "score", "rank"])

    def recommend(self, user_ids, k=10, exclude_seen=True, candidates=None):
        users = [(user, user, self.seen.get(user, {})) for user in user_ids]
        return self._lists(users, None, k, candidates, exclude_seen)

    def recommend_for_history(self, histories, k=10, exclude_seen=True, candidates=None):
        users = [(number, None, history) for number, history in enumerate(histories)]
        return self._lists(users, None, k, candidates, exclude_seen)

    def predict_ratings(self, user_ids, movie_ids):
        return np.full((len(user_ids), len(movie_ids)), 4.0)
