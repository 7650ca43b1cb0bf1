"""Checks whether Postgres' query plans use the intended indexes."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from catalog.filters import in_order
from catalog.models import Genre, Keyword, Movie, Person, SearchTerm
from catalog.search.backends import TermQuery, matching
from catalog.search.query import WELL_KNOWN

PAGE = 36


def plan_rows() -> list[dict[str, Any]]:
    movies = Movie.objects.all()
    rare = movies.filter(matching(TermQuery((("shawshank",), ("redemption*",)), ())))
    common = movies.filter(matching(TermQuery((("the",),), ()))).order_by(*WELL_KNOWN)[:1000]
    misspelt = SearchTerm.objects.perhaps_meant_by(["shawshnak"])
    person, genre, keyword = Person.objects.first(), Genre.objects.first(), Keyword.objects.first()
    questions: dict[str, tuple[QuerySet, list[str]]] = {
        "words of a title": (rare, ["catalog_movie_search"]),
        "a common word": (common, ["catalog_movie_most_rated or catalog_movie_search"]),
        "a misspelt word": (misspelt, ["catalog_searchterm_unique", "catalog_searchterm_reversed"]),
        "popular, a page in the middle": (_page(in_order(movies, "popular")), ["catalog_movie_popularity"]),
        "newest": (_page(in_order(movies, "newest")), ["catalog_movie_newest_nulls_last"]),
        "most rated": (_page(in_order(movies, "most_rated")), ["catalog_movie_most_rated"]),
        "best rated": (_page(in_order(movies, "best_rated")), ["catalog_movie_best_rated"]),
        "by title": (_page(in_order(movies, "title")), ["catalog_movie_title"]),
        "best rated of some years": (
            _page(in_order(movies.filter(year__gte=1990, year__lte=1999), "best_rated")),
            ["catalog_movie_best_rated"],
        ),
        "of a person": (movies.with_person(person), ["catalog_credit"]),
        "of a genre, popular": (in_order(movies.of_genre(genre), "popular")[:PAGE], ["catalog_moviegenre"]),
        "with a keyword": (movies.with_keyword(keyword), ["catalog_moviekeyword"]),
    }
    return [_row(question, *asked) for question, asked in questions.items()]


def _page(movies: QuerySet) -> QuerySet:
    return movies.values_list("pk")[20_000 : 20_000 + PAGE]


def _row(question: str, rows: QuerySet, indexes: list[str]) -> dict[str, Any]:
    plan = rows.explain()
    reads_all = "Seq Scan on catalog_movie " in f"{plan} " or "Seq Scan on catalog_searchterm" in plan
    used = all(any(name in plan for name in index.split(" or ")) for index in indexes)
    return {"question": question, "index": ", ".join(indexes), "found": "yes" if used and not reads_all else "no"}
