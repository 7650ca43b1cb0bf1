import pytest

from recommender.estimators import ESTIMATORS
from tests.recommender.estimators.contract import RecommenderContract

pytestmark = pytest.mark.ml_test("I2")

NOT_PERSONAL = {"test_finds_the_one_right_answer_on_a_checkerboard": {"popularity"}}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "algorithm" in metafunc.fixturenames:
        left_out = NOT_PERSONAL.get(metafunc.function.__name__, set())
        metafunc.parametrize("algorithm", sorted(set(ESTIMATORS) - left_out))


class TestEveryEstimator(RecommenderContract):
    pass
