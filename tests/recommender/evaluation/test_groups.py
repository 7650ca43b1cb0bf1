import pandas as pd
import pytest

from recommender.evaluation.baselines import popularity_baselines
from recommender.evaluation.comparison import evaluate_on_cuts
from recommender.evaluation.slices import movie_groups, shares
from tests.mlops.tastes import ratings_of_tastes

MOVIES = pd.DataFrame(
    {
        "movie_id": [1, 2, 3, 4],
        "language": ["fr", "en", "en", ""],
        "genres": [["Drama"], ["Drama", "War"], [], None],
        "release_date": pd.to_datetime(["1999-12-31", "2000-01-01", None, "2009-06-01"]),
    }
)


def test_movies_belong_to_a_language_their_genres_and_a_decade():
    assert movie_groups(MOVIES) == {
        "decade 1990s": {1},
        "decade 2000s": {2, 4},
        "genre Drama": {1, 2},
        "genre War": {2},
        "language en": {2, 3},
        "language fr": {1},
    }


def test_small_groups_and_missing_columns_are_left_out():
    assert set(movie_groups(MOVIES, min_share=0.5)) == {"decade 2000s", "genre Drama", "language en"}
    assert movie_groups(MOVIES[["movie_id"]]) == {}


def test_shares_are_of_what_is_shown():
    shown = pd.Series([6, 3, 1], index=[1, 2, 9])

    assert shares(shown, {"a": frozenset({1, 2}), "b": frozenset({3})}) == {"a": 0.9, "b": 0.0}
    assert shares(pd.Series(dtype=int), {"a": frozenset({1})}) == {"a": 0.0}


@pytest.fixture(scope="module")
def comparison():
    return evaluate_on_cuts(popularity_baselines([30]), ratings_of_tastes(), cuts=[0.6])


def test_among_some_movies_only_those_count_as_right(comparison):
    whole, none = comparison["popular"], comparison.among([])["popular"]
    everything = comparison.among(range(1, 101))["popular"]

    assert everything.summary()["ndcg"] == whole.summary()["ndcg"]
    assert none.per_user().empty
    half = comparison.among(range(1, 51))
    assert 0 < len(half["popular"].per_user()) <= len(whole.per_user())
    assert half.difference("popular", "popular").mean == 0


def test_shown_movies_are_counted_in_the_last_list_of_each_user(comparison):
    shown = comparison["popular"].shown

    assert shown.sum() == 10 * comparison["popular"].lists["user_id"].nunique()
    assert set(shown.index) <= set(range(1, 101))
