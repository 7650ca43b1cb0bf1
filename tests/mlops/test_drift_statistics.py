"""The statistics of drift: hand-computed distances, and permutations of users instead of rows."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops.evaluation.psi import SMALLEST_SHARE, population_stability_index
from mlops.monitoring.drift.statistics import (
    category_weights,
    compare_rates,
    compare_shares,
    compare_values,
    distinct_ratio,
    list_diversity,
    row_weights,
    shares_of,
    weekly_ratio,
)


def test_the_index_is_the_sum_over_categories():
    expected = (0.75 - 0.25) * math.log(3) + (0.25 - 0.75) * math.log(1 / 3)

    assert population_stability_index([75, 25], [250, 750]) == pytest.approx(expected)
    assert population_stability_index([30, 70], [3, 7]) == 0


def test_an_empty_category_counts_like_a_very_rare_one():
    expected = (0.5 - SMALLEST_SHARE) * math.log(0.5 / SMALLEST_SHARE) + (0.5 - 1) * math.log(0.5)

    assert population_stability_index([50, 50], [0, 100]) == pytest.approx(expected)


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=2, max_size=8))
def test_the_index_is_symmetric_and_never_negative(counts):
    recent, before = np.array([*counts, (1, 1)]).T

    index = population_stability_index(recent, before)

    assert index >= 0
    assert index == pytest.approx(population_stability_index(before, recent))


def test_one_user_counts_for_a_limited_number_of_rows():
    people = np.array([1] * 40 + [2])

    weights = row_weights(people, np.zeros(41, dtype=int), 20)

    assert weights[:40].sum() == pytest.approx(20)
    assert weights[40] == 1


def test_busy_week_counts_at_most_as_two_median_weeks():
    people, weeks = np.arange(100), np.array([0] * 70 + [1] * 10 + [2] * 10 + [3] * 10)

    weights = row_weights(people, weeks, 20)

    assert np.bincount(weeks, weights) == pytest.approx([20, 10, 10, 10])


def test_shares_are_kept_by_person():
    weights = category_weights(np.array([7, 7, 9]), np.array([0, 1, 1]), np.array([1.0, 1.0, 0.5]), 3)

    assert weights.tolist() == [[1, 1, 0], [0, 0.5, 0]]
    assert shares_of(weights) == pytest.approx([0.4, 0.6, 0])


def windows_of(rng, n_people, rows_per_person, share):
    """Each user's rows are all in one of two categories."""
    people = np.repeat(np.arange(n_people), rows_per_person)
    categories = np.repeat((rng.random(n_people) < share).astype(int), rows_per_person)
    return category_weights(people, categories, np.ones(len(people)), 2)


def test_a_few_people_with_many_rows_are_little_evidence():
    rng = np.random.default_rng(1)
    crowd = compare_shares(windows_of(rng, 500, 1, 0.8), windows_of(rng, 500, 1, 0.5))
    handful = compare_shares(windows_of(rng, 5, 100, 0.8), windows_of(rng, 5, 100, 0.5))

    assert crowd.p < 0.01
    assert handful.p > 0.05
    assert handful.chance > 10 * crowd.chance


def test_chance_is_what_equal_windows_show():
    rng = np.random.default_rng(0)
    found = [compare_shares(windows_of(rng, 300, 2, 0.3), windows_of(rng, 300, 2, 0.3), seed=n) for n in range(30)]

    assert np.mean([shift.figure for shift in found]) == pytest.approx(
        np.mean([shift.chance for shift in found]), rel=0.5
    )
    assert sum(shift.p <= 0.05 for shift in found) <= 6


def test_distance_of_scores_is_the_largest_gap():
    shift = compare_values(np.array([1.0, 2.0, 3.0, 4.0]), np.array([3.5, 4.5, 5.5, 6.5]))

    assert shift.figure == 0.75


def test_a_fall_is_a_share_of_the_rate_before():
    shift = compare_rates(60, 1000, 100, 1000)

    assert shift.figure == pytest.approx(0.4)
    assert shift.p == pytest.approx(0.0005, abs=0.0003)
    assert compare_rates(100, 1000, 60, 1000).figure < 0
    assert compare_rates(0, 10, 0, 10).figure == 0


def test_one_busy_or_empty_week_leaves_the_median_week():
    usual = np.array([100, 110, 90, 100])

    assert weekly_ratio(np.array([100, 900, 100, 90]), usual) == 1
    assert weekly_ratio(np.array([100, 0, 100, 90]), usual) == pytest.approx(0.95)
    assert weekly_ratio(np.array([1, 1, 1, 1]), np.zeros(4)) == math.inf


def test_coverage_is_compared_over_equally_many_lists():
    wide = [np.array([n, n + 1]) for n in range(0, 40, 2)]
    narrow = [np.array([1, 2])] * 80

    assert distinct_ratio(narrow, wide) == pytest.approx(2 / 40)
    assert distinct_ratio(wide, narrow[:20]) == 20
    assert distinct_ratio(narrow, narrow[:5]) == 1


def test_a_list_of_one_genre_is_less_diverse():
    genres = {1: frozenset("a"), 2: frozenset("a"), 3: frozenset("ab"), 4: frozenset("c")}
    lists = [np.array([1, 2]), np.array([1, 4]), np.array([1, 2, 3]), np.array([4])]

    assert list_diversity(lists, genres) == pytest.approx([0, 1, 1 - (1 + 0.5 + 0.5) / 3])
