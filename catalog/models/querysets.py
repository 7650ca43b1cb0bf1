"""Querysets for movies, people, ratings, users, imports and search terms."""

from collections.abc import Iterable
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any, Self

from django.apps import apps
from django.contrib.auth.models import UserManager as DjangoUserManager
from django.db import connection, models
from django.db.models import Q

from catalog.text import is_near, search_terms

if TYPE_CHECKING:
    from catalog.models import Genre, Keyword, Person, User

TERMS_A_STATEMENT = 1000
SHORTEST = 3  # shorter words are not corrected, because almost all two-letter words are one letter apart


class MovieQuerySet(models.QuerySet[Any]):
    def newest(self) -> Self:
        """Latest release first; movies without a date last."""
        return self.order_by(
            models.F("release_date").desc(nulls_last=True), models.F("year").desc(nulls_last=True), "id"
        )

    def with_details(self) -> Self:
        """Loads genres, keywords, credits, people, the picture, and Wikipedia's `article` in the current language."""
        people = apps.get_model("catalog", "Credit").objects.select_related("person")
        article = apps.get_model("catalog", "WikipediaArticle").objects.for_reader()
        links = ("genres", "keywords", models.Prefetch("credits", people))
        return self.select_related("picture").prefetch_related(*links).annotate(article=article)

    def with_person(self, person: "Person") -> Self:
        """Movies that this person acted in or directed."""
        return self.filter(pk__in=person.credits.values("movie"))

    def of_genre(self, genre: "Genre") -> Self:
        return self.filter(pk__in=self.model.genres.through.objects.filter(genre=genre).values("movie"))

    def with_keyword(self, keyword: "Keyword") -> Self:
        return self.filter(pk__in=self.model.keywords.through.objects.filter(keyword=keyword).values("movie"))

    def unseen_by(self, user: "User") -> Self:
        """Movies that the user has neither rated nor watched."""
        return self.exclude(ratings__user=user).exclude(viewing__user=user)

    def languages(self) -> list[str]:
        """Returns the sorted language codes of all movies. Jumps through the index instead of reading every row."""
        table = self.model._meta.db_table
        with connection.cursor() as cursor:
            cursor.execute(
                f"""
                WITH RECURSIVE codes(language) AS (
                    SELECT MIN(language) FROM {table} WHERE language > ''
                    UNION ALL
                    SELECT (SELECT MIN(language) FROM {table} WHERE language > codes.language)
                    FROM codes WHERE language IS NOT NULL
                )
                SELECT language FROM codes WHERE language IS NOT NULL
                """
            )
            return [code for (code,) in cursor.fetchall()]


class PersonQuerySet(models.QuerySet[Any]):
    """Sets the search terms in bulk writes, as `Person.save()` does for single rows."""

    def bulk_create(self, objs: Iterable[Any], *args: Any, **kwargs: Any) -> list[Any]:
        people = list(objs)
        for person in people:
            person.set_search()
        return super().bulk_create(people, *args, **kwargs)

    def rename(self, name: str) -> int:
        return self.update(name=name, search_terms=search_terms([name]))


class SearchTermQuerySet(models.QuerySet[Any]):
    def learn(self, texts: Iterable[str]) -> None:
        """Adds missing terms from these `search_terms`, sorted so that concurrent inserts cannot deadlock."""
        terms = sorted({term for text in texts for term in text.split()})
        for start in range(0, len(terms), TERMS_A_STATEMENT):
            batch = terms[start : start + TERMS_A_STATEMENT]
            rows = [self.model(term=term, reversed=term[::-1], length=len(term)) for term in batch]
            self.bulk_create(rows, ignore_conflicts=True)

    def near(self, words: Iterable[str]) -> dict[str, list[str]]:
        """Returns the known terms one letter away from each word, keyed by word. Makes one query."""
        near: dict[str, list[str]] = {word: [] for word in words}
        if looked_up := [word for word in near if len(word) >= SHORTEST]:
            found = sorted(self.perhaps_meant_by(looked_up).values_list("term", flat=True))
            near |= {word: [term for term in found if is_near(word, term)] for word in looked_up}
        return near

    def perhaps_meant_by(self, words: Iterable[str]) -> Self:
        """Returns terms one letter away from any of the words, and some false positives.

        One wrong letter leaves the first or second half of the word intact, so both halves are looked up as prefixes.
        Only a swap across the middle changes both. It is looked up in corrected form.
        """
        return self.filter(reduce(or_, map(_perhaps_meant_by, words)))


def _perhaps_meant_by(word: str) -> Q:
    half = len(word) // 2
    lengths = [len(word) - 1, len(word), len(word) + 1]
    swapped = word[: half - 1] + word[half] + word[half - 1] + word[half + 1 :]
    return (
        Q(length__in=lengths, term__startswith=word[:half])
        | Q(length__in=lengths, reversed__startswith=word[half:][::-1])
        | Q(length=len(word), term=swapped)
    )


class RatingQuerySet(models.QuerySet[Any]):
    def for_training(self) -> Self:
        """Returns ratings that a model may be trained on, by active users and in chronological order."""
        return self.filter(user__is_active=True).order_by("rated_at", "id")

    def histogram(self) -> dict[float, int]:
        """Returns the number of ratings per value, from the lowest to the highest value."""
        given = dict(self.order_by().values_list("rating").annotate(count=models.Count("id")))
        steps = [choice[0] for choice in self.model._meta.get_field("rating").choices]
        return {step: given.get(step, 0) for step in steps}


class UserManager(DjangoUserManager["User"]):
    use_in_migrations = False

    @classmethod
    def normalize_email(cls, email: str | None) -> str:
        """Normalises an address to the form that is stored and compared."""
        return super().normalize_email(email).lower()

    def get_by_natural_key(self, username: str | None) -> "User":
        """Returns the account with this username or, failing that, with this e-mail address.

        Usernames are compared in their normalised Unicode form. Raises User.DoesNotExist.
        """
        name = self.model.normalize_username((username or "").strip())
        try:
            return super().get_by_natural_key(name)
        except self.model.DoesNotExist:
            user = self.by_email(name) if "@" in name else None
            if user is None:
                raise
            return user

    def by_email(self, email: str) -> "User | None":
        """Returns the account that confirmed this address or, failing that, the oldest that entered it.

        Returns a single account, so that every sign-in attempt checks exactly one password.
        """
        address = self.normalize_email(email)
        confirmed = self.filter(emailaddress__email=address, emailaddress__verified=True)
        return confirmed.first() or self.filter(email=address).order_by("pk").first()


class UserImportQuerySet(models.QuerySet[Any]):
    def of(self, user: Any) -> Self:
        """Returns the user's imports without the uploaded files, which are large. Pages poll this often."""
        return self.filter(user=user).defer("content")

    def open(self) -> Self:
        """Returns imports that can be committed, now or once they have been read."""
        may_be_read = models.Q(status__in=("queued", "running", "succeeded")) | models.Q(retry_at__isnull=False)
        return self.filter(may_be_read, committed_at=None)
