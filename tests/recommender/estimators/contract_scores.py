"""The part of the contract on scores, similar movies and reasons."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from recommender.estimators import Dataset
from recommender.estimators.base import Recommender
from recommender.estimators.ranking import round_scores
from tests.recommender.estimators.data import checkerboard, tastes
from tests.recommender.estimators.fitted_models import (
    MOVIES,
    UNRATED,
    assert_lists,
    assert_same_list,
    build,
    fitted,
    rated_by,
    rated_by_users,
)


class ScoresContract:
    # -- scores --------------------------------------------------------------------------------------------------

    def test_scores_every_movie_finitely_and_excludes_nothing(self, algorithm: str) -> None:
        scores = fitted(algorithm).score_candidates([100, 5, 100], MOVIES)
        assert scores.shape == (3, len(MOVIES))
        assert np.isfinite(scores).all()
        np.testing.assert_allclose(scores[0], scores[2], rtol=1e-6)

    def test_lists_show_the_scores_of_score_candidates(self, algorithm: str) -> None:
        lists = fitted(algorithm).recommend([100], k=6)
        scores = fitted(algorithm).score_candidates([100], lists["movie_id"])
        np.testing.assert_allclose(scores[0], lists["score"], rtol=1e-5, atol=1e-9)

    def test_scores_are_the_same_alone_and_in_a_batch(self, algorithm: str) -> None:
        users = sorted(rated_by_users())
        batch = fitted(algorithm).score_candidates(users, MOVIES)
        for row, user in enumerate(users):
            np.testing.assert_array_equal(fitted(algorithm).score_candidates([user], MOVIES)[0], batch[row])
        for column, movie in enumerate(MOVIES):
            np.testing.assert_array_equal(fitted(algorithm).score_candidates(users, [movie])[:, 0], batch[:, column])

    def test_a_list_is_the_same_alone_and_in_a_batch(self, algorithm: str) -> None:
        users = sorted(rated_by_users())
        batch = fitted(algorithm).recommend(users, k=99)
        for user in users:
            alone = fitted(algorithm).recommend([user], k=99)
            assert_same_list(batch[batch.user_id == user], alone)
            folded = fitted(algorithm).recommend_for_history([rated_by(user)], k=99)
            assert_same_list(folded, alone)

    def test_exclude_only_takes_movies_out_of_a_list(self, algorithm: str) -> None:
        for user in (100, 117, 5):
            whole = fitted(algorithm).recommend([user], k=99)
            for first in (1, 4, 9):
                dismissed = set(whole["movie_id"][:first])
                rest = fitted(algorithm).recommend([user], k=99, exclude=[dismissed])
                assert_same_list(rest, whole[first:])

    def test_candidates_keep_their_scores_and_order(self, algorithm: str) -> None:
        for user in (100, 117, 5):
            whole = fitted(algorithm).recommend([user], k=99, candidates=MOVIES)
            for candidates in (MOVIES[:3], MOVIES[::2], MOVIES[-6:], [MOVIES[11]]):
                few = fitted(algorithm).recommend([user], k=99, candidates=candidates)
                assert_same_list(few, whole[whole["movie_id"].isin(candidates)])

    def test_scores_have_the_stated_precision(self, algorithm: str) -> None:
        model = fitted(algorithm)
        model_scores = model.score_candidates([100], MOVIES)[0] - model.popularity_prior * model._prior_share
        np.testing.assert_allclose(round_scores(model_scores, model.score_bits), model_scores, rtol=1e-9, atol=1e-12)

    def test_explains_the_score_of_the_list(self, algorithm: str) -> None:
        lists = fitted(algorithm).recommend([100, 117, 139], k=2)
        for row in lists.itertuples():
            reasons = fitted(algorithm).explain(row.user_id, row.movie_id)
            assert reasons["contribution"].sum() == pytest.approx(row.score, rel=1e-12, abs=1e-15)

    def test_similar_movies_are_the_same_for_one_and_many(self, algorithm: str) -> None:
        many = fitted(algorithm).similar(MOVIES, k=99)
        for movie in MOVIES:
            own = many[many.movie_id == movie].reset_index(drop=True)
            assert_frame_equal(fitted(algorithm).similar([movie], k=99), own, check_exact=True)

    def test_unscored_new_movies_get_the_minimum(self, algorithm: str) -> None:
        model = fitted(algorithm)
        scores = model.score_candidates([100, 5], MOVIES)
        lowest = scores[:, :-4].min(axis=1)
        if model.scores_new_movies:
            assert len(np.unique(scores[0, -4:])) > 1  # they differ by metadata
        else:
            np.testing.assert_allclose(scores[:, -4:], np.repeat(lowest[:, None], 4, axis=1), atol=1e-5)

    def test_predicted_stars_stay_within_the_rating_scale(self, algorithm: str) -> None:
        stars = fitted(algorithm).predict_ratings([100, 5], MOVIES)
        ratings = tastes()[0]["rating"]
        assert stars.shape == (2, len(MOVIES))
        assert stars.min() >= ratings.min()
        assert stars.max() <= ratings.max()

    def test_predicts_more_stars_for_what_is_rated_higher(self, algorithm: str) -> None:
        rows = [(user, movie, stars) for user in range(30) for movie, stars in ((1, 5.0), (2, 1.0), (3, 3.0))]
        ratings = pd.DataFrame(rows, columns=["user_id", "movie_id", "rating"])
        good, bad, fair = build(algorithm).fit(Dataset.from_frames(ratings)).predict_ratings([0], [1, 2, 3])[0]
        assert good > fair + 1 > bad + 2

    # -- similar, explain ----------------------------------------------------------------------------------------

    def test_similar_movies_are_ranked_and_other_than_the_movie(self, algorithm: str) -> None:
        frame = fitted(algorithm).similar([0, 7, 0], k=5)
        assert list(frame.columns) == ["movie_id", "similar_id", "score", "rank"]
        assert frame["movie_id"].tolist() == [0] * 5 + [7] * 5
        assert (frame["movie_id"] != frame["similar_id"]).all()
        renamed = frame.set_axis(["user_id", "movie_id", "score", "rank"], axis=1)
        assert_lists(renamed, 5)

    def test_similar_movies_share_their_audience(self, algorithm: str) -> None:
        frame = build(algorithm).fit(checkerboard()).similar([4], k=5)
        assert set(frame["similar_id"] % 2) == {0}

    def test_similar_answers_for_a_movie_without_ratings(self, algorithm: str) -> None:
        frame = fitted(algorithm).similar([UNRATED[0]], k=3)
        assert len(frame) == 3
        assert np.isfinite(frame["score"]).all()

    @pytest.mark.parametrize("asked", [100, {0: 5.0, 14: 4.5, 7: 1.0}, {}, 31337])
    def test_reasons_sum_to_the_score(self, algorithm: str, asked: Any) -> None:
        model = fitted(algorithm)
        history = asked if isinstance(asked, dict) else rated_by(asked)
        reasons = model.explain(asked, 21)
        assert list(reasons.columns) == ["kind", "id", "name", "contribution"]
        assert set(reasons[reasons.kind == "movie"]["id"]) == set(history)
        assert (reasons["kind"] == "interaction").sum() == 1
        score = _score_of(model, history, 21)
        assert reasons["contribution"].sum() == pytest.approx(score, rel=1e-5, abs=1e-7)
        assert _score_of(model.with_weights_of(history), history, 21) == score

    def test_a_movie_s_reason_is_what_the_score_loses_without_it(self, algorithm: str) -> None:
        model, history = fitted(algorithm), rated_by(103)
        reasons = model.explain(103, 21)
        for row in reasons[reasons.kind == "movie"].itertuples():
            rest = {movie: rating for movie, rating in history.items() if movie != row.id}
            lost = _score_of(model, history, 21) - _score_of(model, rest, 21)
            assert row.contribution == pytest.approx(lost, rel=1e-3, abs=1e-5)
        assert set(reasons[reasons.kind == "movie"]["name"]) == {f"Film {movie}" for movie in history}

    def test_each_movie_s_parts_are_the_same_alone_and_in_a_list(self, algorithm: str) -> None:
        model, history = fitted(algorithm), rated_by(103)
        whole = model.attribute(history, MOVIES)
        for row, movie in enumerate(MOVIES):
            alone = model.attribute(history, [movie])
            np.testing.assert_allclose(alone.parts[0], whole.parts[row], rtol=1e-4, atol=1e-6)
            np.testing.assert_array_equal(alone.is_near[0], whole.is_near[row])


def _score_of(model: Recommender, history: dict[int, float], movie: int) -> float:
    lists = model.recommend_for_history([history], k=1, exclude_seen=False, candidates=[movie])
    return float(lists["score"].iloc[0])
