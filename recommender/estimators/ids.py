"""User-supplied ids (ints of any size, or strings) and their positions in sorted arrays."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from recommender.estimators.lazy_pandas import pd

IdArray = np.ndarray[Any, Any]


def id_array(values: Any, column: str) -> IdArray:
    """Return the ids as an int64 array, or as an object array for strings and ints too large for int64.

    Converts integral floats to ints, because pandas stores ints as floats if a value is missing. Raises ValueError with
    the row for any other value and for missing ids.
    """
    if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
        raise ValueError(f"{column}: expected a list of ids, got {values!r}")
    array = _as_numpy(values)
    if array.ndim != 1:
        raise ValueError(f"{column}: expected a flat list of ids, got {array.ndim} dimensions")
    if array.dtype.kind == "i":
        return array.astype(np.int64, copy=False)
    if array.dtype.kind == "u" and (not len(array) or array.max() <= np.iinfo(np.int64).max):
        return array.astype(np.int64)
    return _from_objects(array.astype(object), column)


def _as_numpy(values: Any) -> IdArray:
    if isinstance(values, np.ndarray):
        return values
    if "pandas" in sys.modules and isinstance(values, (pd.Series, pd.Index, pd.api.extensions.ExtensionArray)):
        return np.asarray(values if isinstance(values.dtype, np.dtype) else values.astype(object))
    items = list(values)
    # fast path for the common case that all values are ints and none is a bool
    return _int_array(items) if set(map(type, items)) == {int} else object_array(items)


def _from_objects(array: IdArray, column: str) -> IdArray:
    if not len(array):
        return np.empty(0, dtype=np.int64)
    kinds: set[type] = {_kind(value, row, column) for row, value in enumerate(array)}
    if len(kinds) > 1:
        raise ValueError(f"{column}: ids must be all ints or all strings, got both")
    if kinds == {str}:
        return object_array([str(value) for value in array])
    return _int_array([int(value) for value in array])


def _int_array(numbers: list[int]) -> IdArray:
    try:
        return np.array(numbers, dtype=np.int64)
    except OverflowError:
        return object_array(numbers)


def _kind(value: Any, row: int, column: str) -> type:
    if isinstance(value, str) and value:
        return str
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool):
        return int
    if isinstance(value, (float, np.floating)) and float(value).is_integer() and abs(float(value)) < 2**53:
        return int
    raise ValueError(f"{column}: row {row}: {value!r} is not an id; expected an int or a non-empty string")


def object_array(values: list[Any]) -> IdArray:
    """Return an object array of the unchanged values."""
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def join_ids(first: IdArray, second: IdArray, column: str) -> IdArray:
    """Return the sorted unique ids of both arrays. Raises ValueError for a mix of ints and strings."""
    if not len(first) or not len(second):
        return unique_ids(second if len(second) else first)
    if first.dtype == second.dtype == np.int64:
        return unique_ids(np.concatenate([first, second]))
    return unique_ids(id_array(np.concatenate([first.astype(object), second.astype(object)]), column))


def unique_ids(ids: IdArray) -> IdArray:
    """Return the sorted unique ids."""
    return factorize_ids(ids)[1]


def factorize_ids(ids: IdArray) -> tuple[np.ndarray[Any, Any], IdArray]:
    """Return the position of each id in the sorted unique ids, and the sorted unique ids."""
    if ids.dtype == np.int64:
        uniques, codes = np.unique(ids, return_inverse=True)
        return codes, uniques
    codes, uniques = pd.factorize(ids, sort=True)
    return codes, np.asarray(uniques)


class IdIndex:
    """Looks up the positions of ids."""

    def __init__(self, ids: IdArray) -> None:
        self._dtype = ids.dtype
        self._order = np.argsort(ids, kind="stable") if ids.dtype == np.int64 else None
        self._ids = pd.Index(ids, dtype=ids.dtype) if self._order is None else ids[self._order]

    def positions(self, ids: Iterable[Any]) -> np.ndarray[Any, Any]:
        """Return the int64 positions of the ids in the indexed array, -1 for unknown ids."""
        wanted = ids if isinstance(ids, np.ndarray) else _as_numpy(list(ids))
        if not len(wanted) or not len(self._ids):
            return np.full(len(wanted), -1, dtype=np.int64)
        if wanted.dtype != self._dtype:
            wanted = self._cast(wanted)
        if self._order is None:
            return self._by_hash(wanted)
        if wanted.dtype != np.int64:
            found = self._by_hash(wanted)
            return np.where(found >= 0, self._order[found], -1)
        places = np.minimum(np.searchsorted(self._ids, wanted), len(self._ids) - 1)
        return np.where(self._ids[places] == wanted, self._order[places], -1)

    def _by_hash(self, wanted: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        found: np.ndarray[Any, Any] = pd.Index(self._ids).get_indexer(pd.Index(wanted, dtype=wanted.dtype))
        return found.astype(np.int64, copy=False)

    def _cast(self, wanted: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Cast the ids to the index's dtype for a fast look-up, unless that would change them."""
        try:
            ids = id_array(wanted, "ids")
        except ValueError:  # not valid ids (None, mixed types), hence unknown; the caller raises the error
            return wanted.astype(object)
        return ids if ids.dtype == self._dtype else ids.astype(object)


def keep_places(shown: Sequence[Any], chosen: Sequence[Any]) -> list[Any]:
    """Order the chosen titles so that titles already shown keep their places.

    Parameters
    ----------
    shown
        Ids on the page, in order.
    chosen
        Ids to show next.

    Returns
    -------
    list
        The ids of `chosen`. New ids take the places of ids that are no longer shown.

    Examples
    --------
    >>> keep_places([1, 2, 3], [3, 4, 1])
    [1, 4, 3]
    """
    new = [movie for movie in chosen if movie not in shown]
    wall = [movie if movie in chosen else (new.pop(0) if new else None) for movie in shown]
    return [movie for movie in (*wall, *new) if movie is not None]
