import numpy as np
import pytest

from recommender.estimators import Dataset
from recommender.estimators.neighbors import RP3BetaRecommender
from tests.recommender.estimators.data import ratings_frame, tastes

# Movie 10 is liked by 1, 2, 3; movie 20 by 1, 2; movie 30 by 3 alone.
ROWS = [(1, 10, 5.0), (2, 10, 5.0), (3, 10, 5.0), (1, 20, 5.0), (2, 20, 5.0), (3, 30, 5.0)]


def test_scores_are_three_step_walks_damped_by_popularity() -> None:
    model = RP3BetaRecommender(alpha=1.0, beta=0.5).fit(Dataset.from_frames(ratings_frame(ROWS)))
    scores = model.score_candidates([3], [10, 20, 30])
    # user 3 liked 10 and 30. From 10: to a third of its people, then to half of their movies.
    to_20 = (1 / 3) * (1 / 2 + 1 / 2) / np.sqrt(2)
    to_30 = (1 / 3) * (1 / 2)
    to_10_from_30 = (1 / 1) * (1 / 2) / np.sqrt(3)
    np.testing.assert_allclose(scores, [[to_10_from_30, to_20, to_30]], atol=2e-6)


def test_a_higher_beta_holds_popular_movies_back() -> None:
    data = Dataset.from_frames(*tastes())
    low, high = (RP3BetaRecommender(beta=beta).fit(data).recommend(data.user_ids) for beta in (0.0, 1.0))
    ratings = tastes()[0]["movie_id"].value_counts()
    assert ratings[high["movie_id"]].mean() < ratings[low["movie_id"]].mean()


def test_chooses_beta_alone() -> None:
    data = Dataset.from_frames(*tastes())
    assert set(RP3BetaRecommender().fit(data).best_params_) == {"beta"}
    assert RP3BetaRecommender(beta=0.2).fit(data).best_params_ == {}


@pytest.mark.parametrize(("name", "bad"), [("n_neighbors", 0), ("alpha", -1), ("beta", -0.1)])
def test_refuses_parameters_out_of_range(name: str, bad: object) -> None:
    with pytest.raises(ValueError, match=name):
        RP3BetaRecommender(**{name: bad})
