"""Chooses titles to ask about: no repetition, deterministic, and informative about tastes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.estimators import ALGORITHMS, Elicitation, Recommender
from recommender.estimators.ids import keep_places
from tests.recommender.estimators.fitted_models import MOVIES, fitted

movies = st.sampled_from(MOVIES)
stars = st.sampled_from([half / 2 for half in range(1, 11)])


@pytest.fixture(scope="module")
def elicitation() -> Elicitation:
    return Elicitation(fitted("ease"))


@settings(max_examples=60)
@given(ratings=st.dictionaries(movies, stars), not_seen=st.sets(movies), k=st.integers(1, 40))
def test_what_was_answered_is_not_asked_again(elicitation, ratings, not_seen, k):
    chosen = elicitation.choose(ratings, not_seen, k)
    left = set(elicitation.titles) - set(ratings) - not_seen
    assert len(chosen) == len(set(chosen)) == min(k, len(left))
    assert set(chosen) <= left
    assert chosen == Elicitation(fitted("ease")).choose(dict(reversed(ratings.items())), not_seen, k)


@given(ratings=st.dictionaries(movies, stars), not_seen=st.sets(movies))
def test_weights_of_tastes_are_probabilities(elicitation, ratings, not_seen):
    weights = elicitation._weights(ratings, not_seen)
    assert weights.min() >= 0
    assert weights.sum() == pytest.approx(1)


@settings(max_examples=15)
@given(ratings=st.dictionaries(st.sampled_from(MOVIES[:30]), stars, max_size=6))
def test_a_value_is_the_expected_gain_of_the_list(elicitation, ratings):
    """By the lists that the model gives to everybody, and nDCG by its definition."""
    model = fitted("ease")
    weights = elicitation._weights(ratings, ())
    titles = [place for place, movie in enumerate(elicitation.titles) if movie not in ratings][:4]
    expected = []
    for place in titles:
        total = -ndcg(model, ratings) @ (weights * elicitation._answers[:2, :, place].sum(axis=0))
        for stars_given, probabilities in zip(elicitation._given, elicitation._answers[:2, :, place], strict=True):
            answered = ratings | {elicitation.titles[place]: stars_given}
            total += ndcg(model, answered) @ (weights * probabilities)
        expected.append(total)
    assert elicitation._values(ratings, weights, np.array(titles)) == pytest.approx(expected, abs=1e-9)


def ndcg(model: Recommender, history: dict[int, float]) -> np.ndarray:
    """Of the list for this history, for each user that stands for a taste (here all)."""
    listed = model.recommend_for_history([history], k=10)["movie_id"].tolist()
    likes = model._positives(model.interactions_).tocsr()
    figures = []
    for user in range(likes.shape[0]):
        liked = set(model.movie_ids_[likes[user].indices].tolist())
        ideal = sum(1 / np.log2(rank + 1) for rank in range(1, min(len(liked), 10) + 1))
        found = sum(1 / np.log2(rank + 1) for rank, movie in enumerate(listed, start=1) if movie in liked)
        figures.append(found / ideal if liked else 0.0)
    return np.array(figures)


def test_likes_and_dislikes_are_what_people_give(elicitation):
    ratings = fitted("ease").interactions_.data
    mean = fitted("ease").rating_mean_
    assert elicitation._given == [np.median(ratings[ratings >= mean]), np.median(ratings[ratings < mean])]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_model_can_ask(algorithm):
    assert len(Elicitation(fitted(algorithm)).choose({MOVIES[0]: 5.0}, (), 6)) == 6


def test_a_like_raises_the_tastes_that_share_it(elicitation):
    """Users of even number like even movies: see `data.tastes`."""
    is_even = fitted("ease").user_ids_[:: max(1, len(fitted("ease").user_ids_) // 384)] % 2 == 0
    even, odd = MOVIES[0], MOVIES[1]
    for ratings in ({even: 5.0}, {odd: 1.0}, {even: 5.0, odd: 1.0}):
        assert elicitation._weights(ratings, ())[is_even].sum() > 0.55


@given(shown=st.lists(st.integers(0, 20), unique=True), chosen=st.lists(st.integers(0, 20), unique=True))
def test_titles_that_stay_keep_their_places(shown, chosen):
    wall = keep_places(shown, chosen)
    assert sorted(wall) == sorted(chosen)
    if len(shown) == len(chosen):
        assert all(wall[place] == movie for place, movie in enumerate(shown) if movie in chosen)
