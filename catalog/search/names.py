"""Finds people and genres by name."""

from collections.abc import Iterable, Sequence
from functools import cache

from django.conf import settings
from django.db.models import Count, Sum
from django.utils import translation

from catalog.models import GENRES, Credit, Genre, Person
from catalog.search.backends import PREFIX, TermQuery, matching
from catalog.text import fold, whole_name

MAX_PEOPLE, MAX_GENRES = 3, 2
CANDIDATES = 50  # people whose ratings are counted; a common first name matches thousands
# Words around the name of a genre. `phim kinh dị` and `horror movies` both mean `horror`.
_BEFORE, _AFTER = (("phim",), ("the", "loai"), ("phim", "the", "loai")), ("movie", "movies", "film", "films")
_ALSO = {"Science Fiction": ["Sci-Fi"], "Sci-Fi": ["Science Fiction"], "noir": ["Film-Noir"], "animated": ["Animation"]}


def named_people(words: Sequence[str], *, may_continue: bool) -> list[Person]:
    """Returns at most MAX_PEOPLE people whose names contain all the words. The last word may be incomplete.

    People with exactly this name come first, then those with all words in full, then those whose movies have most
    ratings.
    """
    query = people_query(words, may_continue=may_continue)
    # Sorted by a column without an index. With an index, Postgres would read the table in that order until it has
    # enough matches, or to the end.
    people = list(Person.objects.filter(matching(query)).order_by("search_terms")[: CANDIDATES + 1])
    if len(people) > CANDIDATES:
        people = _candidates(words, query)
    if len(people) > 1:
        fame = _fame({person.pk for person in people})
        people.sort(key=lambda person: (*_rank(words, person), *fame[person.pk], person.pk))
    return people[:MAX_PEOPLE]


def people_query(words: Sequence[str], *, may_continue: bool) -> TermQuery:
    *whole, last = words
    end = PREFIX if may_continue else ""
    return TermQuery(tuple((word,) for word in (*whole, last + end)), (_name(words) + end,))


def has_words(person: Person, words: Iterable[str]) -> bool:
    """Returns whether the name contains all the words in full, not only as prefixes."""
    return all(f" {word} " in person.search_terms for word in words)


def _name(words: Sequence[str]) -> str:
    return whole_name(" ".join(words))


def _rank(words: Sequence[str], person: Person) -> tuple[bool, bool]:
    return not has_words(person, [_name(words)]), not has_words(person, words)


def _candidates(words: Sequence[str], query: TermQuery) -> list[Person]:
    """Narrows many matches down to people in the best-known movies and people with exactly this name."""
    known = Credit.objects.filter(matching(query, of="person__")).order_by("-movie__rating_count", "movie_id")
    keys = set(known.values_list("person", flat=True)[:CANDIDATES])
    exact = Person.objects.filter(matching(TermQuery((), (_name(words),)))).order_by("search_terms")
    return list({*Person.objects.filter(pk__in=keys), *exact[:CANDIDATES]})


def _fame(keys: set[int]) -> dict[int, tuple[int, int]]:
    people = Person.objects.filter(pk__in=keys).order_by()
    rows = people.values_list("pk").annotate(ratings=Sum("credits__movie__rating_count"), n=Count("credits"))
    return {key: (-(ratings or 0), -n_credits) for key, ratings, n_credits in rows}


def named_genres(words: Sequence[str], *, any_name: bool) -> list[Genre]:
    """Returns at most MAX_GENRES genres with this name in any language of the site.

    `any_name` also finds genres that the site has no labels for.
    """
    asked = {"".join(part) for part in _without_frame(words)} - {""}
    names = {name for text in asked for name in _names_by_label().get(text, ())}
    if not (names or any_name):
        return []
    genres = Genre.objects.all() if any_name else Genre.objects.filter(name__in=names)
    return [genre for genre in genres if genre.name in names or _joined(genre.name) in asked][:MAX_GENRES]


def _without_frame(words: Sequence[str]) -> list[Sequence[str]]:
    """Returns the words themselves, and the words without surrounding ones like `movies`."""
    found = [words, *(words[len(start) :] for start in _BEFORE if tuple(words[: len(start)]) == start)]
    return [*found, words[:-1]] if words[-1] in _AFTER else found


@cache
def _names_by_label() -> dict[str, set[str]]:
    """Maps each genre's labels in all languages, folded and without spaces, to its names."""
    found: dict[str, set[str]] = {}
    for text, names in _ALSO.items():
        found.setdefault(_joined(text), set()).update(names)
    for language, _name_of_language in settings.LANGUAGES:
        with translation.override(language):
            for name, label in GENRES.items():
                found.setdefault(_joined(str(label)), set()).add(name)
                found.setdefault(_joined(name), set()).add(name)
    return found


def _joined(text: str) -> str:
    return fold(text).replace(" ", "")
