from collections import Counter

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.evaluation.requests import Sampling, later_positives
from recommender.evaluation.splits import temporal_cuts

from .frames import START, generated_log, ratings_frame
from .test_splits import rows

EVERYTHING = Sampling(max_users=None, max_positives=10**6, max_lists=10**9)


def cut_at(ratings, day):
    (split,) = temporal_cuts(ratings, [START + pd.Timedelta(days=day)])
    return split


LOG = ratings_frame(
    [
        ("old", 1, 5.0, 0),
        ("old", 2, 1.0, 1),
        ("other", 3, 4.0, 2),
        ("old", 3, 4.5, 11),  # the cut is on day 10
        ("new", 1, 3.5, 12),  # just a positive
        ("new", 2, 2.0, 13),
        ("new", 3, 4.0, 14),
        ("new", 9, 5.0, 15),  # nobody had rated movie 9 before the cut
    ]
)


def test_each_later_positive_is_asked_with_the_ratings_before_it():
    requests = later_positives(cut_at(LOG, 10), 3.5, sampling=EVERYTHING)
    asked = list(zip(requests.table["user_id"], requests.relevant["movie_id"], requests.histories(0, 3), strict=True))
    assert asked == [
        ("new", 1, {}),
        ("new", 3, {1: 3.5, 2: 2.0}),
        ("old", 3, {1: 5.0, 2: 1.0}),
    ]
    assert requests.table["n_history"].tolist() == [0, 2, 2]


def test_without_a_threshold_every_rating_is_a_positive():
    requests = later_positives(cut_at(LOG, 10), None, sampling=EVERYTHING)
    assert requests.relevant["movie_id"].tolist() == [1, 2, 3, 3]


def test_movies_nobody_had_rated_are_asked_for_on_their_own():
    requests = later_positives(cut_at(LOG, 10), 3.5, of_new_movies=True, sampling=EVERYTHING)
    assert requests.relevant["movie_id"].tolist() == [9]
    assert requests.histories(0, 1) == [{1: 3.5, 2: 2.0, 3: 4.0}]


def test_rerated_movies_are_no_positives_but_their_ratings_count():
    log = ratings_frame([("a", 1, 2.0, 0), ("b", 2, 4.0, 0), ("a", 1, 5.0, 11), ("a", 2, 5.0, 12)])
    requests = later_positives(cut_at(log, 10), None, sampling=EVERYTHING)
    assert requests.relevant["movie_id"].tolist() == [2]
    assert requests.histories(0, 1) == [{1: 5.0}]
    assert requests.table["n_history"].tolist() == [1]


@settings(max_examples=60, deadline=None)
@given(rows, st.sampled_from([None, 3.5]))
def test_no_history_holds_a_rating_of_its_own_or_a_later_moment(rows, threshold):
    # Times are made distinct, and each rating tells its moment, so that a leak would show in the histories.
    log = ratings_frame([(user, movie, float(n), n) for n, (user, movie, _, _) in enumerate(rows)])
    if len(log) < 4:
        return
    split = cut_at(log, len(log) // 2)
    requests = later_positives(split, threshold, sampling=EVERYTHING)
    histories = requests.histories(0, len(requests))
    for number, (user, movie) in enumerate(zip(requests.table["user_id"], requests.relevant["movie_id"], strict=True)):
        own = log[log["user_id"] == user]
        first = own.loc[own["movie_id"] == movie, "rating"].min()
        assert first >= len(log) // 2
        assert movie not in histories[number]
        earlier = own[own["rating"] < first].drop_duplicates("movie_id", keep="last")
        assert histories[number] == dict(zip(earlier["movie_id"], earlier["rating"], strict=True))
        assert requests.table["n_history"][number] == len(earlier)


def test_sampling_bounds_lists_and_its_weights_stand_for_all():
    log = pd.concat([generated_log(per_user=18, n_movies=60), ratings_frame([("x", m, 4.0, m) for m in range(60)])])
    log["user_id"] = log["user_id"].astype(str)
    split = cut_at(log, 30)
    everything = later_positives(split, None, sampling=EVERYTHING)
    sampled = later_positives(split, None, sampling=Sampling(max_positives=3))
    of_x = sampled.table[sampled.table["user_id"] == "x"]
    assert (of_x["n_history"] >= 20).sum() == 3
    for user, weights in sampled.table.groupby("user_id")["weight"]:
        assert weights.sum() == pytest.approx((everything.table["user_id"] == user).sum())
    few = later_positives(split, None, sampling=Sampling(max_users=5))
    assert few.table["user_id"].nunique() == 5


def test_number_of_lists_is_bounded_evenly_over_users():
    split = cut_at(generated_log(per_user=18), 100)
    everything = later_positives(split, None, sampling=EVERYTHING).table.groupby("user_id").size()
    for max_lists in (500, 200, len(everything) + 5):
        kept = later_positives(split, None, sampling=Sampling(max_lists=max_lists)).table.groupby("user_id").size()
        assert kept.index.equals(everything.index)
        assert kept.sum() <= max_lists < kept.sum() + len(kept)
        assert (kept == everything.clip(upper=kept.max())).all()


def test_sampling_depends_on_the_seed_alone():
    split = cut_at(generated_log(per_user=18), 100)
    users = [
        Counter(later_positives(split, None, sampling=Sampling(max_users=9, seed=seed)).table["user_id"])
        for seed in (0, 0, 1)
    ]
    assert users[0] == users[1] != users[2]
