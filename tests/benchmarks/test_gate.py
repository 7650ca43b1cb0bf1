"""Tests the gate's statistics on simulated users. `python -m benchmarks.gate` uses real ones."""

import numpy as np
import pytest

from benchmarks.gate import decisions, draw
from movierec.policy import load_policy
from tests.processes import ROOT


@pytest.fixture(scope="module")
def pool() -> np.ndarray:
    """nDCG as real users have it: mostly nothing found, and two fits that differ for some."""
    rng = np.random.default_rng(1)
    ndcg = np.where(rng.random(800) < 0.35, rng.uniform(0, 0.6, 800), 0.0)
    return np.column_stack([ndcg, np.where(rng.random(800) < 0.3, rng.permutation(ndcg), ndcg)])


def test_the_gate_decides_right_on_a_thousand_users(pool):
    rows = decisions(pool, load_policy(ROOT / "config.yaml").gate, n_users=1000, n_pairs=30, resamples=1000)

    equal_refresh, equal_change, worse_refresh, worse_change = (row["share"] for row in rows)
    assert (equal_refresh >= 0.9, equal_change <= 0.1, worse_refresh >= 0.9, worse_change == 1.0) == (True,) * 4, rows


def test_draws_differ_by_the_loss_that_was_asked_for(pool):
    rng = np.random.default_rng(2)

    for loss in (0.0, 0.02):
        candidate, champion = draw(pool, 200_000, loss, rng)
        assert champion.mean() - candidate.mean() == pytest.approx(loss, abs=0.002)
