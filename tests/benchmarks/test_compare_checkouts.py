"""Tests what counts as a difference between two checkouts. Fitting in both would take minutes."""

from pathlib import Path

import pandas as pd
import pytest

from benchmarks.compare_checkouts.artefacts import compare_artefacts
from benchmarks.compare_checkouts.gate import differences
from benchmarks.compare_checkouts.lists import compare_lists
from recommender.estimators import ESTIMATORS, Dataset

NEAR_TIE = 1e-6


def saved(path: Path, scores: dict[int, float]) -> Path:
    movies = sorted(scores, key=lambda movie: -scores[movie])
    rows = {"user_id": 1, "movie_id": movies, "score": [scores[m] for m in movies], "rank": range(1, len(movies) + 1)}
    pd.DataFrame(rows).to_pickle(path)
    return path


@pytest.mark.parametrize(
    ("after", "n_equal", "n_near_ties", "n_changes"),
    [
        ({1: 3.0, 2: 2.0, 3: 1.0}, 1, 0, 0),
        ({1: 2.0, 2: 2.0 + 1e-7, 3: 1.0}, 0, 2, 0),
        ({1: 1.5, 2: 2.0, 3: 1.0}, 0, 0, 2),
        ({1: 3.0, 3: 1.0}, 0, 0, 1),
    ],
)
def test_swaps_are_near_ties_or_changes(tmp_path, after, n_equal, n_near_ties, n_changes):
    before, after = saved(tmp_path / "a", {1: 3.0, 2: 2.0, 3: 1.0}), saved(tmp_path / "b", after)

    found = compare_lists(before, after, k=2, near_tie=NEAR_TIE)

    assert (found.n_equal, len(found.near_ties), len(found.changes)) == (n_equal, n_near_ties, n_changes)


def fitted(folder: Path, rating: float = 5.0) -> Path:
    ratings = pd.DataFrame({"user_id": [1, 1, 2], "movie_id": [1, 2, 1], "rating": [4.0, rating, 3.0]})
    ESTIMATORS["ease"](regularization=10.0).fit(Dataset.from_frames(ratings)).save(folder)
    return folder


def test_equal_models_have_equal_artefacts(tmp_path):
    found = compare_artefacts(fitted(tmp_path / "a"), fitted(tmp_path / "b"), near_tie=NEAR_TIE)

    assert (found.n_close, found.problems) == (0, [])
    assert found.n_equal > 5


def test_differing_arrays_are_named(tmp_path):
    found = compare_artefacts(fitted(tmp_path / "a"), fitted(tmp_path / "b", rating=1.0), near_tie=NEAR_TIE)

    assert any("array" in problem for problem in found.problems)


def version(**changes):
    rule = {"outcome": "passed", "figure": 0.2, "interval": [0.1, 0.3], "threshold": 0.0}
    made = {"algorithm": "ease", "status": "champion", "decision": "passed", "data": "0"}
    return made | {"rules": {"baseline": rule}, "metrics": {"models": {"candidate": {"ndcg": 0.2}}}} | changes


def test_gates_differ_by_rule_code_and_metric():
    rules = {"baseline": version()["rules"]["baseline"] | {"outcome": "failed"}}
    other = version(rules=rules, metrics={"models": {"candidate": {"ndcg": 0.3, "latency_ms": 9}}})

    assert list(differences(version(), version())) == []
    assert list(differences(version(), other)) == [
        ("rule baseline, outcome", "passed before, failed after"),
        ("metric models.candidate.ndcg", "0.2 before, 0.3 after"),
    ]
