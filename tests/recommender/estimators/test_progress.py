"""A fit reports its progress, and listening does not change its result."""

import numpy as np
import pytest

from recommender.estimators import ESTIMATORS
from recommender.estimators.progress import reporting
from tests.recommender.estimators.data import checkerboard

PARAMETERS = {
    "als": {"epochs": 4, "n_components": 4, "regularization": 1.0, "alpha": 10.0},
    "lightfm": {"epochs": 4, "n_components": 4},
}


@pytest.mark.parametrize("algorithm", PARAMETERS)
def test_estimators_that_iterate_report_each_round(algorithm):
    shares: list[float] = []

    with reporting(shares.append):
        heard = ESTIMATORS[algorithm](**PARAMETERS[algorithm], random_state=0).fit(checkerboard())
    alone = ESTIMATORS[algorithm](**PARAMETERS[algorithm], random_state=0).fit(checkerboard())

    assert shares == [0.25, 0.5, 0.75, 1.0]
    users = list(heard.user_ids_)
    np.testing.assert_array_equal(
        heard.score_candidates(users, list(heard.movie_ids_)), alone.score_candidates(users, list(alone.movie_ids_))
    )
