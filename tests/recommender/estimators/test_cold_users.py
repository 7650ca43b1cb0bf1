import numpy as np
import pandas as pd
import pytest

from recommender.estimators import Dataset, load_recommender
from recommender.estimators.hybrid import HybridRecommender
from recommender.estimators.inner_splits import InnerSplit
from recommender.estimators.interactions import positives_of
from recommender.estimators.reranker import cold_user_share
from recommender.estimators.tune_reranker import first_ratings_holdout, random_holdout
from tests.recommender.estimators.data import tastes
from tests.recommender.estimators.test_hybrid import FIXED


def hybrid(cold_user_weight: float) -> HybridRecommender:
    return HybridRecommender(**FIXED | {"cold_user_weight": cold_user_weight}).fit(Dataset.from_frames(*tastes()))


def test_the_share_falls_with_the_square_of_what_is_known() -> None:
    np.testing.assert_allclose(cold_user_share(np.array([0, 1, 4])), [1, 1 / 4, 1 / 25], rtol=1e-6)


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
            trend = pd.Series(model.item_features_[0], index=model.movie_ids_)[gained.index]
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
    assert model.cold_user_weight_ == model.best_params_["cold_user_weight"] > 0
    assert set(model.recommend_for_history([{30: 5.0}], k=6)["movie_id"]) == set(range(6))


def test_it_is_chosen_on_how_people_begin_where_times_are_known() -> None:
    """Everybody first rates movies of one genre, and much later what all rate: the first few say what comes next."""
    rng = np.random.default_rng(0)
    rows = []
    for user in range(80):
        own = 20 * (user % 4) + rng.permutation(20)[:12]
        rows += [(user, movie, minute) for minute, movie in enumerate(own)]
        rows += [(user, 80 + movie, 10_000 + movie) for movie in range(12)]
    ratings = pd.DataFrame(rows, columns=["user_id", "movie_id", "minute"]).assign(rating=5.0)
    ratings["rated_at"] = pd.Timestamp("2025-01-01", tz="UTC") + pd.to_timedelta(ratings["minute"], unit="min")
    in_order = HybridRecommender().fit(Dataset.from_frames(ratings))
    by_chance = HybridRecommender().fit(Dataset.from_frames(ratings.drop(columns="rated_at")))
    assert in_order.cold_user_weight_ < by_chance.cold_user_weight_
    first_list = in_order.recommend_for_history([{1: 5.0, 2: 5.0}], k=10)["movie_id"]
    assert set(first_list) <= set(range(20))


def dataset_of(*histories: list[int]) -> Dataset:
    """Movies in the order in which each user liked them."""
    rows = [(user, movie, place) for user, liked in enumerate(histories) for place, movie in enumerate(liked)]
    ratings = pd.DataFrame(rows, columns=["user_id", "movie_id", "place"]).assign(rating=5.0)
    ratings["rated_at"] = pd.Timestamp("2025-01-01", tz="UTC") + pd.to_timedelta(ratings["place"], unit="D")
    return Dataset.from_frames(ratings)


def split_of(dataset: Dataset, *held_out: list[int]) -> InnerSplit:
    """With these movies of each user held out; ids are columns."""
    hidden = np.zeros(dataset.ratings.shape, dtype=bool)
    for user, movies in enumerate(held_out):
        hidden[user, movies] = True
    rows = np.repeat(np.arange(dataset.n_users), np.diff(dataset.ratings.indptr))
    is_hidden = hidden[rows, dataset.ratings.indices]
    answers = positives_of(dataset.keep(is_hidden).ratings, None)
    return InnerSplit(dataset.keep(~is_hidden), np.arange(dataset.n_users), answers)


def test_first_ratings_are_evaluated_on_the_next_ones() -> None:
    dataset = dataset_of([*range(30)][::-1], [5, 0, 3])
    few, wanted = first_ratings_holdout(dataset, split_of(dataset, [28, 22, 17, 16, 0], [0]), 2)
    assert [np.flatnonzero(row).tolist() for row in few.toarray()] == [[27, 29], [3, 5]]
    # 28 came before the second of the first; 22 and 17 are among the ten after it, 16 and 0 are not.
    assert [np.flatnonzero(row).tolist() for row in wanted.toarray()] == [[17, 22], []]


@pytest.mark.parametrize("n_ratings", [1, 3])
def test_histories_drawn_by_chance_keep_at_most_so_many_ratings(n_ratings: int) -> None:
    dataset = dataset_of([0, 1, 2, 3, 4], [2])
    split = split_of(dataset, [4], [])
    few, wanted = random_holdout(split, n_ratings)
    assert np.diff(few.indptr).tolist() == [n_ratings, 1]
    assert (few.toarray() <= split.train.ratings.toarray()).all()
    assert wanted is split.answers
