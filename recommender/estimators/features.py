"""Sparse features from movie metadata: genres, year, keywords, people, words, language, countries.

Each kind is a block. Its tokens are weighted by inverse document frequency, normalized to length 1 per movie and scaled
by the root of the block's weight. A dot product of two movies is thus a weighted sum of cosines.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from time import perf_counter
from typing import Any, NamedTuple, Self

import numpy as np
from scipy.sparse import csr_matrix

from recommender.estimators.columns import read_movies
from recommender.estimators.interactions import Array
from recommender.estimators.lazy_pandas import pd
from recommender.estimators.movie_table import MovieTable

Tokens = dict[str, float]

WORD = re.compile(r"[^\W\d_]{2,}")
YEAR_STEP = 5
YEAR_BINS = 2  # on each side of the movie's own bin
MAX_CAST = 10
NAMED_KINDS = ("genre", "keyword", "cast", "director")  # kinds that can be named as a reason


class Block(NamedTuple):
    """One kind of feature, with limits on the number and share of movies that have a token."""

    column: str
    tokens: Callable[[Any], Tokens]
    weight: float
    min_movies: int = 2
    max_share: float = 1.0
    is_rarer_better: bool = True


def _listed(values: list[str]) -> Tokens:
    return dict.fromkeys(values, 1.0)


def _billed(values: list[str]) -> Tokens:
    """Return the weights of the cast by billing, with the first name weighted most."""
    tokens: Tokens = {}
    for place, name in enumerate(values[:MAX_CAST]):
        tokens.setdefault(name, 1 / math.sqrt(1 + place))
    return tokens


def _lone(value: str) -> Tokens:
    return {value: 1.0} if value else {}


def _words(text: str) -> Tokens:
    """Return the log frequency of each word. Stop words of any language are removed by the block's max_share."""
    return {word: 1 + math.log(n) for word, n in Counter(WORD.findall(text.lower())).items()}


def _years(date: Any) -> Tokens:
    """Return the bins around the year, so that close years are similar."""
    if date is None or date != date:  # pandas' NaT is not equal to itself
        return {}
    year = date.year + date.timetuple().tm_yday / 366
    nearest = YEAR_STEP * round(year / YEAR_STEP)
    reach = YEAR_STEP * YEAR_BINS
    bins = range(nearest - reach, nearest + reach + 1, YEAR_STEP)
    return {str(center): math.exp(-0.5 * ((year - center) / YEAR_STEP) ** 2) for center in bins}


BLOCKS = {
    "genre": Block("genres", _listed, weight=0.5, min_movies=1),
    "year": Block("release_date", _years, weight=1.0, min_movies=1, is_rarer_better=False),
    "keyword": Block("keywords", _listed, weight=1.0),
    "cast": Block("cast", _billed, weight=1.0),
    "director": Block("directors", _listed, weight=0.25),
    "overview": Block("overview", _words, weight=1.0, max_share=0.3),
    "title": Block("title", _words, weight=0.5, max_share=0.3),
    "language": Block("language", _lone, weight=1.0, min_movies=1, is_rarer_better=False),
    "country": Block("countries", _listed, weight=1.0, min_movies=1, is_rarer_better=False),
}


class MovieFeatures:
    """Vocabulary and token weights, fitted on some movies. Other movies can be transformed.

    `names` holds the (kind, token) of each column. `names` and `token_weights` are the complete state.
    """

    def __init__(self, names: Iterable[Sequence[str]], token_weights: Array) -> None:
        self.names = [(kind, token) for kind, token in names]
        self.token_weights = token_weights
        self._columns = {name: column for column, name in enumerate(self.names)}

    @classmethod
    def fit(cls, movies: pd.DataFrame, kinds: Iterable[str] = BLOCKS) -> Self:
        """Fit all kinds of features, or only `kinds`."""
        names: list[tuple[str, str]] = []
        weights: list[float] = []
        for kind in kinds:
            block = BLOCKS[kind]
            spread = Counter(token for tokens in _tokens(movies, block) for token in tokens)
            kept = sorted(token for token, n in spread.items() if _is_kept(n, block, len(movies)))
            names += [(kind, token) for token in kept]
            weights += [math.log(1 + len(movies) / spread[token]) if block.is_rarer_better else 1.0 for token in kept]
        return cls(names, np.array(weights, dtype=np.float32))

    def transform(self, movies: pd.DataFrame | MovieTable) -> csr_matrix:
        """Return features, float32 (movies, features). A movie without any known token has an empty row."""
        rows: list[int] = []
        columns: list[int] = []
        values: list[float] = []
        fitted = {kind for kind, _ in self.names}
        for kind, block in BLOCKS.items():
            if kind not in fitted:
                continue
            for row, tokens in enumerate(_tokens(movies, block)):
                found = {self._columns.get((kind, token)): value for token, value in tokens.items()}
                known = {column: value for column, value in found.items() if column is not None}
                weighted = [value * float(self.token_weights[column]) for column, value in known.items()]
                length = math.sqrt(sum(value * value for value in weighted))
                rows += [row] * len(known)
                columns += known
                values += [math.sqrt(block.weight) * value / length for value in weighted]
        shape = (len(movies), len(self.names))
        matrix = csr_matrix((np.array(values, dtype=np.float32), (rows, columns)), shape=shape)
        matrix.sort_indices()
        return matrix


def feature_costs(movies: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Return, for each kind that the movies have, the seconds to compute it and its size in MB."""
    described = read_movies(movies)
    result = {}
    for kind in BLOCKS:
        started = perf_counter()
        rows = MovieFeatures.fit(described, [kind]).transform(described)
        seconds = perf_counter() - started
        if rows.nnz:
            megabytes = (rows.data.nbytes + rows.indices.nbytes + rows.indptr.nbytes) / 1e6
            result[kind] = {"seconds": round(seconds, 4), "MB": round(megabytes, 4)}
    return result


def _tokens(movies: pd.DataFrame | MovieTable, block: Block) -> list[Tokens]:
    if block.column not in movies.columns:
        return [{}] * len(movies)
    return [block.tokens(value) for value in movies[block.column]]


def _is_kept(n: int, block: Block, n_movies: int) -> bool:
    """Return whether the block uses a token of n movies. Small catalogues also keep common tokens."""
    return n >= block.min_movies and (n <= block.max_share * n_movies or n_movies < 20)


def named_tokens(feature_names: Sequence[Sequence[str]]) -> dict[str, int]:
    """Return the columns of the features of NAMED_KINDS, keyed by contribution id."""
    names = enumerate(feature_names)
    return {f"{kind}:{token}": column for column, (kind, token) in names if kind in NAMED_KINDS}


def shared_features(of_movies: csr_matrix, tokens: Mapping[str, int], ids: set[str]) -> set[str]:
    """Return the ids of the features that at least two of the movies (rows) have."""
    n_having = np.bincount(of_movies.indices, minlength=of_movies.shape[1])
    return {id for id in ids if id in tokens and n_having[tokens[id]] > 1}
