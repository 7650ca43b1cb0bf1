import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.estimators.columns import read_movies
from recommender.estimators.features import BLOCKS, MovieFeatures
from recommender.estimators.metadata_regression import regress_on_features

pytestmark = pytest.mark.ml_test("D7")

MOVIES = pd.DataFrame(
    {
        "movie_id": [1, 2, 3, 4],
        "title": ["Star Battle", "Star Peace", "The Wedding", ""],
        "release_date": pd.to_datetime(["1977-05-25", "1980-05-21", "2015-01-01", None]),
        "genres": [["War", "Drama"], ["War"], ["Comedy"], []],
        "keywords": [["space", "robot"], ["space"], ["bride"], []],
        "cast": [["Ann", "Bob"], ["Bob", "Ann"], ["Cid"], []],
        "directors": [["Eve"], ["Eve"], ["Flo"], []],
        "countries": [["US", "GB"], ["US"], ["FR"], []],
        "overview": ["far far away", "far from home", "a cake", ""],
        "language": ["en", "en", "fr", ""],
    }
)


def fitted(movies: pd.DataFrame = MOVIES) -> tuple[MovieFeatures, np.ndarray]:
    movies = read_movies(movies)
    features = MovieFeatures.fit(movies)
    return features, features.transform(movies).toarray()


def test_each_block_of_a_movie_weighs_what_its_kind_weighs() -> None:
    features, matrix = fitted()
    for kind, block in BLOCKS.items():
        columns = [column for column, (of_kind, _) in enumerate(features.names) if of_kind == kind]
        assert (matrix[0, columns] ** 2).sum() == pytest.approx(block.weight, rel=1e-5), kind


def test_movies_that_share_more_are_closer() -> None:
    matrix = fitted()[1]
    products = matrix @ matrix.T
    assert products[0, 1] > products[0, 2]
    assert not matrix[3].any()


def test_a_rare_genre_weighs_more_than_a_common_one() -> None:
    features, matrix = fitted()
    of = {name: matrix[0, column] for column, name in enumerate(features.names)}
    # idf log(1 + 4/1) for Drama against log(1 + 4/2) for War, in one movie
    assert of["genre", "Drama"] / of["genre", "War"] == pytest.approx(np.log(5) / np.log(3), rel=1e-5)


def test_the_first_of_the_cast_weighs_more_than_the_second() -> None:
    features, matrix = fitted()
    of = {name: matrix[0, column] for column, name in enumerate(features.names)}
    assert of["cast", "Ann"] / of["cast", "Bob"] == pytest.approx(np.sqrt(2), rel=1e-5)


def test_years_are_near_each_other_by_their_distance() -> None:
    dates = pd.to_datetime(["1990-01-01", "1993-01-01", "2005-01-01"])
    matrix = fitted(pd.DataFrame({"movie_id": [1, 2, 3], "release_date": dates}))[1]
    products = matrix @ matrix.T
    assert products[0, 1] > products[1, 2] >= 0
    assert products[0, 1] > 0.7


def test_a_person_or_keyword_of_one_movie_alone_is_no_feature() -> None:
    names = fitted()[0].names
    assert ("keyword", "space") in names
    assert ("keyword", "robot") not in names
    assert ("director", "Flo") not in names


@pytest.mark.parametrize("column", [name for name in MOVIES.columns if name != "movie_id"])
def test_every_column_may_be_missing(column: str) -> None:
    features, matrix = fitted(MOVIES.drop(columns=column))
    assert np.isfinite(matrix).all()
    assert matrix.any()
    kind = next(kind for kind, block in BLOCKS.items() if block.column == column)
    assert kind not in {of_kind for of_kind, _ in features.names}


def test_ids_alone_make_no_features() -> None:
    assert fitted(MOVIES[["movie_id"]])[1].shape == (4, 0)


def test_what_the_vocabulary_does_not_know_counts_nothing() -> None:
    features = fitted()[0]
    new = read_movies(pd.DataFrame({"movie_id": [9, 10], "genres": [["War", "Unheard"], ["Unheard"]]}))
    row, unknown = features.transform(new).toarray()
    assert (row**2).sum() == pytest.approx(BLOCKS["genre"].weight, rel=1e-5)
    assert not unknown.any()


def test_names_and_weights_are_the_whole_state() -> None:
    features, matrix = fitted()
    names = [list(name) for name in features.names]  # as JSON gives them back
    again = MovieFeatures(names, features.token_weights)
    np.testing.assert_array_equal(again.transform(read_movies(MOVIES)).toarray(), matrix)


def test_regression_gives_back_a_linear_law() -> None:
    matrix = fitted()[0].transform(read_movies(MOVIES))
    mean, weights = regress_on_features(matrix, np.array([1.0, 2.0, 4.0, 1.0]), 1e-9)
    np.testing.assert_allclose((mean + matrix @ weights)[:3], [1.0, 2.0, 4.0], atol=1e-3)


odd_text = st.one_of(st.none(), st.just(float("nan")), st.text(max_size=12))
odd_list = st.one_of(odd_text, st.lists(odd_text, max_size=3))
odd_date = st.one_of(st.none(), st.just(pd.NaT), st.datetimes(pd.Timestamp("1880-01-01"), pd.Timestamp("2100-01-01")))
odd_movie = st.tuples(odd_text, odd_date, odd_list, odd_list, odd_list, odd_list, odd_list, odd_text, odd_text)


@settings(max_examples=60, deadline=None)
@given(st.lists(odd_movie, min_size=1, max_size=6))
def test_odd_metadata_gives_finite_features(rows: list[tuple[object, ...]]) -> None:
    names = ["title", "release_date", "genres", "keywords", "cast", "directors", "countries", "overview", "language"]
    movies = pd.DataFrame(rows, columns=names, dtype=object).assign(movie_id=range(len(rows)))
    matrix = fitted(movies)[1]
    assert np.isfinite(matrix).all()
    assert (matrix >= 0).all()
