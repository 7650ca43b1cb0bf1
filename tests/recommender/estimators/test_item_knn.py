import numpy as np
import pytest

from recommender.estimators import Dataset
from recommender.estimators.neighbors import ItemKNNRecommender
from tests.recommender.estimators.data import ratings_frame

# Movie 10 is liked by 1, 2, 3; movie 20 by 1, 2; movie 30 by 3 alone; movie 40 by 4 alone.
ROWS = [(1, 10, 5.0), (2, 10, 5.0), (3, 10, 5.0), (1, 20, 5.0), (2, 20, 5.0), (3, 30, 5.0), (4, 40, 5.0)]


def test_scores_sum_shrunk_cosines_of_who_liked_both() -> None:
    model = ItemKNNRecommender(shrinkage=1.0).fit(Dataset.from_frames(ratings_frame(ROWS)))
    scores = model.score_candidates([1, 3], [10, 20, 30, 40])
    to_10_20 = 2 / (np.sqrt(3 * 2) + 1)
    to_10_30 = 1 / (np.sqrt(3 * 1) + 1)
    np.testing.assert_allclose(scores[0], [to_10_20, to_10_20, to_10_30, 0], atol=2e-6)
    np.testing.assert_allclose(scores[1], [to_10_30, to_10_20, to_10_30, 0], atol=2e-6)


def test_a_movie_keeps_its_nearest_neighbours_alone() -> None:
    model = ItemKNNRecommender(shrinkage=0, n_neighbors=1).fit(Dataset.from_frames(ratings_frame(ROWS)))
    scores = model.score_candidates([3], [10, 20, 30])
    # 10's nearest is 20, which user 3 has not liked; 20's and 30's is 10, which user 3 has.
    np.testing.assert_allclose(scores, [[0, 2 / np.sqrt(6), 1 / np.sqrt(3)]], atol=2e-6)


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    ds = Dataset.from_frames(ratings_frame(ROWS))
    whole = ItemKNNRecommender(shrinkage=1.0).fit(ds).neighbors_.toarray()
    monkeypatch.setattr("recommender.estimators.neighbors.BLOCK", 3)
    np.testing.assert_array_equal(ItemKNNRecommender(shrinkage=1.0).fit(ds).neighbors_.toarray(), whole)


@pytest.mark.parametrize(("name", "bad"), [("n_neighbors", 0), ("shrinkage", -1)])
def test_refuses_parameters_out_of_range(name: str, bad: object) -> None:
    with pytest.raises(ValueError, match=name):
        ItemKNNRecommender(**{name: bad})
