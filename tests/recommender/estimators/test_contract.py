import pytest

from recommender.estimators import ESTIMATORS
from tests.recommender.estimators.contract import RecommenderContract

pytestmark = pytest.mark.ml_test("I2")

FOR_PERSONAL_MODELS = {"test_finds_the_one_right_answer_on_a_checkerboard"}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "algorithm" in metafunc.fixturenames:
        is_for_all = metafunc.function.__name__ not in FOR_PERSONAL_MODELS
        algorithms = [name for name, kind in ESTIMATORS.items() if kind.is_personal or is_for_all]
        metafunc.parametrize("algorithm", sorted(algorithms))


class TestEveryEstimator(RecommenderContract):
    pass
