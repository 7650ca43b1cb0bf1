"""The learnt form of the hybrid's re-ranker."""

import copy
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recommender.estimators import Dataset, load_recommender, tune_reranker
from recommender.estimators.hybrid import HybridRecommender
from recommender.estimators.item_features import ITEM_FEATURES
from recommender.estimators.reranker import (
    PARTS,
    PERSONAL_PARTS,
    USER_FEATURES,
    Examples,
    Reranker,
    learn_weights,
    signed_sqrt,
)

ITEMS = {"regularization": 20.0, "metadata_weight": 0.0, "user_exponent": 0.0, "residual_weight": 0.0}
ITEMS |= {"history_weight": 0.0, "content_regularization": 1.0, "content_steepness": 0.5}
DAYS = 84
CLASSICS = range(30)


def test_probabilities_follow_the_form_of_the_scores() -> None:
    """The learnt form's scores are log probabilities; the plain one's are roots, counted from 0 or the lowest."""
    plain = Reranker.plain(0.1)
    np.testing.assert_allclose(plain.probabilities(np.array([0.6, 0.3])), [0.36, 0.09])
    np.testing.assert_allclose(plain.probabilities(np.array([0.6, -0.3])), [0.81, 0])

    weights = np.zeros_like(plain.weights)
    weights[1:, 0] = 1
    learnt = Reranker(weights, plain.user_features)
    np.testing.assert_allclose(learnt.probabilities(np.log([0.4, 0.1])), [1, 0.25])


@cache
def two_kinds(n_users: int = 700, seed: int = 0) -> Dataset:
    """Even users rate what came out in the last weeks, two movies a week; odd ones one of thirty classics."""
    rng = np.random.default_rng(seed)
    days = rng.uniform(0, DAYS, (n_users, 8))
    users = np.broadcast_to(np.arange(n_users)[:, None], days.shape)
    classics = np.minimum(rng.exponential(12, days.shape).astype(int), CLASSICS[-1])
    current = len(CLASSICS) + np.maximum((2 * days / 7).astype(int) - rng.integers(6, size=days.shape), 0)
    movies = np.where(users % 2, classics, current)
    start = pd.Timestamp("2020-01-01")
    ratings = pd.DataFrame({"user_id": users.ravel(), "movie_id": movies.ravel(), "rating": 5.0})
    ratings["rated_at"] = start + pd.to_timedelta(days.ravel(), unit="D")
    catalogue = np.arange(len(CLASSICS) + 2 * DAYS // 7)
    released = np.maximum((catalogue - len(CLASSICS)) * 3.5, 0)
    dates = [start - pd.Timedelta(days=9000)] * len(CLASSICS)
    dates += list(start + pd.to_timedelta(released[len(CLASSICS) :], unit="D"))
    return Dataset.from_frames(ratings, pd.DataFrame({"movie_id": catalogue, "release_date": dates}))


@cache
def learnt() -> HybridRecommender:
    """Read-only."""
    return HybridRecommender(**ITEMS).fit(two_kinds())


def test_is_learnt_where_it_ranks_late_weeks_no_worse() -> None:
    assert learnt().best_params_["validation"] == "time"
    assert learnt().best_params_["reranker"] is True


def test_is_given_up_where_it_ranks_late_weeks_worse(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the users of the latest windows had turned against what was learnt from the ones before."""
    monkeypatch.setattr(tune_reranker._Window, "gain", lambda window, reranker: -window.scored.quality(window.plain))
    model = HybridRecommender(**ITEMS).fit(two_kinds())
    assert model.best_params_["reranker"] is False
    assert not model.reranker_weights_[1:].any()


def test_novelty_seekers_get_new_movies_and_others_get_classics() -> None:
    lists = learnt().recommend_for_history([{42: 5.0, 46: 5.0, 47: 5.0}, {2: 5.0, 9: 5.0, 12: 5.0}], k=4)
    of_first, of_second = (set(lists[lists.user_id == user]["movie_id"]) for user in (0, 1))
    assert all(movie >= 48 for movie in of_first)
    assert all(movie in CLASSICS for movie in of_second)


def test_the_plain_form_remains_on_request_and_needs_no_windows() -> None:
    given = ITEMS | {"half_life_days": 7.0, "popularity_weight": 0.1, "cold_user_weight": 0.5}
    model = HybridRecommender(**given, reranker=False).fit(two_kinds())
    assert model.best_params_ == {}
    assert not model.reranker_weights_[1:].any()


def test_too_few_windows_keep_the_plain_form_even_on_request() -> None:
    few = Dataset.from_frames(pd.DataFrame({"user_id": range(9), "movie_id": [1, 2, 3] * 3, "rating": 5.0}))
    model = HybridRecommender(
        **ITEMS, half_life_days=7.0, popularity_weight=0.1, cold_user_weight=0.5, reranker=True
    ).fit(few)
    assert not model.reranker_weights_[1:].any()


def test_a_learnt_model_is_the_same_after_saving(tmp_path: Path) -> None:
    learnt().save(tmp_path / "model")
    loaded = load_recommender(tmp_path / "model")
    np.testing.assert_array_equal(
        loaded.score_candidates(range(9), range(54)), learnt().score_candidates(range(9), range(54))
    )


def test_reasons_are_what_the_learnt_score_loses() -> None:
    history = {2: 5.0, 46: 5.0, 50: 4.0}
    reasons = learnt().explain(history, 52).set_index("id")["contribution"]
    score = _score(history, 52)
    assert reasons.sum() == pytest.approx(score, rel=1e-5)
    for movie in history:
        rest = {other: rating for other, rating in history.items() if other != movie}
        assert reasons[movie] == pytest.approx(score - _score(rest, 52), abs=1e-5)


def test_reasons_do_not_blame_a_rating_for_the_activity_it_shows() -> None:
    """Active users score what is popular lower here: without a rating every score rises, whatever the rating says."""
    model, history = copy.copy(learnt()), {2: 5.0, 4: 5.0}
    model._forget(fitted=False)
    model.reranker_weights_ = learnt().reranker_weights_.copy()
    model.reranker_weights_[1 + USER_FEATURES.index("activity"), PARTS.index("trend_inf")] = -9
    served = model.explain(history, 3)
    held = model.with_weights_of(history).explain(history, 3)
    assert (served[served.kind == "movie"]["contribution"] < 0).all()
    assert (held[held.kind == "movie"]["contribution"] > 0).all()
    assert held["contribution"].sum() == pytest.approx(served["contribution"].sum(), rel=1e-6)


def test_novelty_seekers_prefer_the_younger_of_later_movies() -> None:
    later = pd.DataFrame({"movie_id": [901, 902], "release_date": ["2020-03-20", "1990-01-01"]})
    lists = (
        learnt().with_movies(later).recommend_for_history([{46: 5.0, 50: 5.0}, {2: 5.0, 9: 5.0}], candidates=[901, 902])
    )
    score = lists.set_index(["user_id", "movie_id"])["score"]
    assert score[0, 901] - score[0, 902] > score[1, 901] - score[1, 902] + 0.1


def test_learns_the_weights_that_made_the_choices() -> None:
    rng = np.random.default_rng(0)
    n_users, n_movies = 3000, 12
    parts = rng.normal(size=(n_users, n_movies, len(PARTS))).astype(np.float32)
    user_features = rng.normal(size=(n_users, len(USER_FEATURES)))
    true = np.zeros((1 + len(USER_FEATURES), len(PARTS)))
    true[0, :3] = 1.0, -0.5, 0.3
    true[2, PERSONAL_PARTS[-1]] = 0.8
    own = true[0] + user_features @ true[1:]
    utility = np.einsum("uk,umk->um", own, parts) + rng.gumbel(size=(n_users, n_movies))
    answers = utility == utility.max(axis=1, keepdims=True)
    reranker = learn_weights(
        Examples(parts, user_features, np.ones_like(answers), answers), np.zeros(len(USER_FEATURES))
    )
    np.testing.assert_allclose(reranker.weights, true, atol=0.12)


def test_the_plain_form_is_the_root_plus_the_weighted_trend() -> None:
    own = Reranker.plain(0.25).weights
    assert own[0, PARTS.index("root")] == 1
    assert own[0, PARTS.index("now")] == 0.25
    assert np.count_nonzero(own) == 2
    assert signed_sqrt(np.array([4.0, -9.0])).tolist() == [2, -3]
    assert len(PARTS) == 3 + len(ITEM_FEATURES)


def _score(history: dict[int, float], movie: int) -> float:
    lists = learnt().recommend_for_history([history], k=1, exclude_seen=False, candidates=[movie])
    return float(lists["score"].iloc[0])
