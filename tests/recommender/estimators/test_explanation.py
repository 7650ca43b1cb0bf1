"""Reasons held against what they claim: the named rating is taken away, and the list is asked again."""

from functools import cache

import numpy as np
import pytest

from recommender.estimators import Dataset
from recommender.estimators.hybrid import HybridRecommender
from tests.recommender.estimators.data import tastes
from tests.recommender.estimators.fitted_models import UNRATED, rated_by

USERS = range(100, 140)


@cache
def model(popularity_weight: float = 0.1) -> HybridRecommender:
    given = {"regularization": 2.0, "metadata_weight": 1.0, "user_exponent": 0.25, "half_life_days": 30.0}
    of_content = {"content_regularization": 1.0, "content_steepness": 0.5}
    of_what_is_popular = {"popularity_weight": popularity_weight, "cold_user_weight": 10 * popularity_weight}
    fitted = HybridRecommender(**given, **of_content, **of_what_is_popular)
    return fitted.fit(Dataset.from_frames(*tastes()))


def served() -> list[tuple[int, int, float]]:
    """200 served items: of each user four movies that others rated and a new one, with the score of the list."""
    found = []
    for k, candidates in ((4, None), (1, UNRATED)):
        lists = model().recommend(USERS, k=k, candidates=candidates)
        found += list(zip(lists["user_id"], lists["movie_id"], lists["score"], strict=True))
    return found


def test_scores_fall_by_the_contribution_of_the_removed_reason() -> None:
    items = served()
    assert len(items) == 200
    said, fell, scores, sums = [], [], [], []
    for user, movie, score in items:
        reasons = model().explain(user, movie)
        first = reasons[reasons.kind == "movie"].iloc[0]
        rest = {rated: stars for rated, stars in rated_by(user).items() if rated != first["id"]}
        again = model().recommend_for_history([rest], k=1, candidates=[movie])
        said.append(first["contribution"])
        fell.append(score - again["score"].iloc[0])
        scores.append(score)
        sums.append(reasons["contribution"].sum())
    np.testing.assert_allclose(fell, said, atol=1e-5)
    np.testing.assert_allclose(sums, scores, atol=1e-5)
    assert np.median(said) > 0.01  # the first reason is a reason for it


@pytest.mark.parametrize("user", [100, 101, 102, 103])
def test_a_new_movie_s_score_falls_by_what_a_feature_said(user: int) -> None:
    """The movie is described again without its keyword, and scored again, by taste alone."""
    taste = model(popularity_weight=0.0)
    [movie] = taste.recommend([user], k=1, candidates=UNRATED)["movie_id"]
    reasons = taste.explain(user, movie).set_index("id")["contribution"]
    described = tastes()[1].query("movie_id == @movie")
    bare = taste.with_movies(described.assign(keywords=[[]]))
    lost = taste.score_candidates([user], [movie]) - bare.score_candidates([user], [movie])
    [keyword] = described["keywords"].iloc[0]
    assert reasons[f"keyword:{keyword}"] == pytest.approx(float(lost[0, 0]), abs=1e-5)
