"""Fast matrix operations give the same results as scipy's, to the last bit."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy.sparse import csr_matrix, random

from recommender.estimators.ids import IdIndex, id_array
from recommender.estimators.interactions import from_mappings, keep_entries, products_of_rows, user_rows


@pytest.fixture
def rows() -> csr_matrix:
    return random(40, 300, density=0.2, format="csr", dtype=np.float32, rng=np.random.default_rng(0))


def test_a_matrix_of_right_arrays_is_scipys(rows):
    ours = user_rows(rows.data, rows.indices, rows.indptr, rows.shape[1])
    assert (ours.shape, ours.dtype, ours.nnz) == (rows.shape, rows.dtype, rows.nnz)
    assert (ours != rows).nnz == 0
    assert (ours.T @ rows != rows.T @ rows).nnz == 0
    assert (ours[3:7] != rows[3:7]).nnz == 0
    kept = keep_entries(ours, ours.data > 0.5)
    kept.check_format(full_check=True)
    assert_array_equal(kept.toarray(), np.where(rows.toarray() > 0.5, rows.toarray(), 0))


def test_products_of_some_rows_are_those_of_all(rows):
    places = [0, 39, 7, 7]
    assert_array_equal(products_of_rows(rows, places), (rows @ rows.T).toarray()[places])


@pytest.mark.parametrize("ids", [[30, 10, 20], ["c", "a", "b"], [30, 2**70, 20]])
def test_positions_are_those_of_the_ids_in_any_order(ids):
    index = IdIndex(id_array(ids, "ids"))
    unknown = "x" if isinstance(ids[0], str) else 5
    assert index.positions([ids[2], unknown, ids[0]]).tolist() == [2, -1, 0]
    assert index.positions([ids[0], None]).tolist() == [0, -1]


@pytest.mark.parametrize("rating", [4, 4.0, np.float32(4), "4"])
def test_ratings_may_be_of_any_type_of_numbers(rating):
    matrix = from_mappings(IdIndex(np.array([30, 10])), [{10: rating, 30: 2.5}, {}], 2)
    matrix.check_format(full_check=True)
    assert_array_equal(matrix.toarray(), [[2.5, 4.0], [0, 0]])
