"""An artefact gives the same lists with every BLAS kernel."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from recommender.estimators.ranking import NEAR_TIE
from tests.recommender.estimators.fitted_models import MOVIES, fitted

SCORES = """
import json, sys
from recommender.estimators import load_recommender
movies = json.loads(sys.argv[2])
model = load_recommender(sys.argv[1])
lists = model.recommend([100, 117, 139, 5], k=99, candidates=movies)
scores = model.score_candidates([100, 117, 139, 5], movies)
print(json.dumps([scores.tolist(), lists["movie_id"].tolist()]))
"""
FLAGS = {"Prescott": "pni", "Haswell": "avx2", "Zen": "avx2", "SkylakeX": "avx512bw"}


def scores_under(kernel: str, folder: Path) -> tuple[np.ndarray, list[int]]:
    answer = subprocess.run(
        [sys.executable, "-c", SCORES, str(folder), json.dumps(MOVIES)],
        env=os.environ | {"OPENBLAS_CORETYPE": kernel},
        capture_output=True,
        check=True,
    )
    scores, movies = json.loads(answer.stdout)
    return np.array(scores), movies


@pytest.mark.parametrize("algorithm", ["hybrid", "als"])
def test_an_artefact_scores_alike_under_each_kernel(algorithm: str, tmp_path: Path) -> None:
    cpuinfo = Path("/proc/cpuinfo")
    flags = set(cpuinfo.read_text().split()) if cpuinfo.exists() else set()
    kernels = [kernel for kernel, flag in FLAGS.items() if flag in flags]
    fitted(algorithm).save(tmp_path / "model")
    answers = [scores_under(kernel, tmp_path / "model") for kernel in kernels]
    for scores, movies in answers[1:]:
        if algorithm == "hybrid":
            np.testing.assert_array_equal(scores, answers[0][0])
            assert movies == answers[0][1]
        np.testing.assert_allclose(scores, answers[0][0], rtol=NEAR_TIE)
