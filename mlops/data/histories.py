"""User histories in a canonical order that depends only on the ratings and their times.

Random draws must not depend on the users' pseudonyms or on the order of the database's rows. Otherwise the same ratings
would give different models on different sites.
"""

import hashlib

import numpy as np
import pandas as pd

from recommender.estimators.columns import MOVIE_ID, RATED_AT, RATING, USER_ID

_ROW = np.dtype([(MOVIE_ID, "<i8"), (RATING, "<f8"), (RATED_AT, "<i8")])
_ORDER = [USER_ID, RATED_AT, MOVIE_ID, RATING]


class Rows:
    """Digests of the columns in row order. Earlier versions hashed ratings this way."""

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
    """Digests of the users' histories, added in chunks of any size. A user's rows must be contiguous."""

    def __init__(self) -> None:
        self._digests: list[bytes] = []
        self._last = hashlib.sha256()
        self._user: int | None = None

    def add(self, ratings: pd.DataFrame) -> None:
        """Adds a chunk with the columns user_id, movie_id, rating and rated_at (UTC).

        If a user's rows span two chunks, the earlier ratings must be in the first one.
        """
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
        """Returns one digest per user, ordered by the users' numbers."""
        self._close()
        self._user = None
        return self._digests

    def _close(self) -> None:
        if self._user is not None:
            self._digests.append(self._last.digest())


def in_canonical_order(ratings: pd.DataFrame) -> pd.DataFrame:
    """Returns the ratings with users numbered from 0 in order of their histories' digests, sorted by user and time."""
    if ratings.empty:
        return ratings
    histories = Histories()
    histories.add(ratings)
    digests = np.array(histories.digests(), dtype="S32")
    places = np.empty(len(digests), dtype=np.int64)
    places[np.argsort(digests, kind="stable")] = np.arange(len(digests))
    codes = pd.factorize(ratings[USER_ID], sort=True)[0]
    return ratings.assign(**{USER_ID: places[codes]}).sort_values(_ORDER, ignore_index=True)
