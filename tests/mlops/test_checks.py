"""One test for each rule, with a row that breaks it."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from mlops.checks import check_frames, without_bad_rows

NOW = datetime(2026, 1, 1, tzinfo=UTC)


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
        {"movie_id": [10, 11], "title": ["Alien", "Brazil"], "release_date": pd.to_datetime(["1979-05-25", None])}
    )
    return ratings, movies


def test_good_data_has_no_failure():
    report = check_frames(*frames(), now=NOW)

    assert (report.n_rows, report.n_bad, report.reasons) == (5, 0, {})


@pytest.mark.parametrize(
    ("column", "value", "rule"),
    [
        ("rating", 7.0, "rating is not one of 0.5 to 5 in halves"),
        ("rating", 3.3, "rating is not one of 0.5 to 5 in halves"),
        ("rating", np.nan, "rating is not finite"),
        ("rating", np.inf, "rating is not finite"),
        ("movie_id", 99, "rating of an unknown movie"),
        ("rated_at", pd.Timestamp(NOW + timedelta(days=2)), "rated in the future"),
    ],
)
def test_a_bad_rating_is_found(column, value, rule):
    ratings, movies = frames()
    ratings.loc[1, column] = value

    report = check_frames(ratings, movies, now=NOW)

    assert report.reasons[rule] == 1
    assert report.bad_ratings == {1}


def test_a_second_rating_of_a_movie_is_found_and_the_later_one_stays():
    ratings, movies = frames()
    ratings.loc[2, "user_id"] = 1

    report = check_frames(ratings, movies, now=NOW)

    assert report.reasons == {"a user rated a movie twice": 1}
    assert report.bad_ratings == {0}


def test_bad_movies_are_found():
    ratings, movies = frames()
    movies.loc[0, "title"] = ""
    movies = pd.concat([movies, movies.iloc[[1]]], ignore_index=True)

    report = check_frames(ratings, movies, now=NOW)

    assert report.reasons == {"movie without a title": 1, "a movie is there twice": 1}
    assert report.bad_movies == {0, 1}


def test_a_column_of_another_type_makes_every_row_bad():
    ratings, movies = frames()
    ratings["rating"] = ratings["rating"].astype(str)

    assert check_frames(ratings, movies, now=NOW).bad_ratings == {0, 1, 2}


def test_all_failures_are_collected_and_left_out():
    ratings, movies = frames()
    ratings.loc[0, "rating"] = 9.0
    ratings.loc[1, "movie_id"] = 99

    report = check_frames(ratings, movies, now=NOW)
    kept, _ = without_bad_rows(ratings, movies, report)

    assert report.bad_share == pytest.approx(2 / 5)
    assert report.sentence() == "rating is not one of 0.5 to 5 in halves: 1 rows; rating of an unknown movie: 1 rows"
    assert kept["user_id"].tolist() == [2]
