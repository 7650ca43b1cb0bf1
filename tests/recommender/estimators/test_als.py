import numpy as np
import pytest
from scipy.sparse import csr_matrix

from recommender.estimators import Dataset
from recommender.estimators.als import AlsRecommender, gram_of, solve_users
from recommender.estimators.interactions import cosines
from tests.recommender.estimators.data import tastes

pytestmark = pytest.mark.ml_test("I2")


def test_a_user_is_the_solution_of_the_normal_equations() -> None:
    """For one user who liked movies 0 and 2: minimise sum_m c_m (p_m - x y_m)^2 + lambda |x|^2, c = 4 or 1."""
    items = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    confidence, preference = np.diag([4.0, 1.0, 4.0]), np.array([1.0, 0.0, 1.0])
    expected = np.linalg.solve(items.T @ confidence @ items + 0.5 * np.eye(2), items.T @ confidence @ preference)
    liked = csr_matrix(np.array([[1.0, 0.0, 1.0], [0.0, 0.0, 0.0]]))
    users = solve_users(liked, items, gram_of(items), regularization=0.5, alpha=4.0)
    np.testing.assert_allclose(users, [expected, [0, 0]])


def test_cosines_of_rows_of_zeros_are_zero() -> None:
    items = np.array([[3.0, 4.0], [0.0, 0.0], [4.0, -3.0], [6.0, 8.0]])
    np.testing.assert_allclose(cosines(items.T, np.array([0, 1])), [[1, 0, 0, 1], [0, 0, 0, 0]], atol=1e-12)


def test_chooses_only_what_is_not_given() -> None:
    ds = Dataset.from_frames(*tastes())
    small = {"n_components": 4, "epochs": 2}
    assert set(AlsRecommender(**small).fit(ds).best_params_) == {"alpha", "regularization"}
    assert set(AlsRecommender(**small, alpha=3.0).fit(ds).best_params_) == {"regularization"}
    assert set(AlsRecommender(**small, regularization=3.0).fit(ds).best_params_) == {"alpha"}
    assert AlsRecommender(**small, alpha=2.0, regularization=3.0).fit(ds).best_params_ == {}


def test_another_seed_gives_other_factors() -> None:
    ds = Dataset.from_frames(*tastes())
    one, other = (
        AlsRecommender(n_components=4, alpha=2.0, regularization=1.0, random_state=seed).fit(ds) for seed in (0, 1)
    )
    assert not np.allclose(one.item_factors_, other.item_factors_)


@pytest.mark.parametrize(
    ("name", "bad"), [("n_components", 0), ("epochs", 1.5), ("alpha", 0), ("regularization", -1), ("epochs", True)]
)
def test_refuses_parameters_out_of_range(name: str, bad: object) -> None:
    with pytest.raises(ValueError, match=name):
        AlsRecommender(**{name: bad})
