"""Tests each rule with a row that breaks it."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from mlops.data.checks import check_frames, without_bad_rows
from mlops.data.codes import Counted, DataProblem, RowRule
from mlops.data.validation import matrix_problems, null_problems, null_shares, shrinkage_problems
from mlops.findings import describe_all, title

pytestmark = pytest.mark.ml_test("D1")

NOW = datetime(2026, 1, 1, tzinfo=UTC)
GENRES = ["Horror", "Comedy"]


def frames() -> tuple[pd.DataFrame, pd.DataFrame]:
    ratings = pd.DataFrame(
        {
            "user_id": [1, 1, 2],
            "movie_id": [10, 11, 10],
            "rating": [4.0, 0.5, 5.0],
            "rated_at": pd.Series([NOW - timedelta(days=days) for days in (3, 2, 1)]).dt.as_unit("us"),
        }
    )
    movies = pd.DataFrame(
        {
            "movie_id": [10, 11],
            "title": ["Alien", "Brazil"],
            "release_date": pd.to_datetime(["1979-05-25", None]),
            "genres": [["Horror"], []],
            "language": ["en", ""],
        }
    )
    return ratings, movies


def test_good_data_has_no_failure():
    report = check_frames(*frames(), now=NOW, genres=GENRES)

    assert (report.n_rows, report.n_bad, report.reasons) == (5, 0, {})


@pytest.mark.parametrize(
    ("column", "value", "rule"),
    [
        ("rating", 7.0, RowRule.NOT_IN_STEPS),
        ("rating", 3.3, RowRule.NOT_IN_STEPS),
        ("rating", np.nan, RowRule.NOT_FINITE),
        ("rating", np.inf, RowRule.NOT_FINITE),
        ("movie_id", 99, RowRule.UNKNOWN_MOVIE),
        ("rated_at", pd.Timestamp(NOW + timedelta(days=2)), RowRule.IN_FUTURE),
        ("rated_at", pd.NaT, "column.missing:rated_at"),
    ],
)
def test_a_bad_rating_is_found(column, value, rule):
    ratings, movies = frames()
    ratings.loc[1, column] = value

    report = check_frames(ratings, movies, now=NOW, genres=GENRES)

    assert report.reasons[rule] == 1
    assert report.bad_ratings == {1: tuple(sorted(report.reasons))}


def test_of_two_ratings_of_a_movie_the_later_one_stays():
    ratings, movies = frames()
    ratings.loc[2, "user_id"] = 1

    report = check_frames(ratings, movies, now=NOW, genres=GENRES)

    assert report.reasons == {RowRule.RATED_TWICE: 1}
    assert set(report.bad_ratings) == {0}


def test_of_two_rows_of_a_movie_the_later_one_stays():
    ratings, movies = frames()
    movies = pd.concat([movies, movies.iloc[[1]]], ignore_index=True)

    report = check_frames(ratings, movies, now=NOW, genres=GENRES)

    assert report.bad_movies == {1: (RowRule.MOVIE_TWICE,)}


@pytest.mark.parametrize(
    ("column", "value", "rule"),
    [
        ("release_date", pd.Timestamp("1066-10-14"), RowRule.IMPLAUSIBLE_DATE),
        ("genres", ["Horror", "Horor"], RowRule.UNKNOWN_GENRE),
        ("language", "klingon", RowRule.UNKNOWN_LANGUAGE),
    ],
)
def test_a_bad_movie_is_found(column, value, rule):
    ratings, movies = frames()
    movies.at[0, column] = value

    report = check_frames(ratings, movies, now=NOW, genres=GENRES)

    assert report.bad_movies == {0: (rule,)}


def test_the_share_of_nulls_counts_movies_that_have_any_metadata():
    _, movies = frames()
    nothing = pd.DataFrame({"movie_id": [12], "title": [""], "genres": [[]], "language": [""]})
    movies = pd.concat([movies, nothing], ignore_index=True)

    shares = null_shares(movies)

    assert shares == {"title": 0.0, "release_date": 0.5, "genres": 0.5, "language": 0.5}
    assert null_problems(shares, {"release_date": 0.5}) == []
    (problem,) = null_problems(shares, {"release_date": 0.4, "title": 0.0})
    assert (problem.key, problem.figure, problem.threshold) == ("data.null_share:release_date", 0.5, 0.4)
    assert null_shares(nothing) == {}


def test_far_fewer_rows_than_in_the_last_snapshot_are_a_problem():
    before = {Counted.RATINGS: 1000, Counted.MOVIES: 50}

    assert shrinkage_problems({Counted.RATINGS: 500, Counted.MOVIES: 60}, before, 0.5) == []
    (problem,) = shrinkage_problems({Counted.RATINGS: 499, Counted.MOVIES: 60}, before, 0.5)
    assert (problem.key, problem.figure, problem.threshold) == ("data.shrinkage:data.ratings", 499, 500)


MATRIX = csr_matrix(np.array([[4.0, 0.5], [5.0, 0.0]]))


def broken(**parts) -> csr_matrix:
    """MATRIX with other insides, which scipy does not look at."""
    matrix = MATRIX.copy()
    for name, values in parts.items():
        setattr(matrix, name, np.array(values))
    return matrix


@pytest.mark.parametrize(
    ("matrix", "rule"),
    [
        (broken(data=[4.0, np.nan, 5.0]), DataProblem.MATRIX_NOT_FINITE),
        (broken(data=[4.0, np.inf, 5.0]), DataProblem.MATRIX_NOT_FINITE),
        (broken(indices=[0, 0, 0]), DataProblem.MATRIX_DUPLICATE),
        (broken(indices=[0, 7, 0]), DataProblem.MATRIX_OUTSIDE),
        (broken(indptr=[0, 3, 3]), DataProblem.MATRIX_EMPTY_USER),
        (csr_matrix(np.array([[4.0, 0.0], [5.0, 0.0]])), DataProblem.MATRIX_COUNT),
    ],
)
def test_a_bad_training_matrix_is_found(matrix, rule):
    assert matrix_problems(MATRIX, 3) == []
    assert rule in {problem.code for problem in matrix_problems(matrix, 3)}


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 3), st.integers(9, 12), st.sampled_from([0.5, 3.0, 5.0, 3.3, 7.0, np.nan, np.inf])),
        max_size=12,
    )
)
def test_what_is_left_after_the_bad_rows_is_good(rows):
    _, movies = frames()
    ratings = pd.DataFrame(rows, columns=["user_id", "movie_id", "rating"])
    ratings = ratings.astype({"user_id": "int64", "movie_id": "int64", "rating": "float64"})
    ratings["rated_at"] = pd.Series([NOW] * len(rows), dtype="datetime64[us, UTC]")

    report = check_frames(ratings, movies, now=NOW, genres=GENRES)
    kept, _ = without_bad_rows(ratings, movies, report)

    assert check_frames(kept, movies, now=NOW, genres=GENRES).n_bad == 0
    assert len(kept) == len(ratings) - len(report.bad_ratings)


def test_a_column_of_another_type_makes_every_row_bad():
    ratings, movies = frames()
    ratings["rating"] = ratings["rating"].astype(str)

    assert check_frames(ratings, movies, now=NOW, genres=GENRES).bad_ratings.keys() == {0, 1, 2}


def test_all_failures_are_collected_and_left_out():
    ratings, movies = frames()
    ratings.loc[0, "rating"] = 9.0
    ratings.loc[1, "movie_id"] = 99

    report = check_frames(ratings, movies, now=NOW, genres=GENRES)
    kept, _ = without_bad_rows(ratings, movies, report)

    assert report.bad_share == pytest.approx(2 / 5)
    assert report.reasons == {RowRule.NOT_IN_STEPS: 1, RowRule.UNKNOWN_MOVIE: 1}
    assert kept["user_id"].tolist() == [2]


@pytest.mark.wording
def test_problems_are_explained_in_sentences():
    problems = [
        *null_problems({"release_date": 0.5}, {"release_date": 0.4}),
        *shrinkage_problems({Counted.RATINGS: 499}, {Counted.RATINGS: 1000}, 0.5),
        *matrix_problems(csr_matrix(np.array([[4.0]])), 3),
    ]
    assert describe_all(problems) == (
        "50.0% of the movies with metadata have no release_date. The limit is 40.0% "
        "(data_checks.max_null_share in config.yaml). There are 499 ratings. At least 0.5 times the 1000 in the last "
        "valid snapshot are required (data_checks.min_row_ratio in config.yaml). "
        "The training matrix has 1 entries but there are 3 ratings."
    )


@pytest.mark.wording
def test_a_rule_about_a_column_names_the_column():
    assert (title("column.missing:rated_at"), title("column.wrong_type:rating")) == (
        "rated_at is missing",
        "rating has the wrong type",
    )
