import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix

from recommender.estimators import Dataset, load_recommender
from recommender.estimators.hybrid import HybridRecommender
from recommender.estimators.newcomers import keep_some, newcomer_share
from tests.recommender.estimators.data import tastes
from tests.recommender.estimators.test_hybrid import FIXED


def hybrid(newcomer_weight: float) -> HybridRecommender:
    return HybridRecommender(**FIXED | {"newcomer_weight": newcomer_weight}).fit(Dataset.from_frames(*tastes()))


def test_the_share_falls_with_the_square_of_what_is_known() -> None:
    np.testing.assert_allclose(newcomer_share(np.array([0, 1, 4])), [1, 1 / 4, 1 / 25], rtol=1e-6)


def test_what_is_popular_counts_more_the_less_somebody_has_rated(tmp_path) -> None:
    plain, fitted = hybrid(0.0), hybrid(3.0)
    fitted.save(tmp_path / "model")
    for model in (fitted, load_recommender(tmp_path / "model")):
        known = model.movie_ids_[model.is_rated_][:4].tolist()
        for history, share in (({known[0]: 5.0}, 1 / 4), (dict.fromkeys(known, 5.0), 1 / 25)):
            given, without = (
                part.recommend_for_history([history], k=100).set_index("movie_id") for part in (model, plain)
            )
            gained = (given["score"] - without["score"]).sort_index()
            trend = pd.Series(model.signals_[0], index=model.movie_ids_)[gained.index]
            np.testing.assert_allclose(gained, 3.0 * share * trend, rtol=1e-3, atol=1e-5)


def test_it_is_chosen_where_taste_is_random() -> None:
    """Everybody likes the same few movies, and others by chance: one rating says nothing of the rest."""
    rng = np.random.default_rng(0)
    rows = [
        (user, movie)
        for user in range(60)
        for movie in {*rng.choice(6, 4, replace=False).tolist(), *(6 + rng.choice(60, 6, replace=False)).tolist()}
    ]
    ratings = pd.DataFrame(rows, columns=["user_id", "movie_id"]).assign(rating=5.0)
    model = HybridRecommender(validation="random").fit(Dataset.from_frames(ratings))
    assert model.newcomer_weight_ == model.chosen_["newcomer_weight"] > 0
    assert set(model.recommend_for_history([{30: 5.0}], k=6)["movie_id"]) == set(range(6))


@pytest.mark.parametrize("n_ratings", [1, 3])
def test_histories_keep_at_most_so_many_ratings(n_ratings: int) -> None:
    history = csr_matrix(np.array([[1.0, 2, 3, 4, 0], [0, 0, 5, 0, 0], [0, 0, 0, 0, 0]]))
    few = keep_some(history, n_ratings)
    assert np.diff(few.indptr).tolist() == [n_ratings, 1, 0]
    assert (few.toarray()[few.toarray() > 0] == history.toarray()[few.toarray() > 0]).all()
