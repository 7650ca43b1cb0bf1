"""Verifies reasons by removing the named rating and requesting the list again."""

import copy
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from recommender.estimators import ALGORITHMS, Dataset
from recommender.estimators.hybrid import HybridRecommender
from recommender.estimators.interactions import unit_rows
from recommender.estimators.reranker import NOW
from tests.recommender.estimators.data import tastes
from tests.recommender.estimators.fitted_models import MOVIES, UNRATED, dataset, fitted, rated_by

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


def test_the_score_falls_by_what_an_attribution_says() -> None:
    """The rating is taken out of the inputs, and the movie is scored again with the weights of the whole history."""
    checked = 0
    for user, movie, score in served():
        history = rated_by(user)
        found = model().attribute(history, [movie])
        column = int(found.parts[0].argmax())
        rest = without(model().with_weights_of(history), found.rated_ids[column])
        fell = score - rest.recommend_for_history([history], k=1, candidates=[movie])["score"].iloc[0]
        assert found.falls[0, column] == pytest.approx(fell, abs=5e-5)
        checked += fell > 0.01
    assert checked > 150


def without(held: HybridRecommender, rated: int) -> HybridRecommender:
    """The model with that movie counting nothing in any history."""
    [column] = held._item_idx([rated], "rated")
    for name in ("collaborative_", "content_"):
        component = copy.copy(getattr(held, name))
        if column in component.modelled_:
            keep = np.arange(len(component.modelled_)) != np.searchsorted(component.modelled_, column)
            if name == "collaborative_":
                component.weights_ = csr_matrix(component.weights_.toarray() * keep[:, None])
            else:
                component.vectors_ = component.vectors_ * keep[:, None]
        setattr(held, name, component)
    return held


def test_parts_and_the_blend_make_the_score() -> None:
    users = list(USERS)[:5]
    movies = model().movie_ids_
    for user in users:
        row = model()._from_mappings([rated_by(user)])
        own = model()._reranker.weights_of(row, model().item_features_)
        personal = model().attribute(rated_by(user), movies).personal_scores
        score = model()._reranker.personal(own, personal[None])[0] + own[0, NOW:] @ model().item_features_
        evidence = model()._tastes.evidence(model()._positives(row))
        score += (model()._taste_weights(row) * model()._tastes.match(*evidence, np.arange(len(movies))))[0]
        expected = model().score_candidates([user], movies)[0]
        np.testing.assert_allclose(score + 1e-6 * model()._prior_share, expected, rtol=1e-4, atol=1e-5)


def test_neighbors_are_those_of_who_rated_both_and_of_metadata(monkeypatch) -> None:
    monkeypatch.setattr("recommender.estimators.attribution.N_NEIGHBORS", 3)
    ratings, _ = tastes()
    raters = ratings.groupby("movie_id")["user_id"].agg(set)
    nearest = copy.copy(model())
    nearest._neighbors = {}
    for movie in raters.index[:6]:
        [column] = nearest._item_idx([movie], "movie")
        near = nearest.neighbors(column)
        shared = raters.drop(movie).map(lambda users: len(users & raters[movie]) / len(users) ** 0.5)  # noqa: B023
        rows = unit_rows(dataset().movie_features[1]).toarray()
        alike = rows @ rows[column]
        alike[column] = 0
        assert 3 <= len(near) <= 6
        assert set(shared.nlargest(2).index) <= set(nearest.movie_ids_[near].tolist())
        assert set(alike.argsort()[-2:]) <= set(near.tolist())


HISTORIES = st.dictionaries(st.sampled_from(MOVIES), st.sampled_from([0.5, 2.0, 3.5, 4.0, 5.0]), max_size=12)


@pytest.mark.parametrize("algorithm", [name for name in ALGORITHMS if name != "hybrid"])  # whose blend is not linear
@settings(max_examples=25, deadline=None)
@given(history=HISTORIES)
def test_parts_sum_to_what_is_personal_of_a_score(algorithm: str, history: dict[int, float]) -> None:
    of = fitted(algorithm)
    found = of.attribute(history, MOVIES)
    assert found.parts.shape == found.falls.shape == found.is_near.shape == (len(MOVIES), len(history))
    assert sorted(found.rated_ids) == sorted(history)
    lists = of.recommend_for_history([history, {}], k=99, exclude_seen=False, candidates=MOVIES)
    scores, empty = (lists[lists.user_id == at].set_index("movie_id")["score"].loc[MOVIES] for at in (0, 1))
    is_scored = np.array([of.scores_new_movies or movie not in UNRATED for movie in MOVIES])
    np.testing.assert_allclose(found.personal_scores[is_scored], (scores - empty)[is_scored], rtol=1e-3, atol=5e-5)
    assert not found.parts[~is_scored].any()
