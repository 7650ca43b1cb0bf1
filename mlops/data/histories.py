"""Histories: what each user rated, and when, in an order that follows from these alone.

Neither the pseudonyms of users nor the order in which a database returns rows may decide what is drawn at
random, or the same ratings would make another model on another site.
"""

import hashlib

import numpy as np
import pandas as pd

from recommender.estimators.columns import MOVIE_ID, RATED_AT, RATING, USER_ID

_ROW = np.dtype([(MOVIE_ID, "<i8"), (RATING, "<f8"), (RATED_AT, "<i8")])
_ORDER = [USER_ID, RATED_AT, MOVIE_ID, RATING]


class Rows:
    """Digests of the columns in the order of the rows, as earlier versions hashed ratings."""

    def __init__(self) -> None:
        self._columns = {name: hashlib.sha256() for name in (USER_ID, MOVIE_ID, RATING, RATED_AT)}

    def add(self, ratings: pd.DataFrame) -> None:
        times = ratings[RATED_AT].dt.as_unit("us").astype(np.int64)
        for name, digest in self._columns.items():
            values = times if name == RATED_AT else ratings[name]
            digest.update(np.ascontiguousarray(values, dtype="<f8" if name == RATING else "<i8").tobytes())

    def digests(self) -> list[bytes]:
        return [digest.digest() for digest in self._columns.values()]


class Histories:
    """The digest of each user's history, collected in chunks of any size in which a user's rows are together."""

    def __init__(self) -> None:
        self._digests: list[bytes] = []
        self._last = hashlib.sha256()
        self._user: int | None = None

    def add(self, ratings: pd.DataFrame) -> None:
        """`ratings`: user_id, movie_id, rating, rated_at (UTC); of a user in two chunks, the earlier rows first."""
        if ratings.empty:
            return
        ratings = ratings.sort_values(_ORDER)
        rows = np.empty(len(ratings), dtype=_ROW)
        rows[MOVIE_ID], rows[RATING] = ratings[MOVIE_ID], ratings[RATING]
        rows[RATED_AT] = ratings[RATED_AT].dt.as_unit("us").astype(np.int64)
        users = ratings[USER_ID].to_numpy()
        starts = np.flatnonzero(np.append(True, users[1:] != users[:-1]))
        for start, end in zip(starts.tolist(), [*starts[1:].tolist(), len(rows)], strict=True):
            if users[start] != self._user:
                self._close()
                self._user, self._last = int(users[start]), hashlib.sha256()
            self._last.update(rows[start:end].tobytes())

    def digests(self) -> list[bytes]:
        """One a user, by the user's number."""
        self._close()
        self._user = None
        return self._digests

    def _close(self) -> None:
        if self._user is not None:
            self._digests.append(self._last.digest())


def in_canonical_order(ratings: pd.DataFrame) -> pd.DataFrame:
    """The same ratings with users numbered from 0 by the digests of their histories, and rows by user and time."""
    if ratings.empty:
        return ratings
    histories = Histories()
    histories.add(ratings)
    digests = np.array(histories.digests(), dtype="S32")
    places = np.empty(len(digests), dtype=np.int64)
    places[np.argsort(digests, kind="stable")] = np.arange(len(digests))
    codes = pd.factorize(ratings[USER_ID], sort=True)[0]
    return ratings.assign(**{USER_ID: places[codes]}).sort_values(_ORDER, ignore_index=True)
