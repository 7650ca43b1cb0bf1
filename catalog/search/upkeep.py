"""Keeps what search goes by in step with the movies' titles, where those were written past `Movie.save()`."""

from django.db import transaction

from catalog.models import Movie, SearchTerm
from catalog.querysets import MovieQuerySet

BATCH = 500
_TITLES = ("title", "original_title", "search_title", "search_terms")


def refresh_search(movies: MovieQuerySet) -> int:
    """Of these movies; returns how many would not have been found, or not sorted, by all their titles."""
    keys = list(movies.order_by("pk").values_list("pk", flat=True))
    n_wrong = 0
    for start in range(0, len(keys), BATCH):
        with transaction.atomic():
            batch = Movie.objects.filter(pk__in=keys[start : start + BATCH]).order_by("pk")
            wrong = with_wrong_search(batch.select_for_update(no_key=True))
            Movie.objects.bulk_update(wrong, ["search_title", "search_terms"])
            SearchTerm.objects.learn(movie.search_terms for movie in wrong)
        n_wrong += len(wrong)
    return n_wrong


def forget_unused_terms() -> int:
    """Takes away the terms that no movie has any more; how many. What a purged title said must not stay in them."""
    known = list(SearchTerm.objects.values_list("pk", "term"))  # first: what is learnt meanwhile is left alone
    used = terms_of_movies()
    unused = [pk for pk, term in known if term not in used]
    for start in range(0, len(unused), BATCH):
        SearchTerm.objects.filter(pk__in=unused[start : start + BATCH]).delete()
    return len(unused)


def terms_of_movies() -> set[str]:
    texts = Movie.objects.order_by().values_list("search_terms", flat=True).iterator()
    return {term for text in texts for term in text.split()}


def with_wrong_search(movies: MovieQuerySet) -> list[Movie]:
    """Those whose columns do not say what their titles do. Set right on the rows returned, and not saved."""
    wrong = []
    for movie in movies.only(*_TITLES).prefetch_related("alternative_titles"):
        former = (movie.search_title, movie.search_terms)
        movie.set_search()
        if (movie.search_title, movie.search_terms) != former:
            wrong.append(movie)
    return wrong
