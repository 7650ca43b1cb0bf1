"""Unusual data gives a clear error or finite lists, never a crash or NaN."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from recommender.estimators import ESTIMATORS, Dataset
from tests.recommender.estimators.fitted_models import assert_lists

pytestmark = pytest.mark.ml_test("I2")

IDS = (
    st.integers(-3, 3),
    st.integers(2**63 - 2, 2**63 + 2),
    st.sampled_from(["a", "10", "9", "tt0111161", "é"]),
)
TEXTS = st.sampled_from([None, float("nan"), "", "War and peace", "Война и мир"])
LISTS = st.sampled_from([None, float("nan"), [], ["Drama"], ["Drama", "War"], "", ["", None]])
DATES = st.sampled_from([None, pd.NaT, "1925-12-24", pd.Timestamp("2030-01-01")])
METADATA = {
    "title": TEXTS,
    "release_date": DATES,
    "genres": LISTS,
    "keywords": LISTS,
    "cast": LISTS,
    "directors": LISTS,
    "countries": LISTS,
    "overview": TEXTS,
    "language": TEXTS,
}


@st.composite
def logs(draw: st.DrawFn) -> tuple[pd.DataFrame, pd.DataFrame | None, float | None]:
    users, movies = draw(st.sampled_from(IDS)), draw(st.sampled_from(IDS))
    scale = draw(st.sampled_from([[0.5, 3.0, 5.0], [4.0], [0.0, 7.0, 10.0], [-1.0, 1.0], [1e300, -1e300]]))
    rows = draw(st.lists(st.tuples(users, movies, st.sampled_from(scale)), min_size=1, max_size=12))
    ratings = pd.DataFrame(rows, columns=["user_id", "movie_id", "rating"])
    if draw(st.booleans()):
        days = draw(st.lists(st.integers(0, 400), min_size=len(rows), max_size=len(rows)))
        ratings["rated_at"] = pd.Timestamp("2020-01-01", tz="UTC") + pd.to_timedelta(days, unit="D")
    described = draw(st.lists(movies, max_size=4))  # some of them twice
    columns = {"movie_id": pd.Series(described, dtype=object)}
    for name, values in METADATA.items():
        if draw(st.booleans()):
            cells = draw(st.lists(values, min_size=len(described), max_size=len(described)))
            columns[name] = pd.Series(cells, dtype=object)
    metadata = pd.DataFrame(columns) if draw(st.booleans()) else None
    return ratings, metadata, draw(st.sampled_from([None, 3.0]))


@pytest.mark.parametrize("algorithm", sorted(ESTIMATORS))
@given(log=logs())
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_log_gives_finite_lists_or_a_clear_error(algorithm: str, log: Any) -> None:
    ratings, metadata, threshold = log
    ds = Dataset.from_frames(ratings, metadata, threshold)
    if not ds.positives.nnz:
        with pytest.raises(ValueError, match="nothing to learn from"):
            ESTIMATORS[algorithm]().fit(ds)
        return
    model = ESTIMATORS[algorithm]().fit(ds)
    users, movies = ds.user_ids.tolist(), ds.movie_ids.tolist()
    lists = model.recommend(users, k=3, exclude_seen=False, candidates=movies)
    assert_lists(lists, 3)
    assert set(lists["user_id"].tolist()) == set(users)
    assert set(lists["movie_id"].tolist()) <= set(movies)
    assert np.isfinite(model.score_candidates(users, movies)).all()
    stars = model.predict_ratings(users, movies)
    assert ((stars >= 0.5) & (stars <= 5)).all()
    assert np.isfinite(model.similar(movies, k=2)["score"]).all()
    assert_frame_equal(
        ESTIMATORS[algorithm]().fit(ds).recommend(users, k=3, exclude_seen=False, candidates=movies), lists
    )
    reasons = model.explain(users[0], movies[-1])
    expected = model.score_candidates(users[:1], movies[-1:])[0, 0]
    assert reasons["contribution"].sum() == pytest.approx(expected, rel=1e-4, abs=1e-6)


def one_user() -> pd.DataFrame:
    return pd.DataFrame({"user_id": [1] * 5, "movie_id": range(5), "rating": [4.0] * 5})


def one_movie() -> pd.DataFrame:
    return pd.DataFrame({"user_id": range(5), "movie_id": [1] * 5, "rating": [4.0] * 5})


@pytest.mark.parametrize("algorithm", sorted(ESTIMATORS))
@pytest.mark.parametrize("log", [one_user, one_movie, lambda: one_user().tail(1)])
def test_one_user_or_one_movie_is_enough(algorithm: str, log: Any) -> None:
    ds = Dataset.from_frames(log())
    lists = ESTIMATORS[algorithm]().fit(ds).recommend(["nobody"], k=10)
    assert_lists(lists, 10)
    assert len(lists) == ds.n_movies
    assert lists["user_id"].tolist() == ["nobody"] * ds.n_movies


@pytest.mark.parametrize("algorithm", sorted(ESTIMATORS))
def test_new_movies_of_any_description_are_taken_in(algorithm: str) -> None:
    """Ids on both sides of the known ones, an id twice, and metadata that is missing in every way."""
    ratings = pd.DataFrame({"user_id": ["a", "b", "b"], "movie_id": ["m", "m", "n"], "rating": [4.0, 3.0, 5.0]})
    described = pd.DataFrame({"movie_id": ["m", "n"], "genres": [["Drama"], ["War"]], "overview": ["far away", None]})
    model = ESTIMATORS[algorithm]().fit(Dataset.from_frames(ratings, described))
    odd = pd.DataFrame(
        {
            "movie_id": ["z", "a", "z", "q"],
            "title": [None, "", float("nan"), "Война и мир"],
            "genres": [None, ["Drama", "Drama"], "War|Drama", ["Unheard"]],
            "release_date": [None, "1925-12-24", pd.NaT, "2030-01-01"],
        }
    )
    grown = model.with_movies(odd)
    lists = grown.recommend(["a", "nobody"], k=9, candidates=["a", "m", "n", "q", "z"], exclude_seen=False)
    assert_lists(lists, 9)
    assert lists["user_id"].value_counts().to_dict() == {"a": 5, "nobody": 5}
    assert np.isfinite(grown.predict_ratings(["a"], ["z", "q"])).all()


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), None, "good"])
def test_a_rating_that_is_no_number_is_refused_by_name(bad: object) -> None:
    ratings = pd.DataFrame({"user_id": [1, 1], "movie_id": [1, 2], "rating": pd.Series([4.0, bad], dtype=object)})
    with pytest.raises(ValueError, match="rating: row 1"):
        Dataset.from_frames(ratings)
