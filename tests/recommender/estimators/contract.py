"""What every recommender must do, whatever its mathematics. Parametrise a subclass with `algorithm`."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from recommender.estimators import ESTIMATORS, ArtifactError, Dataset, artifact_checksum, load_recommender
from recommender.estimators.base import Recommender
from recommender.estimators.ranking import round_scores
from tests.artefact_files import flip_bit, rewrite_manifest
from tests.recommender.estimators.data import QUICK, checkerboard, tastes

MOVIES = [int(movie) for movie in np.arange(34) * 7]  # of which the last four have no rating
UNRATED = MOVIES[-4:]


def build(algorithm: str, **more: Any) -> Recommender:
    return ESTIMATORS[algorithm](**QUICK.get(algorithm, {}), **more)


@cache
def dataset(seed: int = 0) -> Dataset:
    return Dataset.from_frames(*tastes(seed))


@cache
def fitted(algorithm: str) -> Recommender:
    """Read-only: a test that changes a model builds its own."""
    return build(algorithm).fit(dataset())


def rated_by(user: int) -> dict[int, float]:
    ratings = tastes()[0]
    own = ratings[ratings.user_id == user]
    return dict(zip(own.movie_id.tolist(), own.rating.tolist(), strict=True))


def rated_by_users() -> set[int]:
    return {*tastes()[0]["user_id"].tolist(), 5}


def assert_same_list(one: pd.DataFrame, other: pd.DataFrame) -> None:
    """The same movies with the same scores, to the last bit, in the same order."""
    assert one["movie_id"].tolist() == other["movie_id"].tolist()
    assert one["score"].tolist() == other["score"].tolist()


def answers(model: Recommender) -> list[Any]:
    """Everything a model says, for comparing two of them."""
    users = [100, 101, 139, 5]
    return [
        model.recommend(users, k=7),
        model.recommend_for_history([{0: 5.0, 14: 4.5}, {}, {7: 0.5}], k=7),
        model.similar([0, 7], k=5),
        model.explain(100, 7),
        model.score_candidates(users, MOVIES),
        model.predict_ratings(users, MOVIES),
    ]


def assert_same_answers(one: Recommender, other: Recommender) -> None:
    for first, second in zip(answers(one), answers(other), strict=True):
        if isinstance(first, pd.DataFrame):
            assert_frame_equal(first, second, check_exact=True)
        else:
            np.testing.assert_array_equal(first, second)


def assert_lists(frame: pd.DataFrame, k: int) -> None:
    """Ranks 1..n with n <= k, scores that descend, no movie twice."""
    assert list(frame.columns) == ["user_id", "movie_id", "score", "rank"]
    for _, rows in frame.groupby("user_id"):
        assert rows["rank"].tolist() == list(range(1, len(rows) + 1))
        assert len(rows) <= k
        assert rows["score"].is_monotonic_decreasing
        assert rows["movie_id"].is_unique
    assert np.isfinite(frame["score"]).all()


class RecommenderContract:
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
        assert (of_first == of_second) == (algorithm == "popularity")

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

    # -- new movies ----------------------------------------------------------------------------------------------

    def test_takes_movies_in_after_fit(self, algorithm: str) -> None:
        model = fitted(algorithm)
        new = pd.DataFrame({"movie_id": [3, 5], "title": ["New War", "New Wedding"], "genres": [["War"], ["Comedy"]]})
        grown = model.with_movies(new)
        scores = grown.score_candidates([100, 5], [*MOVIES, 5, 3])
        assert np.isfinite(scores).all()
        np.testing.assert_allclose(scores[:, : len(MOVIES)], model.score_candidates([100, 5], MOVIES), atol=1e-6)
        assert set(grown.recommend([100], candidates=[3, 5])["movie_id"]) == {3, 5}
        assert len(grown.recommend_for_history([{3: 5.0}], k=4)) == 4
        assert grown.predict_ratings([100], [3]).shape == (1, 1)
        with pytest.raises(ValueError, match="unknown movie"):
            model.score_candidates([100], [3])
        for ask in (
            lambda one: one.recommend([100, 5], k=7),  # the new ones are no candidates unless named
            lambda one: one.recommend_for_history([{0: 5.0, 14: 4.5}, {}], k=7),
            lambda one: one.explain(100, 7),
        ):
            assert_frame_equal(ask(model), ask(grown), rtol=1e-5, atol=1e-6)

    def test_new_movies_are_kept_on_saving(self, algorithm: str, tmp_path: Path) -> None:
        grown = fitted(algorithm).with_movies(pd.DataFrame({"movie_id": [3], "genres": [["War"]]}))
        grown.save(tmp_path / "model")
        loaded = load_recommender(tmp_path / "model")
        np.testing.assert_array_equal(grown.score_candidates([100], [3, 7]), loaded.score_candidates([100], [3, 7]))

    def test_refuses_new_movies_with_ids_of_another_type(self, algorithm: str) -> None:
        with pytest.raises(ValueError, match="movie_id: ids must be all ints or all strings"):
            fitted(algorithm).with_movies(pd.DataFrame({"movie_id": ["tt1"]}))

    # -- saving --------------------------------------------------------------------------------------------------

    @pytest.mark.parametrize("mmap", [True, False])
    def test_saving_and_loading_changes_nothing(self, algorithm: str, tmp_path: Path, mmap: bool) -> None:
        fitted(algorithm).save(tmp_path / "model")
        loaded = load_recommender(tmp_path / "model", mmap=mmap)
        assert type(loaded) is ESTIMATORS[algorithm]
        assert loaded.config == fitted(algorithm).config
        assert_same_answers(fitted(algorithm), loaded)
        loaded.save(tmp_path / "again")
        assert artifact_checksum(tmp_path / "again") == artifact_checksum(tmp_path / "model")

    def test_saves_no_pickle(self, algorithm: str, tmp_path: Path) -> None:
        fitted(algorithm).save(tmp_path / "model")
        for path in (tmp_path / "model").iterdir():
            assert path.suffix in (".json", ".npy")
            if path.suffix == ".npy":
                np.load(path, allow_pickle=False)

    def test_refuses_a_changed_a_missing_and_a_newer_artefact(self, algorithm: str, tmp_path: Path) -> None:
        folder = tmp_path / "model"
        fitted(algorithm).save(folder)
        rewrite_manifest(folder, format_version=999)
        with pytest.raises(ArtifactError, match="format version 999 is newer"):
            load_recommender(folder)
        fitted(algorithm).save(folder)
        for path in sorted(folder.glob("*.npy")):
            content = flip_bit(path)
            with pytest.raises(ArtifactError, match="does not match"):
                load_recommender(folder)
            path.unlink()
            with pytest.raises(ArtifactError, match="missing"):
                load_recommender(folder)
            path.write_bytes(content)
        assert_same_answers(fitted(algorithm), load_recommender(folder))


def _score_of(model: Recommender, history: dict[int, float], movie: int) -> float:
    lists = model.recommend_for_history([history], k=1, exclude_seen=False, candidates=[movie])
    return float(lists["score"].iloc[0])
