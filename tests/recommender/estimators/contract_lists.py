"""The part of the contract on learning, lists and histories."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from recommender.estimators import ESTIMATORS, Dataset
from tests.recommender.estimators.data import checkerboard, tastes
from tests.recommender.estimators.fitted_models import (
    MOVIES,
    UNRATED,
    assert_lists,
    assert_same_answers,
    build,
    dataset,
    fitted,
    rated_by,
)


class ListsContract:
    # -- learning ------------------------------------------------------------------------------------------------

    def test_finds_the_one_right_answer_on_a_checkerboard(self, algorithm: str) -> None:
        model = build(algorithm).fit(checkerboard())
        lists = model.recommend(range(24), k=1)
        assert lists["movie_id"].tolist() == list(range(24))

    def test_gives_the_same_lists_for_the_same_seed(self, algorithm: str) -> None:
        assert_same_answers(fitted(algorithm), build(algorithm).fit(dataset()))

    def test_refits_from_scratch_on_a_second_fit(self, algorithm: str) -> None:
        model = build(algorithm).fit(checkerboard())
        model.similar([1])  # fills caches that the second fit must drop
        assert_same_answers(fitted(algorithm), model.fit(dataset()))

    def test_refuses_an_unknown_hyper_parameter_by_name(self, algorithm: str) -> None:
        with pytest.raises(TypeError, match=r"unknown hyper-parameter regularisation_x.*random_state"):
            ESTIMATORS[algorithm](regularisation_x=1)

    def test_refuses_a_seed_below_zero(self, algorithm: str) -> None:
        with pytest.raises(ValueError, match="random_state"):
            ESTIMATORS[algorithm](random_state=-1)

    def test_refuses_to_answer_before_fit(self, algorithm: str) -> None:
        with pytest.raises(RuntimeError, match="call fit first"):
            ESTIMATORS[algorithm]().recommend([1])

    def test_refuses_data_without_a_positive(self, algorithm: str) -> None:
        ratings, movies = tastes()
        with pytest.raises(ValueError, match="no rating reaches implicit_threshold"):
            build(algorithm).fit(Dataset.from_frames(ratings, movies, implicit_threshold=9))
        with pytest.raises(ValueError, match="no ratings"):
            build(algorithm).fit(Dataset.from_frames(ratings[:0], movies))

    # -- lists ---------------------------------------------------------------------------------------------------

    @pytest.mark.parametrize("k", [1, 3, 1000])
    def test_lists_are_ranked_and_at_most_k_long(self, algorithm: str, k: int) -> None:
        lists = fitted(algorithm).recommend([100, 101, 102], k=k)
        assert_lists(lists, k)
        assert set(lists["user_id"]) == {100, 101, 102}

    def test_fills_k_rows_whatever_is_left_out(self, algorithm: str) -> None:
        candidates = MOVIES[:20]
        dismissed = {movie for movie in MOVIES[:6] if movie not in rated_by(100)}
        lists = fitted(algorithm).recommend([100], k=1000, candidates=candidates, exclude=[dismissed])
        assert_lists(lists, 1000)
        assert set(lists["movie_id"]) == set(candidates) - dismissed - set(rated_by(100))
        three = fitted(algorithm).recommend([100], k=3, candidates=candidates, exclude=[dismissed])
        assert three["movie_id"].tolist() == lists["movie_id"].tolist()[:3]

    def test_leaves_seen_movies_out_unless_asked_not_to(self, algorithm: str) -> None:
        model = fitted(algorithm)
        assert not set(model.recommend([100], k=99)["movie_id"]) & set(rated_by(100))
        assert set(model.recommend([100], k=99, exclude_seen=False)["movie_id"]) == set(MOVIES[:-4])

    def test_excludes_one_set_a_user(self, algorithm: str) -> None:
        histories = [{}, {}]
        lists = fitted(algorithm).recommend_for_history(histories, k=99, exclude=[{0, 7}, set()])
        of_first, of_second = (set(lists[lists.user_id == user]["movie_id"]) for user in (0, 1))
        assert of_second - of_first == {0, 7}
        with pytest.raises(ValueError, match="exclude: expected one set of movie ids for each of 2 users"):
            fitted(algorithm).recommend_for_history(histories, exclude=[{0}])

    def test_ranks_only_movies_rated_at_fit_unless_others_are_named(self, algorithm: str) -> None:
        model = fitted(algorithm)
        assert not set(model.recommend([5], k=99)["movie_id"]) & set(UNRATED)
        assert set(model.recommend([5], k=99, candidates=UNRATED)["movie_id"]) == set(UNRATED)

    def test_gives_no_rows_for_no_candidates_or_no_users(self, algorithm: str) -> None:
        for empty in (
            fitted(algorithm).recommend([100], candidates=[]),
            fitted(algorithm).recommend([]),
            fitted(algorithm).recommend_for_history([]),
        ):
            assert list(empty.columns) == ["user_id", "movie_id", "score", "rank"]
            assert len(empty) == 0

    def test_names_unknown_movies(self, algorithm: str) -> None:
        model = fitted(algorithm)
        for ask in (
            lambda: model.recommend([100], candidates=[0, 4711]),
            lambda: model.recommend([100], exclude=[{4711}]),
            lambda: model.recommend_for_history([{4711: 5.0}]),
            lambda: model.score_candidates([100], [4711]),
            lambda: model.predict_ratings([100], [4711]),
            lambda: model.similar([4711]),
            lambda: model.explain(100, 4711),
        ):
            with pytest.raises(ValueError, match="4711"):
                ask()

    @pytest.mark.parametrize("k", [0, -1, 1.5, "10", True, None])
    def test_refuses_a_k_that_is_no_positive_whole_number(self, algorithm: str, k: Any) -> None:
        with pytest.raises(ValueError, match="k: expected a positive whole number"):
            fitted(algorithm).recommend([100], k=k)

    def test_ties_go_by_movie_id(self, algorithm: str) -> None:
        """Movies that only differ by id: the same people rated them, the metadata is the same."""
        rows = [(user, movie, 4.0) for user in range(6) for movie in (30, 10, 20, 40) if (user, movie) != (0, 40)]
        ratings = pd.DataFrame(rows, columns=["user_id", "movie_id", "rating"])
        lists = build("popularity").fit(Dataset.from_frames(ratings)).recommend([99], k=4)
        assert lists["movie_id"].tolist() == [10, 20, 30, 40]
        scores = build(algorithm).fit(Dataset.from_frames(ratings))
        frame = scores.recommend([99], k=4)
        expected = frame.sort_values(["score", "movie_id"], ascending=[False, True])["movie_id"]
        assert frame["movie_id"].tolist() == expected.tolist()

    # -- histories -----------------------------------------------------------------------------------------------

    def test_gives_an_unknown_user_the_list_of_an_empty_history(self, algorithm: str) -> None:
        unknown = fitted(algorithm).recommend([31337], k=9)
        empty = fitted(algorithm).recommend_for_history([{}], k=9)
        assert len(unknown) == 9
        assert_frame_equal(unknown.drop(columns="user_id"), empty.drop(columns="user_id"))

    def test_gives_a_known_user_the_list_of_their_own_history(self, algorithm: str) -> None:
        known = fitted(algorithm).recommend([100, 117], k=9)
        folded = fitted(algorithm).recommend_for_history([rated_by(100), rated_by(117)], k=9)
        assert known["movie_id"].tolist() == folded["movie_id"].tolist()
        np.testing.assert_allclose(known["score"], folded["score"], rtol=1e-5, atol=1e-9)

    def test_a_rating_counts_in_the_next_list_of_a_personal_model(self, algorithm: str) -> None:
        scores = fitted(algorithm).recommend_for_history([{0: 5.0}, {7: 5.0}], k=99, exclude_seen=False)
        of_first, of_second = (scores[scores.user_id == user]["score"].tolist() for user in (0, 1))
        assert (of_first != of_second) == ESTIMATORS[algorithm].is_personal

    @pytest.mark.parametrize("rating", [float("nan"), float("inf"), "good", None])
    def test_refuses_a_history_with_a_rating_that_is_no_number(self, algorithm: str, rating: Any) -> None:
        with pytest.raises(ValueError, match="histories: entry 1"):
            fitted(algorithm).recommend_for_history([{0: 5.0}, {7: rating}])

    def test_a_rating_below_the_threshold_is_seen_but_no_positive(self, algorithm: str) -> None:
        ratings, movies = tastes()
        ratings = pd.concat([ratings, ratings.tail(1).assign(user_id=900, movie_id=0, rating=1.0)])
        model = build(algorithm).fit(Dataset.from_frames(ratings, movies, implicit_threshold=3.5))
        lists = model.recommend([900, 901], k=99)
        assert 0 not in set(lists[lists.user_id == 900]["movie_id"])
        assert 0 in set(lists[lists.user_id == 901]["movie_id"])
