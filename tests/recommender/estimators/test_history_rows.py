"""History rows cache the matrices that models derive from them."""

import numpy as np

from recommender.estimators.interactions import HistoryRows, once, user_rows


def test_each_thing_is_derived_once() -> None:
    asked: list[str] = []
    rows = user_rows(np.ones(1), np.zeros(1, dtype=np.int32), np.array([0, 1], dtype=np.int32), 3, HistoryRows)

    found = [once(rows, key, lambda key=key: asked.append(key) or len(asked)) for key in ("a", "b", "a")]

    assert (found, asked) == ([1, 2, 1], ["a", "b"])


def test_a_slice_of_rows_derives_anew() -> None:
    indptr = np.array([0, 1, 2], dtype=np.int32)
    rows = user_rows(np.ones(2), np.zeros(2, dtype=np.int32), indptr, 3, HistoryRows)
    once(rows, "sum", rows.sum)
    part = rows[:1]

    assert once(part, "sum", part.sum) == 1.0


def test_other_matrices_keep_nothing() -> None:
    rows = user_rows(np.ones(1), np.zeros(1, dtype=np.int32), np.array([0, 1], dtype=np.int32), 3)

    assert [once(rows, "a", iter([1, 2]).__next__), once(rows, "a", lambda: 2)] == [1, 2]
