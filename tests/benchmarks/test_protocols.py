import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from benchmarks.protocols import auc, hide_cold_movies, leave_ratings_out, rolling_weeks
from tests.recommender.evaluation.frames import generated_log, ratings_frame

rows = st.lists(
    st.tuples(st.integers(0, 9), st.integers(0, 6), st.integers(1, 10).map(lambda n: n / 2), st.integers(0, 70)),
    min_size=1,
    max_size=80,
)


@given(rows, st.sampled_from([0.5, 0.75, 0.9]))
def test_leave_ratings_out_keeps_each_movies_share(rows, share):
    ratings = ratings_frame(rows)
    split = leave_ratings_out(ratings, train_share=share)
    assert sorted([*split.train.index, *split.test.index]) == list(ratings.index)
    for movie, group in ratings.groupby("movie_id"):
        assert (split.train["movie_id"] == movie).sum() == round(share * len(group))


@given(rows)
def test_leave_ratings_out_is_the_published_rule_row_by_row(rows):
    ratings = ratings_frame(rows)
    np.random.seed(42)
    table = ratings.assign(draw=np.random.rand(len(ratings))).sort_values(["movie_id", "draw"])
    train = pd.concat([group.head(round(0.75 * len(group))) for _, group in table.groupby("movie_id")])
    assert sorted(train.index) == sorted(leave_ratings_out(ratings).train.index)


def test_leave_ratings_out_takes_ids_of_strings_and_any_index():
    ratings = generated_log()
    named = ratings.assign(movie_id="m" + ratings["movie_id"].astype(str).str.zfill(3)).set_index(ratings.index + 7)
    assert list(leave_ratings_out(named).train.index - 7) == list(leave_ratings_out(ratings).train.index)


@given(rows, st.integers(0, 5))
def test_cold_movies_have_no_row_left_in_train(rows, seed):
    ratings = ratings_frame(rows)
    split = hide_cold_movies(ratings, seed=seed)
    n_movies = ratings["movie_id"].nunique()
    expected = np.sort(
        np.sort(ratings["movie_id"].unique())[np.random.default_rng(seed).permutation(n_movies)][: int(0.2 * n_movies)]
    )
    assert split.cold_movies.tolist() == expected.tolist()
    assert set(split.test["movie_id"]) == set(split.cold_movies.tolist())
    assert not set(split.train["movie_id"]) & set(split.cold_movies.tolist())
    assert len(split.train) + len(split.test) == len(ratings)


@given(rows)
def test_weeks_are_the_last_ones_and_see_only_what_came_before(rows):
    ratings = ratings_frame(rows)
    end = ratings["rated_at"].max()
    for split in rolling_weeks(ratings, n_weeks=3):
        assert (split.train["rated_at"] <= split.cut).all()
        assert (split.test["rated_at"] > split.cut).all()
        assert (split.test["rated_at"] <= split.cut + pd.Timedelta(days=7)).all()
        assert split.cut in [end - pd.Timedelta(weeks=weeks) for weeks in (1, 2, 3)]
        assert len(split.train) and len(split.test)


def test_weeks_follow_each_other():
    ratings = ratings_frame([(1, day, 4.0, day) for day in range(30)])
    tested = [split.test["movie_id"].tolist() for split in rolling_weeks(ratings, n_weeks=3)]
    assert tested == [list(range(9, 16)), list(range(16, 23)), list(range(23, 30))]


def test_ties_in_time_keep_the_order_of_the_rows():
    ratings = ratings_frame([(1, 5, 4.0, 1), (1, 3, 4.0, 1), (1, 4, 4.0, 1), (1, 9, 4.0, 0), (2, 1, 4.0, 30)])
    (split,) = rolling_weeks(ratings, n_weeks=1)
    assert split.train["movie_id"].tolist() == [9, 5, 3, 4]


@given(
    st.lists(st.tuples(st.integers(-3, 3), st.booleans()), min_size=2, max_size=30).filter(
        lambda rows: len({relevant for _, relevant in rows}) == 2
    )
)
def test_auc_agrees_with_scikit_learn_ties_included(rows):
    scores, relevant = np.array([row[0] for row in rows], dtype=float), np.array([row[1] for row in rows])
    assert auc(scores[None], relevant[None]) == pytest.approx([roc_auc_score(relevant, scores)])


def test_auc_is_half_for_equal_scores_and_unknown_without_hits():
    assert auc(np.zeros((2, 3)), np.array([[True, False, False], [False] * 3])) == pytest.approx(
        [0.5, np.nan], nan_ok=True
    )
