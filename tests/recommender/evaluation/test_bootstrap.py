import json

import numpy as np
import pytest

from recommender.evaluation.bootstrap import bootstrap_mean, paired_bootstrap


def test_interval_of_a_mean_agrees_with_the_normal_one():
    values = np.random.default_rng(1).normal(0.3, 0.2, size=2000)
    interval = bootstrap_mean(values, np.arange(2000), resamples=4000)
    half = 1.96 * values.std() / np.sqrt(2000)
    assert interval.mean == pytest.approx(values.mean())
    assert [interval.low, interval.high] == pytest.approx([values.mean() - half, values.mean() + half], abs=half * 0.1)
    assert (interval.n_users, interval.n_rows) == (2000, 2000)


def test_copies_of_a_users_rows_are_no_further_evidence():
    values = np.random.default_rng(2).normal(size=200)
    once = bootstrap_mean(values, np.arange(200))
    copied = bootstrap_mean(np.repeat(values, 10), np.repeat(np.arange(200), 10))
    assert (copied.low, copied.high) == pytest.approx((once.low, once.high))
    assert (copied.n_users, copied.n_rows) == (200, 2000)


def test_paired_interval_is_narrow_where_both_move_together():
    rng = np.random.default_rng(3)
    of_user = rng.normal(0.5, 0.3, size=300)
    reference = of_user + rng.normal(0, 0.01, size=300)
    candidate = of_user + 0.02 + rng.normal(0, 0.01, size=300)
    interval = paired_bootstrap(candidate, reference, np.arange(300))
    assert 0 < interval.low < 0.02 < interval.high < 0.025


def test_same_seed_same_interval():
    values, users = np.random.default_rng(4).random(50), np.arange(50) // 2
    assert bootstrap_mean(values, users, seed=5) == bootstrap_mean(values, users, seed=5)
    assert bootstrap_mean(values, users, seed=5) != bootstrap_mean(values, users, seed=6)


def test_covers_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(6)
    hits = 0
    for trial in range(100):
        values = rng.exponential(size=150)
        interval = bootstrap_mean(values, np.arange(150), resamples=1000, seed=trial)
        hits += interval.low <= 1 <= interval.high
    assert 87 <= hits <= 99


def test_one_user_gives_no_interval_and_nobody_no_figure():
    one = bootstrap_mean(np.array([0.2, 0.4]), ["a", "a"])
    assert one.mean == pytest.approx(0.3)
    assert np.isnan(one.low)
    nobody = bootstrap_mean(np.array([np.nan]), ["a"])
    assert nobody.n_users == 0
    assert json.loads(json.dumps(nobody.to_dict()))["mean"] is None


@pytest.mark.parametrize("options", [{"resamples": 999}, {"confidence": 1.0}])
def test_refuses_bad_options(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        bootstrap_mean(np.ones(3), np.arange(3), **options)


def test_refuses_rows_that_do_not_pair():
    with pytest.raises(ValueError, match="do not pair"):
        paired_bootstrap(np.ones(3), np.ones(2), np.arange(3))
