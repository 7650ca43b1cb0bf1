"""Which titles to ask about: none twice, the same for the same answers, and those that tell tastes apart."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.estimators import ALGORITHMS, Elicitation
from recommender.estimators.elicitation import keep_places
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


@given(ratings=st.dictionaries(movies, stars, max_size=8), not_seen=st.sets(movies, max_size=8))
def test_expected_information_is_that_of_bayes_rule(elicitation, ratings, not_seen):
    """The mutual information is the mean fall of the entropy of the tastes, over the answers."""
    weights = elicitation._weights(ratings, not_seen)
    answers = elicitation._answers / elicitation._answers.sum(axis=0)
    for title in range(3):
        fall = entropy(weights)
        for of_tastes in answers[:, :, title]:
            probability = weights @ of_tastes
            fall -= probability * entropy(weights * of_tastes / probability)
        assert elicitation._information(weights)[title] == pytest.approx(fall, abs=1e-6)


def entropy(weights: np.ndarray) -> float:
    return float(-np.sum(weights * np.log(np.maximum(weights, 1e-300))))


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
