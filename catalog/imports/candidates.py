"""Suggests movies for unmatched rows: by their ids, and by the similarity of title and year."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from functools import reduce
from operator import or_

from django.db.models import Q

from catalog.ingest.identity import PUBLIC_IDS, IdIndex, having_any_id
from catalog.ingest.titles import ARTICLES, Name
from catalog.models import Movie, SearchTerm
from catalog.models.match_choice import Matched
from catalog.progress import chunks
from catalog.search.backends import TermQuery, matching
from catalog.text import TERM_LENGTH, fold, whole_name

MOST = 3
YEARS = 3  # how far the year of a movie that shares only some words may be off
MAX_WORDS = 8
SHORTEST = 3  # letters of a word that counts, if the title has longer ones
WORDS_A_QUERY = 60  # below SQLite's limits of parameters and of the depth of an expression
ROWS_A_QUERY = 50
COMPARED = 12  # movies whose titles are compared letter by letter, for each row
LEAST = 0.5  # similarity of a suggestion
SAME_ID = 2.0
ALL_WORDS = 0.8  # similarity of a movie that has all words, perhaps in several of its names
YEAR_OFF = 0.04  # similarity that each year takes off
MAX_YEARS_OFF = 7

_ARTICLES = frozenset(fold(ARTICLES).split())
_READ = ("pk", "title", "original_title", "search_terms", "year", "rating_count", *PUBLIC_IDS)


class _Wanted:
    """What an unmatched row says about its movie: words with their spellings one letter away, name and ids."""

    def __init__(self, row: Matched) -> None:
        words = [word[:TERM_LENGTH] for word in fold(row.title).split()]
        telling = [word for word in words if len(word) >= SHORTEST and word not in _ARTICLES] or words
        self.words = list(dict.fromkeys(telling))[:MAX_WORDS]
        self.name = whole_name(fold(row.title)) if words else ""
        self.title = Name.of(row.title)
        self.year = row.year
        self.ids = {name: row.identity[name] for name in PUBLIC_IDS if name in row.identity}
        terms = [*self.words, self.name] if words else []
        self.spellings: dict[str, list[str]] = {term: [] for term in terms}

    def filter(self) -> Q:
        """Returns the movies with an id, with the name or all words, and those of about the year with any word."""
        found = having_any_id({name: [value] for name, value in self.ids.items()})
        if not self.words:
            return found
        names = tuple(self.spellings[self.name])
        words = tuple(tuple(self.spellings[word]) for word in self.words)
        found |= Q(matching(TermQuery(words if len(words) > 1 else (), names)))
        if self.year is None:
            return found
        about = Q(year__range=(self.year - YEARS, self.year + YEARS))
        return found | (about & matching(TermQuery((tuple(term for terms in words for term in terms),), names)))

    def similarity(self, movie: Movie) -> float:
        """Returns 1 for the same name and year, less for each year in between, and more for an id of the row."""
        if any(getattr(movie, name) == value for name, value in self.ids.items()):
            return SAME_ID
        spellings = (movie.title, movie.original_title) if movie.original_title else (movie.title,)
        ratio = max(SequenceMatcher(None, self.title.words, Name.of(title).words).ratio() for title in spellings)
        terms = set(movie.search_terms.split())  # of its other names too
        if self.name in terms:
            ratio = 1.0
        elif len(self.words) > 1 and all(not terms.isdisjoint(self.spellings[word]) for word in self.words):
            ratio = max(ratio, ALL_WORDS)
        years_off = abs(self.year - movie.year) if self.year and movie.year else 1 if self.year else 0
        return ratio - YEAR_OFF * min(years_off, MAX_YEARS_OFF)


class _Pool:
    """The movies that were read for the rows of a page, by their terms and ids."""

    def __init__(self, movies: Iterable[Movie]) -> None:
        self._movies = {movie.pk: movie for movie in movies}
        self._by_term: dict[str, list[int]] = defaultdict(list)
        self._by_id = IdIndex(self._movies.values(), names=PUBLIC_IDS)
        for movie in self._movies.values():
            for term in movie.search_terms.split():
                self._by_term[term].append(movie.pk)

    def best(self, one: _Wanted) -> list[Movie]:
        """Returns the best few movies for a row. Compares titles only of those that share most with it."""
        named = (self._by_id.get(name, value) for name, value in one.ids.items())
        compared = {movie.pk: movie for movie in named if movie}
        shared = self._shared(one)
        for pk in sorted(shared, key=lambda pk: (-shared[pk], pk))[:COMPARED]:
            compared[pk] = self._movies[pk]
        rated = [(one.similarity(movie), movie) for movie in compared.values()]
        rated.sort(key=lambda pair: (-pair[0], -pair[1].rating_count, pair[1].pk))
        return [movie for similarity, movie in rated if similarity >= LEAST][:MOST]

    def _shared(self, one: _Wanted) -> dict[int, float]:
        """Returns the movies that share a term with the row. Rare terms count more."""
        shared: dict[int, float] = defaultdict(float)
        for terms in one.spellings.values():
            found = {pk for term in terms for pk in self._by_term.get(term, ())}
            for pk in found:
                shared[pk] += 1 / len(found)
        return shared


def add_candidates(rows: Iterable[Matched]) -> None:
    """Sets the best few movies for each row without movie or choice, best first.

    The number of queries does not grow with the number of rows on a page.
    """
    wanted = [(row, _Wanted(row)) for row in rows if _is_open(row)]
    _add_spellings([one for _row, one in wanted])
    pool = _Pool(_movies([one for _row, one in wanted]))
    for row, one in wanted:
        row.candidates = pool.best(one)


def _is_open(row: Matched) -> bool:
    return row.is_matchable and row.movie_id is None and row.choice != Matched.Choice.NONE


def _add_spellings(wanted: Sequence[_Wanted]) -> None:
    terms = list(dict.fromkeys(term for one in wanted for term in one.spellings))
    near: dict[str, list[str]] = {}
    for some in chunks(terms, WORDS_A_QUERY):
        near |= SearchTerm.objects.near(some)
    for one in wanted:
        one.spellings = {term: list(dict.fromkeys([term, *near[term]])) for term in one.spellings}


def _movies(wanted: Sequence[_Wanted]) -> Iterator[Movie]:
    for some in chunks(wanted, ROWS_A_QUERY):
        yield from Movie.objects.filter(reduce(or_, (one.filter() for one in some))).order_by().only(*_READ)
