"""People and genres that a search names."""

from collections.abc import Iterable, Sequence
from functools import cache

from django.conf import settings
from django.db.models import Count, Sum
from django.utils import translation

from catalog.models import GENRES, Credit, Genre, Person
from catalog.search.backends import PREFIX, TermQuery, matching
from catalog.text import fold, whole_name

MAX_PEOPLE, MAX_GENRES = 3, 2
CANDIDATES = 50  # people whose fame is counted: a common first name has thousands
# Words around a genre: `phim kinh dị` and `horror movies` are `horror`.
_BEFORE, _AFTER = (("phim",), ("the", "loai"), ("phim", "the", "loai")), ("movie", "movies", "film", "films")
_ALSO = {"Science Fiction": ["Sci-Fi"], "Sci-Fi": ["Science Fiction"], "noir": ["Film-Noir"], "animated": ["Animation"]}


def named_people(words: Sequence[str], *, may_continue: bool) -> list[Person]:
    """At most MAX_PEOPLE with all these words in their names, in any order; the last one may be incomplete.

    Those with exactly this name come first, then those with these words, then those whose movies have most ratings.
    """
    query = people_query(words, may_continue=may_continue)
    # By a column without an index: Postgres would else read the table until it has so many, and all of it for none.
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
    """Whether the name has each of the words, and not just beginnings of them."""
    return all(f" {word} " in person.search_terms for word in words)


def _name(words: Sequence[str]) -> str:
    return whole_name(" ".join(words))


def _rank(words: Sequence[str], person: Person) -> tuple[bool, bool]:
    return not has_words(person, [_name(words)]), not has_words(person, words)


def _candidates(words: Sequence[str], query: TermQuery) -> list[Person]:
    """Those of many who are in the best known movies, and everyone with exactly this name."""
    known = Credit.objects.filter(matching(query, of="person__")).order_by("-movie__rating_count", "movie_id")
    keys = set(known.values_list("person", flat=True)[:CANDIDATES])
    exact = Person.objects.filter(matching(TermQuery((), (_name(words),)))).order_by("search_terms")
    return list({*Person.objects.filter(pk__in=keys), *exact[:CANDIDATES]})


def _fame(keys: set[int]) -> dict[int, tuple[int, int]]:
    people = Person.objects.filter(pk__in=keys).order_by()
    rows = people.values_list("pk").annotate(ratings=Sum("credits__movie__rating_count"), n=Count("credits"))
    return {key: (-(ratings or 0), -n_credits) for key, ratings, n_credits in rows}


def named_genres(words: Sequence[str], *, any_name: bool) -> list[Genre]:
    """At most MAX_GENRES with this name, in any language of the site.

    `any_name` also looks for genres that the site has no labels for.
    """
    asked = {"".join(part) for part in _without_frame(words)} - {""}
    names = {name for text in asked for name in _names_by_label().get(text, ())}
    if not (names or any_name):
        return []
    genres = Genre.objects.all() if any_name else Genre.objects.filter(name__in=names)
    return [genre for genre in genres if genre.name in names or _joined(genre.name) in asked][:MAX_GENRES]


def _without_frame(words: Sequence[str]) -> list[Sequence[str]]:
    """The words, and without words like `movies` around them."""
    found = [words, *(words[len(start) :] for start in _BEFORE if tuple(words[: len(start)]) == start)]
    return [*found, words[:-1]] if words[-1] in _AFTER else found


@cache
def _names_by_label() -> dict[str, set[str]]:
    """Names of genres by what they are called in each language, folded and without spaces."""
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
