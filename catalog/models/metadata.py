"""Metadata and titles of movies, and where to watch them.

Every link records its source, because some sources may not be used to train a model. When one kind of links is edited
by hand, the movie's `field_sources` contains that kind's EDITED_AS.
"""

from typing import Any

from django.db import models
from django.urls import reverse
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from catalog.models.querysets import PersonQuerySet, SearchTermQuerySet
from catalog.models.source import Source
from catalog.text import TERM_LENGTH, search_terms

# English genre names of MovieLens and TMDB. Other genres are shown untranslated.
GENRES = {
    "Action": pgettext_lazy("genre", "Action"),
    "Adventure": pgettext_lazy("genre", "Adventure"),
    "Animation": pgettext_lazy("genre", "Animation"),
    "Children": pgettext_lazy("genre", "Children"),
    "Comedy": pgettext_lazy("genre", "Comedy"),
    "Crime": pgettext_lazy("genre", "Crime"),
    "Documentary": pgettext_lazy("genre", "Documentary"),
    "Drama": pgettext_lazy("genre", "Drama"),
    "Family": pgettext_lazy("genre", "Family"),
    "Fantasy": pgettext_lazy("genre", "Fantasy"),
    "Film-Noir": pgettext_lazy("genre", "Film-Noir"),
    "History": pgettext_lazy("genre", "History"),
    "Horror": pgettext_lazy("genre", "Horror"),
    "IMAX": pgettext_lazy("genre", "IMAX"),
    "Music": pgettext_lazy("genre", "Music"),
    "Musical": pgettext_lazy("genre", "Musical"),
    "Mystery": pgettext_lazy("genre", "Mystery"),
    "Romance": pgettext_lazy("genre", "Romance"),
    "Sci-Fi": pgettext_lazy("genre", "Sci-Fi"),
    "Science Fiction": pgettext_lazy("genre", "Science Fiction"),
    "TV Movie": pgettext_lazy("genre", "TV Movie"),
    "Thriller": pgettext_lazy("genre", "Thriller"),
    "War": pgettext_lazy("genre", "War"),
    "Western": pgettext_lazy("genre", "Western"),
}


def genre_label(name: str) -> str:
    """Returns the genre's name in the current language."""
    return str(GENRES.get(name, name))


class Genre(models.Model):
    name = models.CharField(max_length=60, unique=True)
    slug = models.SlugField(max_length=60, unique=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.label

    def get_absolute_url(self) -> str:
        return reverse("catalog:genre", args=[self.slug])

    @property
    def label(self) -> str:
        return genre_label(self.name)


class Keyword(models.Model):
    name = models.CharField(max_length=120, unique=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Person(models.Model):
    name = models.CharField(max_length=160)
    tmdb_id = models.PositiveIntegerField(null=True, blank=True, unique=True)
    wikidata_id = models.PositiveIntegerField(null=True, blank=True, unique=True, help_text="Number of the item.")
    source = models.CharField(max_length=16, choices=Source, default=Source.SITE)
    search_terms = models.TextField(blank=True, editable=False, help_text="Terms that search matches.")

    objects = PersonQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]
        indexes = [models.Index(fields=["name"], name="catalog_person_name")]
        verbose_name_plural = "people"

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.set_search()
        if "name" in (kwargs.get("update_fields") or ()):
            kwargs["update_fields"] = {*kwargs["update_fields"], "search_terms"}
        super().save(*args, **kwargs)

    def get_absolute_url(self) -> str:
        return reverse("catalog:person-detail", args=[self.pk, self.slug])

    def set_search(self) -> None:
        self.search_terms = search_terms([self.name])

    @property
    def slug(self) -> str:
        return slugify(self.name)[:60] or "person"


class MovieGenre(models.Model):
    """A movie's genre. Has no single-column indexes, which would mislead the planner into reading the rows."""

    EDITED_AS = "genres"
    movie = models.ForeignKey("catalog.Movie", on_delete=models.CASCADE, db_index=False)
    genre = models.ForeignKey(Genre, on_delete=models.CASCADE, db_index=False)
    source = models.CharField(max_length=16, choices=Source, default=Source.SITE)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["movie", "genre"], name="catalog_moviegenre_unique")]
        indexes = [models.Index(fields=["genre", "movie"], name="catalog_moviegenre_by_genre")]

    def __str__(self) -> str:
        return f"{self.movie_id}: {self.genre_id}"


class MovieKeyword(models.Model):
    EDITED_AS = "keywords"
    movie = models.ForeignKey("catalog.Movie", on_delete=models.CASCADE, db_index=False)
    keyword = models.ForeignKey(Keyword, on_delete=models.CASCADE, db_index=False)
    source = models.CharField(max_length=16, choices=Source, default=Source.SITE)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["movie", "keyword"], name="catalog_moviekeyword_unique")]
        indexes = [models.Index(fields=["keyword", "movie"], name="catalog_moviekeyword_by_kw")]

    def __str__(self) -> str:
        return f"{self.movie_id}: {self.keyword_id}"


class Credit(models.Model):
    EDITED_AS = "credits"

    class Role(models.TextChoices):
        CAST = "cast", "cast"
        DIRECTOR = "director", "director"

    movie = models.ForeignKey("catalog.Movie", on_delete=models.CASCADE, related_name="credits")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="credits")
    role = models.CharField(max_length=16, choices=Role)
    character = models.CharField(max_length=200, blank=True)
    position = models.PositiveSmallIntegerField(default=0, help_text="Billing order, starting at 0.")
    source = models.CharField(max_length=16, choices=Source, default=Source.SITE)

    class Meta:
        ordering = ["role", "position", "id"]
        constraints = [models.UniqueConstraint(fields=["movie", "person", "role"], name="catalog_credit_unique")]

    def __str__(self) -> str:
        return f"{self.movie_id}: {self.person_id} ({self.role})"


class AlternativeTitle(models.Model):
    """Another title of a movie. It is used in search but not shown on pages."""

    EDITED_AS = "alternative_titles"
    movie = models.ForeignKey("catalog.Movie", on_delete=models.CASCADE, related_name="alternative_titles")
    title = models.CharField(max_length=300)
    source = models.CharField(max_length=16, choices=Source, default=Source.SITE)

    class Meta:
        ordering = ["title"]
        constraints = [models.UniqueConstraint(fields=["movie", "title"], name="catalog_alternativetitle_unique")]

    def __str__(self) -> str:
        return self.title

    def save(self, *args: Any, **kwargs: Any) -> None:
        super().save(*args, **kwargs)
        self.movie.save(update_fields=["search_terms"])

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        deleted = super().delete(*args, **kwargs)
        self.movie.save(update_fields=["search_terms"])
        return deleted


class WatchService(models.Model):
    """A streaming service or a shop, such as Netflix. The primary key is TMDB's id."""

    id = models.PositiveIntegerField(primary_key=True)
    name = models.CharField(max_length=100)
    position = models.PositiveIntegerField(default=0, help_text="TMDB's order in the region, the best known first.")

    class Meta:
        ordering = ["position", "name", "id"]

    def __str__(self) -> str:
        return self.name


class Offer(models.Model):
    """A movie's availability at a service. A site has one region. The next sync replaces other regions' offers."""

    class Kind(models.TextChoices):
        STREAM = "stream", _("Stream")
        RENT = "rent", _("Rent")
        BUY = "buy", _("Buy")

    EDITED_AS = "offers"
    movie = models.ForeignKey("catalog.Movie", on_delete=models.CASCADE, related_name="offers", db_index=False)
    service = models.ForeignKey(WatchService, on_delete=models.CASCADE, related_name="offers", db_index=False)
    region = models.CharField(max_length=2, help_text="Code of ISO 3166-1.")
    kind = models.CharField(max_length=8, choices=Kind, help_text="Free services, and those with advertising, stream.")
    source = models.CharField(max_length=16, choices=Source, default=Source.TMDB)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["movie", "kind", "service"], name="catalog_offer_unique")]
        indexes = [models.Index(fields=["service", "kind", "movie"], name="catalog_offer_by_service")]

    def __str__(self) -> str:
        return f"{self.movie_id}: {self.kind} at {self.service_id} in {self.region}"


class SearchTerm(models.Model):
    """A word or a full title in the search vocabulary, used to correct misspelt queries.

    The term is also stored reversed. If one letter is wrong, either the first or the second half is still right.
    """

    term = models.CharField(max_length=TERM_LENGTH)
    reversed = models.CharField(max_length=TERM_LENGTH)
    length = models.PositiveSmallIntegerField()

    objects = SearchTermQuerySet.as_manager()

    class Meta:
        # The operator classes let Postgres use the index for prefix look-ups in any collation. SQLite ignores them.
        constraints = [
            models.UniqueConstraint(
                fields=["length", "term"],
                opclasses=["int2_ops", "varchar_pattern_ops"],
                name="catalog_searchterm_unique",
            )
        ]
        indexes = [
            models.Index(
                fields=["length", "reversed"],
                opclasses=["int2_ops", "varchar_pattern_ops"],
                name="catalog_searchterm_reversed",
            )
        ]

    def __str__(self) -> str:
        return self.term
