import json

import numpy as np
import pandas as pd
import pytest

from benchmarks.protocols import evaluate, leave_ratings_out
from recommender.estimators import ESTIMATORS, Dataset
from recommender.evaluation.slices import SLICES, movie_slices

from .frames import Ranking, generated_log, ratings_frame

SPLIT = leave_ratings_out(generated_log())
ANSWERS = SPLIT.test.groupby("user_id")["movie_id"].apply(set)


def evaluated(score, **options):
    model = Ranking(score).fit(Dataset.from_frames(SPLIT.train))
    return evaluate(model, SPLIT.test, SPLIT.train, **options)


def oracle(user, _history):
    return dict.fromkeys(ANSWERS[user], 1.0)


def random_scores(user, _history):
    return dict(enumerate(np.random.default_rng(user).random(40)))


def test_an_oracle_is_perfect_and_chance_is_far_from_it():
    best, chance = evaluated(oracle).summary(), evaluated(random_scores).summary()
    assert best["ndcg"] == pytest.approx(1)
    assert best["recall"] == pytest.approx(1)
    assert 0 < chance["ndcg"] < 0.4
    assert best["n_users"] == SPLIT.test["user_id"].nunique()


def test_figures_by_hand():
    train = ratings_frame([("a", 1, 5, 0), ("b", 2, 4, 0), ("b", 3, 4, 0), ("c", 3, 3, 0), ("c", 4, 3, 0)])
    test = ratings_frame([("a", 3, 5, 1), ("a", 4, 2, 1), ("b", 1, 3, 1)])
    model = ESTIMATORS["popularity"](half_life_days=7).fit(Dataset.from_frames(train))
    result = evaluate(model, test, train, k=2)
    # Popularity is 3 (twice), then 1, 2, 4 by id: a sees 3, 2 and misses 4; b sees 1, 4.
    users = result.per_user().set_index("user_id")
    assert users.loc["a", ["ndcg", "recall", "precision"]].tolist() == pytest.approx(
        [1 / (1 + 1 / np.log2(3)), 0.5, 0.5]
    )
    assert users.loc["b", ["ndcg", "recall", "precision"]].tolist() == pytest.approx([1, 1, 0.5])
    assert users["n_history"].tolist() == [1, 2]
    summary = result.summary()
    assert summary["coverage"] == 1  # 3, 2 and 1, 4: all four
    assert summary["personalisation"] == 1
    assert summary["n_stars"] == 3


def test_slices_by_history_and_by_popularity():
    train = ratings_frame(
        [(u, 1, 4, 0) for u in range(25)] + [(0, movie, 4, 0) for movie in range(2, 24)] + [(30, 24, 4, 0)]
    )
    test = ratings_frame([(0, 24, 4, 1), (1, 2, 4, 1), (40, 1, 4, 1)])
    result = evaluate(Ranking(lambda user, history: {1: 2.0, 24: 1.0}).fit(Dataset.from_frames(train)), test, train)
    slices = result.slices()
    assert list(slices) == list(SLICES)
    assert {name: figures["n_users"] for name, figures in slices.items()} == {
        "history_0": 1,
        "history_1_4": 1,
        "history_5_19": 0,
        "history_20_plus": 1,
        "movies_head": 1,
        "movies_middle": 1,
        "movies_tail": 1,
        "movies_new": 0,
    }
    assert slices["history_20_plus"]["ndcg"] == 1  # the only unseen movie is the right one
    assert slices["history_0"]["ndcg"] == 1
    assert slices["movies_middle"]["ndcg"] == pytest.approx(1 / np.log2(3))  # behind 24, which user 1 lacks too


def test_movie_slices_end_at_half_and_four_fifths_of_the_ratings():
    train = pd.DataFrame({"movie_id": [7] * 5 + [8] * 3 + [5] + [6]})
    assert movie_slices(train).to_dict() == {7: "movies_head", 8: "movies_middle", 5: "movies_tail", 6: "movies_tail"}


def test_result_is_json_and_has_none_where_there_is_no_figure():
    figures = json.loads(json.dumps(evaluated(oracle, with_stars=False).to_dict(), allow_nan=False))
    assert figures["summary"]["ndcg"] == 1
    assert figures["summary"]["rmse"] is None
    nothing = dict.fromkeys(("ndcg", "recall", "precision", "rmse"))
    assert figures["slices"]["history_0"] == nothing | {"n_users": 0, "n_lists": 0, "n_stars": 0}


def test_stars_of_a_slice_are_those_of_its_users_or_movies():
    result = evaluated(oracle)
    slices = result.slices()
    of_users = [figures["n_stars"] for name, figures in slices.items() if name.startswith("history")]
    of_movies = [figures["n_stars"] for name, figures in slices.items() if name.startswith("movies")]
    assert sum(of_users) == sum(of_movies) == len(SPLIT.test)
    for part, figures in slices.items():
        if figures["n_stars"] and part.startswith("movies"):
            own = result.stars[result.stars["movie_slice"] == part]
            assert figures["rmse"] == pytest.approx(np.sqrt(np.mean((own["rating"] - 4.0) ** 2)))


def test_stars_of_new_movies_count_in_their_own_slice_alone():
    test = pd.concat([SPLIT.test, SPLIT.test[:3].assign(movie_id=999)])
    stars = evaluate(
        Ranking(lambda user, history: {})
        .fit(Dataset.from_frames(SPLIT.train))
        .with_movies(pd.DataFrame({"movie_id": [999]})),
        test,
        SPLIT.train,
    )
    assert stars.slices()["movies_new"]["n_stars"] == 3
    assert stars.summary()["n_stars"] == len(SPLIT.test)


def test_rmse_compares_each_test_rating_with_its_prediction():
    expected = np.sqrt(np.mean((SPLIT.test["rating"] - 4.0) ** 2))
    assert evaluated(oracle).summary()["rmse"] == pytest.approx(expected)


def test_stars_are_taken_from_the_right_cell():
    class Telling(Ranking):
        def predict_ratings(self, user_ids, movie_ids):
            return np.asarray(user_ids)[:, None] * 1000 + np.asarray(movie_ids)[None, :]

    many = generated_log(n_users=150)
    split = leave_ratings_out(many.sample(frac=1, random_state=0))
    model = Telling(lambda user, history: {}).fit(Dataset.from_frames(split.train))
    told = split.test.assign(rating=split.test["user_id"] * 1000 + split.test["movie_id"])
    assert evaluate(model, told, split.train).summary()["rmse"] == 0


def test_candidates_are_passed_on():
    cold = evaluate(
        Ranking(lambda user, history: {}).fit(Dataset.from_frames(SPLIT.train)),
        SPLIT.test,
        SPLIT.train,
        candidates=[38, 39],
    )
    assert set(cold.positives.loc[cold.positives["rank"] > 0, "rank"]) <= {1, 2}


def test_interval_counts_its_users_and_refuses_unknown_names():
    result = evaluated(random_scores)
    interval = result.interval("recall", "movies_head")
    assert interval.low <= interval.mean <= interval.high
    assert interval.n_users == result.slices()["movies_head"]["n_users"]
    with pytest.raises(ValueError, match="metric"):
        result.interval("auc")
    with pytest.raises(ValueError, match="slice"):
        result.interval("ndcg", "tall people")
