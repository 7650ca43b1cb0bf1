import json

import numpy as np
import pandas as pd
import pytest

from recommender.estimators import Dataset
from recommender.evaluation.baselines import baselines, fitter, popularity_baselines, simple_baselines
from recommender.evaluation.comparison import evaluate_on_cuts
from recommender.evaluation.requests import Sampling

from .frames import Ranking, generated_log

LOG = generated_log(n_users=90)
CUTS = (0.7, 0.8, 0.9)


def camp(_user, history):
    """Knows the log's rule: movies of the parity of what the user has rated, in order of popularity."""
    parity = next(iter(history), None)
    return {movie: (100 if parity is not None and movie % 2 == parity % 2 else 0) - movie for movie in range(40)}


def fit_camp(dataset):
    return Ranking(camp).fit(dataset)


@pytest.fixture(scope="module")
def comparison():
    return evaluate_on_cuts({"camp": fit_camp} | popularity_baselines((1, 30)), LOG, cuts=CUTS)


def test_every_model_is_evaluated_on_the_same_users_and_cuts(comparison):
    rows = [evaluation.per_user()[["user_id", "cut", "n_history"]] for evaluation in comparison.evaluations.values()]
    for other in rows[1:]:
        pd.testing.assert_frame_equal(rows[0], other)
    assert rows[0]["cut"].nunique() == 3


def test_cold_start_users_take_part_from_an_empty_history(comparison):
    slices = comparison["camp"].slices()
    assert slices["history_0"]["n_users"] > 0
    assert slices["history_1_4"]["ndcg"] > slices["history_0"]["ndcg"]
    joined = LOG.groupby("user_id")["rated_at"].min()
    late = set(joined.index[joined > LOG["rated_at"].quantile(0.9)])
    assert late and late <= set(comparison["camp"].per_user()["user_id"])


def test_difference_and_interval_flip_sign_when_models_swap(comparison):
    better = comparison.difference("camp", "popular")
    worse = comparison.difference("popular", "camp")
    assert better.low > 0 > worse.high
    assert better.mean == pytest.approx(-worse.mean)
    assert better.mean == pytest.approx(comparison["camp"].summary()["ndcg"] - comparison["popular"].summary()["ndcg"])
    assert better.n_users == comparison["camp"].summary()["n_users"] < better.n_rows
    assert comparison.difference("camp", "camp").high == 0


def test_best_simple_baseline_is_the_best_popularity_model(comparison):
    table = comparison.table()
    assert table.index[0] == "camp"
    assert comparison.best_simple_baseline() == table.index[1]


def test_comparison_is_json(comparison):
    figures = json.loads(json.dumps(comparison.to_dict(), allow_nan=False))
    assert set(figures) == {"camp", "popular", "popular_1d", "popular_30d"}
    assert figures["camp"]["seconds"].keys() == {"fit", "score"}


def test_difference_within_a_slice(comparison):
    interval = comparison.difference("camp", "popular", part="history_5_19")
    assert interval.n_users == comparison["camp"].slices()["history_5_19"]["n_users"]


def test_fit_sees_nothing_from_the_cut_on():
    seen = []

    def watching(dataset):
        seen.append(pd.Timestamp(dataset.now))
        return fit_camp(dataset)

    comparison = evaluate_on_cuts({"watching": watching}, LOG, cuts=CUTS)
    cuts = sorted(pd.Timestamp(cut) for cut in comparison["watching"].lists["cut"].unique())
    assert len(seen) == 3
    assert all(now < cut for now, cut in zip(seen, cuts, strict=True))


def test_metadata_of_movies_that_came_later_is_not_learnt():
    movies = pd.DataFrame({"movie_id": range(41), "title": [f"Movie {n}" for n in range(41)]})
    late = LOG["rated_at"].quantile(0.85)
    log = pd.concat([LOG, pd.DataFrame({"user_id": [3], "movie_id": [40], "rating": [5.0], "rated_at": [late]})])
    fitted = {}

    def watching(dataset):
        fitted[len(fitted)] = dataset.movie_ids.tolist()
        return fit_camp(dataset)

    evaluate_on_cuts({"watching": watching}, log, movies, cuts=CUTS)
    assert 40 not in fitted[0] and 40 in fitted[2]


def test_models_that_score_new_movies_rank_them_apart():
    late = LOG["rated_at"].quantile(0.85)
    users = LOG.loc[LOG["rated_at"] > late, "user_id"].unique()[:12]
    premieres = pd.DataFrame(
        {"user_id": users, "movie_id": 50 + users % 2, "rating": 5.0, "rated_at": LOG["rated_at"].max()}
    )
    log = pd.concat([LOG, premieres], ignore_index=True)

    class Knowing(Ranking):
        scores_new_movies = True

    def score(user, history):
        return camp(user, history) | {50 + next(iter(history)) % 2: 1000.0} if history else {}

    comparison = evaluate_on_cuts(
        {"knowing": lambda dataset: Knowing(score).fit(dataset), "camp": fit_camp}, log, cuts=[0.8]
    )
    of_new = comparison["knowing"].slices()["movies_new"]
    assert of_new | {"ndcg": 1, "recall": 1, "n_users": 12, "n_lists": 12} == of_new
    assert comparison["camp"].slices()["movies_new"]["n_users"] == 0


def test_real_estimators_are_compared_by_public_methods():
    fitters = {"popularity": fitter("popularity", half_life_days=30.0)} | popularity_baselines((30,))
    comparison = evaluate_on_cuts(fitters, LOG, cuts=[0.8], implicit_threshold=3.5)
    assert comparison.difference("popularity", "popular_30d").mean == 0
    assert comparison["popular"].summary()["ndcg"] > 0


def test_ease_is_not_a_simple_baseline():
    comparison = evaluate_on_cuts(baselines((30,)) | {"ease": fitter("ease", regularization=50.0)}, LOG, cuts=[0.8])
    assert set(comparison.table().index) == {"popular", "popular_30d", "item_knn", "ease"}
    assert simple_baselines(comparison.evaluations) == ["popular_30d", "popular", "item_knn"]


def test_progress_names_each_step_and_its_errors_stop_the_work():
    steps = []
    evaluate_on_cuts({"camp": fit_camp}, LOG, cuts=[0.7, 0.9], progress=lambda *step: steps.append(step))
    assert [done for _, done, _ in steps] == [0, 1, 2, 3, 4]
    assert {total for _, _, total in steps} == {4}
    assert steps[0][0].startswith("fit camp")

    def cancel(_step, done, _total):
        if done == 2:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        evaluate_on_cuts({"camp": fit_camp}, LOG, cuts=[0.7, 0.9], progress=cancel)


def test_sampled_users_are_the_same_for_every_model():
    comparison = evaluate_on_cuts(
        {"camp": fit_camp} | popularity_baselines((30,)), LOG, cuts=[0.8], sampling=Sampling(max_users=8, seed=1)
    )
    assert comparison.difference("camp", "popular").n_users == 8


def test_ids_may_be_strings_and_times_may_have_a_zone():
    named = LOG.assign(
        user_id="u" + LOG["user_id"].astype(str),
        movie_id="m" + LOG["movie_id"].astype(str),
        rated_at=LOG["rated_at"].dt.tz_localize("UTC"),
    )
    comparison = evaluate_on_cuts(popularity_baselines((30,)), named, cuts=[0.8])
    assert comparison.best_simple_baseline() in ("popular", "popular_30d")


def test_a_model_trained_before_all_cuts_can_be_evaluated():
    first = LOG[LOG["rated_at"] < LOG["rated_at"].quantile(0.6)]
    trained = fitter("popularity", half_life_days=30.0)(Dataset.from_frames(first))
    comparison = evaluate_on_cuts({"trained": lambda dataset: trained} | popularity_baselines((30,)), LOG, cuts=[0.8])
    assert np.isfinite(comparison.difference("trained", "popular_30d").mean)


def test_refuses_to_compare_nothing_or_without_a_baseline():
    with pytest.raises(ValueError, match="fitters"):
        evaluate_on_cuts({}, LOG)
    with pytest.raises(ValueError, match="simple baseline"):
        evaluate_on_cuts({"camp": fit_camp}, LOG, cuts=[0.8]).best_simple_baseline()
