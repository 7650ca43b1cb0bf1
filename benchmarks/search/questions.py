"""Random requests for search, suggestions and browsing, drawn from the catalogue."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, NamedTuple

from django.http import HttpRequest, QueryDict

from benchmarks.search.typos import EDITS
from catalog.filters import ORDERINGS, MovieFilter
from catalog.models import Genre, Keyword, Movie, Person, User
from catalog.paging import KeysFirstPaginator
from catalog.search.query import suggest

PAGE_SIZE = 36


class Question(NamedTuple):
    """A request. `query` is a URL's query string. Without a `page`, it requests suggestions."""

    query: dict[str, Any]
    page: int | None = 1
    user: Any = None


def ask(question: Question) -> list[Any]:
    if question.page is None:
        return list(suggest(question.query["q"]))
    query = QueryDict(mutable=True)
    for name, value in question.query.items():
        query.setlist(name, [str(value)])
    request = HttpRequest()
    request.user = question.user
    found = MovieFilter(query, queryset=Movie.objects.all(), request=request).qs
    return list(KeysFirstPaginator(found, PAGE_SIZE).get_page(question.page).object_list)


class Questions:
    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._orderings = list(ORDERINGS)
        self._n_pages = Movie.objects.count() // PAGE_SIZE
        self._known = list(Movie.objects.order_by("-rating_count").values_list("title", flat=True)[:2000])
        self._words = sorted({word for title in self._known for word in title.split() if word.isalpha()})
        self._genres = list(Genre.objects.values_list("slug", flat=True))
        self._people = list(Person.objects.order_by("?").values_list("pk", flat=True)[:500])
        self._keywords = list(Keyword.objects.values_list("name", flat=True))
        self._languages = Movie.objects.languages()
        self._users = list(User.objects.order_by("?")[:50])

    def kinds(self) -> dict[str, Callable[[], Question]]:
        pick, rng = self._rng.choice, self._rng
        return {
            "search: a title": lambda: Question({"q": pick(self._known)}),
            "search: half a title": lambda: Question({"q": self._beginning(3)}),
            "search: one word": lambda: Question({"q": pick(self._words)}),
            "search: a wrong letter": lambda: Question({"q": self._misspelt()}),
            "search: with filters and a sort": lambda: Question({"q": pick(self._words)} | self._filters()),
            "suggestions: while typing": lambda: Question({"q": self._beginning(2)}, None),
            "browse: first page of a sort": lambda: Question({"ordering": pick(self._orderings)}),
            "browse: any page of a sort": lambda: Question(
                {"ordering": pick(self._orderings)}, rng.randint(1, self._n_pages)
            ),
            "browse: filters and a sort": lambda: Question(self._filters()),
            "browse: filters and a sort, a later page": lambda: Question(self._filters(), rng.randint(2, 20)),
            "browse: without seen movies": lambda: Question(
                {"hide_seen": "true", "ordering": pick(self._orderings)}, user=pick(self._users)
            ),
            "a person": lambda: Question({"person": pick(self._people), "ordering": "newest"}),
            "a genre": lambda: Question({"genre": pick(self._genres)}),
        }

    def _beginning(self, shortest: int) -> str:
        title = self._rng.choice(self._known)
        return title[: self._rng.randint(shortest, max(len(title) // 2, shortest))]

    def _misspelt(self) -> str:
        return self._rng.choice(list(EDITS.values()))(self._rng.choice(self._known), self._rng)

    def _filters(self) -> dict[str, Any]:
        """Returns one to three filters and a sort."""
        year = self._rng.randint(1940, 2010)
        choices = {
            "genre": self._rng.choice(self._genres),
            "year_min": year,
            "year_max": year + 20,
            "language": self._rng.choice(self._languages),
            "rating_min": self._rng.choice([3, 3.5, 4]),
            "keyword": self._rng.choice(self._keywords),
        }
        names = self._rng.sample(sorted(choices), self._rng.randint(1, 3))
        return {name: choices[name] for name in names} | {"ordering": self._rng.choice(self._orderings)}
