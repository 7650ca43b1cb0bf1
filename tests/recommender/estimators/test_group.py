"""Lists for several people: average without misery."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from recommender.estimators.ranking import EXCLUDED, MISERY, average_without_misery

VALUES = st.just(0.0) | st.floats(1e-6, 50)
WORTH = st.integers(1, 6).flatmap(lambda people: arrays(float, (people, 8), elements=VALUES))


@given(WORTH, st.randoms(use_true_random=False))
def test_the_order_of_people_changes_nothing(worth, random):
    stars, means = 1 + worth / 12.5, worth.mean(axis=1) / 10
    order = list(range(len(worth)))
    random.shuffle(order)
    plain = average_without_misery(worth, stars, means)
    assert plain.tolist() == average_without_misery(worth[order], stars[order], means[order]).tolist()


@given(arrays(float, (1, 8), elements=VALUES))
def test_one_person_gets_the_own_order(worth):
    values = average_without_misery(worth, np.zeros((1, 8)), np.array([4.0]))
    assert (np.diff(values[np.argsort(worth[0], kind="stable")]) >= 0).all()
    assert np.isfinite(values).all()


@given(WORTH, st.floats(0.1, 10))
def test_a_person_with_a_larger_scale_has_no_more_say(worth, factor):
    stars, means = np.full(worth.shape, 4.0), np.full(len(worth), 4.0)
    louder = worth.copy()
    louder[0] *= factor
    assert average_without_misery(louder, stars, means) == pytest.approx(average_without_misery(worth, stars, means))


def test_what_one_would_dislike_is_out_for_all():
    worth = np.array([[1.0, 0.5, 0.2], [1.0, 0.5, 0.2]])
    stars = np.array([[5.0, 4.0, 3.5], [4.0 - MISERY - 0.1, 4.0 - MISERY, 4.0]])
    values = average_without_misery(worth, stars, np.array([4.0, 4.0]))
    assert values.tolist() == [EXCLUDED, 0.5, 0.2]
