from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from recommender.estimators import Dataset
from tests.recommender.estimators.data import ratings_frame, tastes

ROWS = [(1, 10, 4.0), (1, 20, 2.0), (2, 20, 5.0), (3, 30, 0.0)]


def frame(**columns: list[object]) -> pd.DataFrame:
    return pd.DataFrame(columns)


def value(ds: Dataset, user: object, movie: object) -> float:
    row, column = ds.user_ids.tolist().index(user), ds.movie_ids.tolist().index(movie)
    return float(ds.ratings[row, column])


def test_without_threshold_all_ratings_are_positive_even_zero() -> None:
    ds = Dataset.from_frames(ratings_frame(ROWS))
    assert ds.ratings.nnz == ds.positives.nnz == 4
    assert ds.positives.toarray().tolist() == [[1, 1, 0], [0, 1, 0], [0, 0, 1]]
    assert ds.is_rated.all()


def test_positives_reach_the_threshold_and_the_others_stay_seen() -> None:
    ds = Dataset.from_frames(ratings_frame(ROWS), implicit_threshold=4)
    assert ds.positives.toarray().tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 0]]
    assert ds.ratings.nnz == 4
    assert ds.is_rated.tolist() == [True, True, True]
    assert ds.popularity.tolist() == [1, 1, 0]


def test_threshold_is_exact_for_ratings_that_float32_rounds() -> None:
    ds = Dataset.from_frames(ratings_frame([(1, 1, 3.3), (1, 2, 3.2)]), implicit_threshold=3.3)
    assert ds.positives.toarray().tolist() == [[1, 0]]


def test_movies_come_from_ratings_and_metadata_sorted_by_id() -> None:
    ds = Dataset.from_frames(ratings_frame(ROWS), frame(movie_id=[40, 10], title=["New", "Old"]))
    assert ds.movie_ids.tolist() == [10, 20, 30, 40]
    assert ds.movies["movie_id"].tolist() == [10, 20, 30, 40]
    assert ds.titles == ["Old", "", "", "New"]
    assert ds.is_rated.tolist() == [True, True, True, False]


def test_latest_duplicate_rating_wins_then_the_last_row() -> None:
    rows = [(1, 10, 1.0), (1, 10, 2.0), (1, 20, 3.0), (1, 20, 4.0)]
    ds = Dataset.from_frames(ratings_frame(rows, days=[5, 1, 2, 2]))
    assert ds.ratings.nnz == 2
    assert value(ds, 1, 10) == 1.0
    assert value(ds, 1, 20) == 4.0


def test_duplicates_without_times_go_by_row_order() -> None:
    ratings = ratings_frame([(1, 10, 1.0), (1, 10, 2.0)]).drop(columns="rated_at")
    assert value(Dataset.from_frames(ratings), 1, 10) == 2.0


def test_the_last_row_of_a_movie_wins() -> None:
    ds = Dataset.from_frames(ratings_frame(ROWS), frame(movie_id=[10, 10], title=["First", "Second"]))
    assert ds.titles[0] == "Second"


def test_row_order_index_extra_columns_and_time_unit_are_ignored() -> None:
    ratings, movies = tastes()
    plain = Dataset.from_frames(ratings, movies)
    for unit in ("s", "ms", "us", "ns"):
        other = ratings.assign(rated_at=ratings["rated_at"].dt.as_unit("s").dt.as_unit(unit), extra="x")
        shuffled = other.sample(frac=1, random_state=3).set_index("extra")
        again = Dataset.from_frames(shuffled, movies.sample(frac=1, random_state=4).assign(votes=3))
        seconds = Dataset.from_frames(ratings.assign(rated_at=ratings["rated_at"].dt.as_unit("s")), movies)
        assert again.fingerprint() == seconds.fingerprint()
    assert plain.fingerprint() == Dataset.from_frames(ratings.copy(), movies.copy()).fingerprint()


@pytest.mark.parametrize(
    "change",
    [
        lambda ratings, movies: (ratings.assign(rating=ratings["rating"].where(ratings.index > 0, 1.25)), movies),
        lambda ratings, movies: (ratings.iloc[1:], movies),
        lambda ratings, movies: (ratings.assign(rated_at=ratings["rated_at"] + pd.Timedelta("1s")), movies),
        lambda ratings, movies: (ratings, movies.assign(title=movies["title"] + "!")),
        lambda ratings, movies: (ratings, movies.drop(columns="genres")),
        lambda ratings, movies: (ratings, None),
    ],
)
def test_the_fingerprint_changes_with_the_content(change) -> None:
    frames = tastes()
    assert Dataset.from_frames(*change(*frames)).fingerprint() != Dataset.from_frames(*frames).fingerprint()


def test_times_are_utc_whether_they_say_so_or_not() -> None:
    moment = datetime(2021, 3, 1, 12, tzinfo=UTC)
    naive = ratings_frame(ROWS[:1]).assign(rated_at=[moment.replace(tzinfo=None)])
    aware = ratings_frame(ROWS[:1]).assign(rated_at=pd.to_datetime([moment]).tz_convert("Asia/Tokyo"))
    text = ratings_frame(ROWS[:1]).assign(rated_at=["2021-03-01T12:00:00Z"])
    for ratings in (naive, aware, text):
        ds = Dataset.from_frames(ratings)
        assert ds.now == int(moment.timestamp()) * 10**9
        assert ds.rated_at.dtype == np.int64


def test_missing_and_constant_times_say_nothing() -> None:
    ratings = ratings_frame(ROWS)
    for given in (
        ratings.drop(columns="rated_at"),
        ratings.assign(rated_at=pd.NaT),
        ratings.assign(rated_at=pd.Timestamp("2020-01-01")),
    ):
        assert not Dataset.from_frames(given).has_times
    assert Dataset.from_frames(ratings).has_times


def test_a_single_missing_time_counts_as_the_oldest() -> None:
    ratings = ratings_frame(ROWS)
    ratings.loc[2, "rated_at"] = pd.NaT
    ds = Dataset.from_frames(ratings)
    assert ds.rated_at[2] == ds.rated_at.min()


def test_refuses_numbers_for_times() -> None:
    with pytest.raises(ValueError, match=r"rated_at: expected dates and times, got int64.*unit='s'"):
        Dataset.from_frames(ratings_frame(ROWS).assign(rated_at=[1, 2, 3, 4]))


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), None, "good"])
def test_names_row_and_column_of_a_rating_that_is_no_number(bad: object) -> None:
    ratings = ratings_frame(ROWS).astype({"rating": object}).set_index(pd.Index([7, 7, 7, 7]))
    ratings.iloc[2, 2] = bad
    with pytest.raises(ValueError, match=r"rating: row 2: .* is not a finite number"):
        Dataset.from_frames(ratings)


@pytest.mark.parametrize("column", ["user_id", "movie_id"])
@pytest.mark.parametrize("bad", [None, float("nan"), 1.5, "", True, b"x"])
def test_names_row_and_column_of_a_bad_id(column: str, bad: object) -> None:
    ratings = ratings_frame(ROWS).astype({column: object})
    ratings.loc[1, column] = bad
    with pytest.raises(ValueError, match=f"{column}: row 1: .* is not an id"):
        Dataset.from_frames(ratings)


def test_refuses_ints_and_strings_in_one_column_or_in_two_frames() -> None:
    with pytest.raises(ValueError, match="movie_id: ids must be all ints or all strings"):
        Dataset.from_frames(ratings_frame([(1, 10, 4.0), (1, "tt1", 4.0)]))
    with pytest.raises(ValueError, match="movie_id: ids must be all ints or all strings"):
        Dataset.from_frames(ratings_frame(ROWS), frame(movie_id=["10"]))


@pytest.mark.parametrize(
    "ids",
    [[3, 1, 2], [2**62, -5, 0], [2**70, 1, -(2**65)], [2**63, 2**63 + 1, 5], ["b", "a", "tt0001"], ["10", "9", "x"]],
)
def test_ids_come_back_sorted_and_of_the_same_type(ids: list[int] | list[str]) -> None:
    ds = Dataset.from_frames(frame(user_id=ids, movie_id=ids[::-1], rating=[1.0, 2.0, 3.0]))
    for found in (ds.user_ids.tolist(), ds.movie_ids.tolist()):
        assert found == sorted(ids)
        assert {type(one) for one in found} == {type(ids[0])}
    assert value(ds, ids[0], ids[2]) == 1.0


def test_reads_ids_of_any_column_type() -> None:
    expected = Dataset.from_frames(ratings_frame(ROWS)).fingerprint()
    for kind in ("int32", "uint8", "uint64", "Int64", "float64", "category", object):
        ratings = ratings_frame(ROWS).astype({"user_id": kind, "movie_id": kind})
        assert Dataset.from_frames(ratings).fingerprint() == expected


def test_every_column_but_the_id_of_a_movie_may_be_missing() -> None:
    ds = Dataset.from_frames(ratings_frame(ROWS), frame(movie_id=[10]))
    first = ds.movies.iloc[0]
    assert [first[name] for name in ("title", "overview", "language")] == ["", "", ""]
    assert [first[name] for name in ("genres", "keywords", "cast", "directors", "countries")] == [[], [], [], [], []]
    assert pd.isna(first["release_date"])


def test_missing_values_of_every_kind_are_one() -> None:
    given = frame(
        movie_id=[1, 2, 3, 4],
        title=[None, float("nan"), "", pd.NA],
        genres=[None, float("nan"), [], ["", None]],
        release_date=[None, pd.NaT, "", float("nan")],
    )
    ds = Dataset.from_frames(frame(user_id=[1], movie_id=[1], rating=[3]), given)
    assert ds.movies["title"].tolist() == [""] * 4
    assert ds.movies["genres"].tolist() == [[]] * 4
    assert ds.movies["release_date"].isna().all()


def test_lists_may_be_arrays_tuples_or_joined_by_a_bar() -> None:
    genres = [np.array(["A", "B"]), ("A", "B"), {"B", "A"}, "A|B"]
    ds = Dataset.from_frames(ratings_frame([(1, 1, 1.0)]), frame(movie_id=[1, 2, 3, 4], genres=genres))
    assert ds.movies["genres"].tolist() == [["A", "B"]] * 4


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_release_dates_of_any_unit_are_dates(unit: str) -> None:
    dates = pd.Series(pd.to_datetime(["1999-03-31", None])).dt.as_unit(unit)
    ds = Dataset.from_frames(ratings_frame([(1, 1, 1.0)]), frame(movie_id=[1, 2]).assign(release_date=dates))
    assert ds.movies["release_date"].iloc[0] == pd.Timestamp("1999-03-31")
    assert pd.isna(ds.movies["release_date"].iloc[1])


def test_names_the_row_of_a_release_date_that_is_none() -> None:
    with pytest.raises(ValueError, match="release_date: row 1: 'soon' is not a date"):
        Dataset.from_frames(ratings_frame(ROWS), frame(movie_id=[10, 20], release_date=["1999-03-31", "soon"]))
    with pytest.raises(ValueError, match="release_date: row 0: 1999 is not a date"):
        Dataset.from_frames(ratings_frame(ROWS), frame(movie_id=[10], release_date=[1999]))


def test_names_a_missing_column_and_what_is_no_frame() -> None:
    with pytest.raises(ValueError, match="ratings: missing column rating"):
        Dataset.from_frames(frame(user_id=[1], movie_id=[1]))
    with pytest.raises(ValueError, match="movies: missing column movie_id"):
        Dataset.from_frames(ratings_frame(ROWS), frame(id=[1]))
    with pytest.raises(ValueError, match="ratings: expected a pandas DataFrame, got list"):
        Dataset.from_frames([(1, 1, 1.0)])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="implicit_threshold"):
        Dataset.from_frames(ratings_frame(ROWS), implicit_threshold=float("nan"))


def test_no_ratings_make_a_dataset_of_movies_alone() -> None:
    ds = Dataset.from_frames(ratings_frame(ROWS)[:0], frame(movie_id=["b", "a"]))
    assert ds.movie_ids.tolist() == ["a", "b"]
    assert (ds.n_users, ds.ratings.nnz, ds.now, ds.has_times) == (0, 0, 0, False)


def test_keeping_some_ratings_keeps_users_movies_and_times() -> None:
    ds = Dataset.from_frames(ratings_frame(ROWS))
    part = ds.keep(ds.rated_at < ds.now)
    assert part.ratings.shape == ds.ratings.shape
    assert part.ratings.nnz == 3
    assert part.rated_at.tolist() == sorted(ds.rated_at.tolist())[:3]
    assert part.is_rated.tolist() == [True, True, False]


def test_the_given_frames_stay_as_they_were() -> None:
    ratings, movies = tastes()
    before = ratings.copy(deep=True), movies.copy(deep=True)
    Dataset.from_frames(ratings, movies)
    pd.testing.assert_frame_equal(ratings, before[0])
    pd.testing.assert_frame_equal(movies, before[1])
