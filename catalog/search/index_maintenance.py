"""Updates the search columns and terms of movies and people that were written without `save()`."""

from collections.abc import Iterator

from django.db import transaction

from catalog.models import Movie, Person, SearchTerm
from catalog.models.querysets import MovieQuerySet
from catalog.progress import chunks

BATCH = 500
_TITLES = ("title", "original_title", "search_title", "search_terms")


def refresh_search(movies: MovieQuerySet) -> int:
    """Recomputes the search columns of these movies. Returns how many were outdated."""
    keys = list(movies.order_by("pk").values_list("pk", flat=True))
    n_wrong = 0
    for some in chunks(keys, BATCH):
        with transaction.atomic():
            batch = Movie.objects.filter(pk__in=some).order_by("pk")
            wrong = with_wrong_search(batch.select_for_update(no_key=True))
            Movie.objects.bulk_update(wrong, ["search_title", "search_terms"])
            SearchTerm.objects.learn(movie.search_terms for movie in wrong)
        n_wrong += len(wrong)
    return n_wrong


def refresh_people() -> None:
    """Recomputes the search terms of all people."""
    for batch in _people():
        Person.objects.bulk_update(_with_wrong_terms(batch), ["search_terms"])


def wrong_people() -> int:
    """Returns the number of people whose search terms do not match their names."""
    return sum(len(_with_wrong_terms(batch)) for batch in _people())


def _people() -> Iterator[list[Person]]:
    """Yields all people in batches by primary key, because there may be millions."""
    last = 0
    while batch := list(Person.objects.filter(pk__gt=last).order_by("pk")[:BATCH]):
        yield batch
        last = batch[-1].pk


def _with_wrong_terms(people: list[Person]) -> list[Person]:
    """Returns the people whose terms do not match their names, corrected but not saved."""
    wrong = []
    for person in people:
        former = person.search_terms
        person.set_search()
        if person.search_terms != former:
            wrong.append(person)
    return wrong


def forget_unused_terms() -> None:
    """Deletes terms that no movie has any more, so that nothing of purged titles remains."""
    known = list(SearchTerm.objects.values_list("pk", "term"))  # read first, so that terms added concurrently are kept
    used = terms_of_movies()
    unused = [pk for pk, term in known if term not in used]
    for some in chunks(unused, BATCH):
        SearchTerm.objects.filter(pk__in=some).delete()


def terms_of_movies() -> set[str]:
    texts = Movie.objects.order_by().values_list("search_terms", flat=True).iterator()
    return {term for text in texts for term in text.split()}


def with_wrong_search(movies: MovieQuerySet) -> list[Movie]:
    """Returns the movies whose search columns do not match their titles, corrected but not saved."""
    wrong = []
    for movie in movies.only(*_TITLES).prefetch_related("alternative_titles"):
        former = (movie.search_title, movie.search_terms)
        movie.set_search()
        if (movie.search_title, movie.search_terms) != former:
            wrong.append(movie)
    return wrong
