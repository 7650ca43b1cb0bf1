"""Interprets a search text and finds matching movies."""

from collections.abc import Sequence
from functools import cached_property

from django.db.models import Case, Q, Value, When
from django.db.models.expressions import Combinable
from django.utils.text import get_text_list
from django.utils.translation import gettext as _

from catalog.models import Credit, Genre, Movie, MovieGenre, Person, SearchTerm
from catalog.models.querysets import MovieQuerySet
from catalog.search.backends import PREFIX, TermQuery, has_any, matching
from catalog.search.names import has_words, named_genres, named_people
from catalog.text import TERM_LENGTH, fold, whole_name

FEW = 5
MAX_WORDS = 20
MOST = 500  # maximum number of matches; sorting all movies with "the" would be slow and useless
SUGGESTED = 8
WELL_KNOWN = ("-rating_count", "id")


class SearchQuery:
    """A search for movies by title, and by people or genre if few titles match.

    It extends the search if fewer than FEW titles contain the words and no title is exactly the text. It then finds the
    movies of people or genres with this name. If there are none, it also matches terms one letter away. Filters do not
    change the interpretation.
    """

    def __init__(self, text: str) -> None:
        self._words = [word[:TERM_LENGTH] for word in fold(text).split()][:MAX_WORDS]
        self.shown_people: list[Person] = []  # people whose movies are found in addition to the titles
        self.shown_genres: list[Genre] = []
        if not self._words:
            return
        self._name = whole_name(" ".join(self._words))
        *whole, last = self._words
        written = TermQuery(tuple((word,) for word in (*whole, last + PREFIX)), (self._name + PREFIX,))
        self._written = self._meant = written
        found = Movie.objects.filter(matching(written)).order_by()
        titles = list(found.values_list("pk", "search_terms")[:FEW])
        self._titles = [key for key, _ in titles]
        self._is_doubtful = len(titles) < FEW and not any(f" {self._name} " in terms for _, terms in titles)
        if self._is_doubtful:
            self._interpret()

    @cached_property
    def people(self) -> list[Person]:
        """Returns a few people with this name, best known first. A single word may be a prefix if no title matches."""
        if not self._words:
            return []
        return named_people(self._words, may_continue=len(self._words) > 1 or not self._titles)

    @cached_property
    def genres(self) -> list[Genre]:
        return named_genres(self._words, any_name=self._is_doubtful) if self._words else []

    def of(self, movies: MovieQuerySet) -> MovieQuerySet:
        """Returns the matching movies, unordered, or none if the text has no letters or digits."""
        if not self._words:
            return movies.none()
        if self._finds_others:
            return movies.filter(Q(pk__in=self._titles) | self._of_others())
        return movies.filter(matching(self._meant))

    def best_known(self, movies: MovieQuerySet, enough: int | None = None) -> list[int]:
        """Returns the ids of at most MOST matches, plus those of movies with exactly this name.

        If the words match as typed, all matches have equal rank, and `enough` ids are sufficient.
        """
        if not self._words:
            return []
        most = enough if enough and self._meant == self._written else MOST
        if self._finds_others:
            titles = _first(movies.filter(pk__in=self._titles), most) if self._titles else []
            return titles + _first(movies.filter(self._of_others()), most)
        keys = _first(self.of(movies), most)
        if len(keys) == most:
            keys += _first(movies.filter(matching(TermQuery((), (self._name,)))), most)
        return keys

    def order(self) -> Sequence[str | Combinable]:
        """Returns the ordering: exact names, then names one letter away and the words as typed, then all others.

        Within each rank, movies with more ratings come first.
        """
        if not self._words or (self._finds_others and not self._titles):
            return WELL_KNOWN  # a CASE without cases becomes its default, 1, which Postgres reads as the first column
        if self._finds_others:
            return (Case(When(pk__in=self._titles, then=Value(0)), default=Value(1)), *WELL_KNOWN)
        ranks = [When(has_any([self._name]), then=Value(0))]
        if self._meant != self._written:
            ranks.append(When(matching(self._written._replace(names=self._meant.names)), then=Value(1)))
        return (Case(*ranks, default=Value(2)), *WELL_KNOWN)

    def suggested(self) -> MovieQuerySet:
        """Returns suggestions for an incomplete text, best first."""
        is_known = self._words and len(self._titles) < FEW and self._meant == self._written and not self._finds_others
        keys = self._titles if is_known else self.best_known(Movie.objects.all(), SUGGESTED)
        return Movie.objects.filter(pk__in=keys).order_by(*self.order())[:SUGGESTED]

    @property
    def heading(self) -> str:
        """Returns a heading with the people or genres whose movies are found, or "" for a search by title only."""
        people, genres = self.shown_people, self.shown_genres
        either = {"names": get_text_list([str(shown) for shown in people or genres], _("or"))}
        if people:
            return (
                _("Matching titles, and movies with %(names)s") if self._titles else _("Movies with %(names)s")
            ) % either
        if genres:
            return (
                _("Matching titles, and movies of the genre %(names)s") if self._titles else _("Genre: %(names)s")
            ) % either
        return ""

    @property
    def _finds_others(self) -> bool:
        return bool(self.shown_people or self.shown_genres)

    def _interpret(self) -> None:
        """Decides whether the text names people or genres, or is a misspelt title.

        A complete name is never treated as a misspelt title. An incomplete one is treated so only if it is close to a
        title.
        """
        named = [person for person in self.people if has_words(person, [self._name])]
        if not (named or self.genres):
            is_whole = len(self._words) > 1
            named = [person for person in self.people if is_whole or has_words(person, self._words)]
        if not (named or self.genres):
            self._meant = self._respelt()
            named = self.people if self._meant == self._written else []
        self.shown_people, self.shown_genres = named, [] if named else self.genres

    def _of_others(self) -> Q:
        if self.shown_people:
            return Q(pk__in=Credit.objects.filter(person__in=self.shown_people).values("movie"))
        return Q(pk__in=MovieGenre.objects.filter(genre__in=self.shown_genres).values("movie"))

    def _respelt(self) -> TermQuery:
        near = SearchTerm.objects.near([self._name, *self._words])
        return TermQuery(
            tuple((*terms, *near[word]) for terms, word in zip(self._written.words, self._words, strict=True)),
            (*self._written.names, *near[self._name]),
        )


def _first(movies: MovieQuerySet, most: int) -> list[int]:
    return list(movies.order_by(*WELL_KNOWN).values_list("pk", flat=True)[:most])


def suggest(text: str) -> MovieQuerySet:
    """Returns suggestions for an incomplete text, best first."""
    return SearchQuery(text).suggested()
