from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify

from catalog.bounds import FIRST_YEAR, LAST_YEAR
from catalog.models.metadata import Credit, Genre, Keyword, SearchTerm
from catalog.models.querysets import MovieQuerySet
from catalog.models.source import PROVIDERS, Source
from catalog.text import fold, search_terms

# "Best rated" sorts by a Bayesian mean of a movie's ratings and PRIOR_RATINGS ratings of PRIOR_MEAN. The prior is
# constant so that a generated column can hold the mean. Changing it requires a migration.
PRIOR_RATINGS = 20
PRIOR_MEAN = 3.3
RECENT_DAYS = 180  # days after its release during which a movie is marked as new


@dataclass
class Marks:
    """The current user's or guest's rating of a movie, and whether it is on the watchlist."""

    rating: float | None = None
    in_watchlist: bool = False


class Movie(models.Model):
    """A movie. `source` is the source of the row, and `field_sources` that of fields with another source."""

    marks: Marks | None = None  # of the current user or guest; set by guests.mark_for
    card: bytes = b""  # JSON of the movie as in the API's lists, for movies cached in memory

    title = models.CharField(max_length=300)
    original_title = models.CharField(max_length=300, blank=True)
    search_title = models.CharField(max_length=620, blank=True, editable=False)
    search_terms = models.TextField(blank=True, editable=False, help_text="Terms that search matches.")
    year = models.PositiveSmallIntegerField(null=True, blank=True)
    release_date = models.DateField(null=True, blank=True)
    overview = models.TextField(blank=True)
    language = models.CharField(max_length=8, blank=True, help_text="ISO 639-1 code of the original language.")
    runtime_minutes = models.PositiveSmallIntegerField(null=True, blank=True)
    countries = models.CharField(max_length=200, blank=True, help_text="Countries of origin, separated by commas.")
    is_adult = models.BooleanField(default=False)
    poster_path = models.CharField(max_length=120, blank=True, help_text="Path of the poster at TMDB.")
    movielens_id = models.PositiveIntegerField(null=True, blank=True, unique=True)
    tmdb_id = models.PositiveIntegerField(null=True, blank=True, unique=True)
    imdb_id = models.CharField(max_length=16, null=True, blank=True, unique=True)
    external_id = models.CharField(
        max_length=64, null=True, blank=True, unique=True, help_text="Id of the movie on the operator's other site."
    )
    source = models.CharField(max_length=16, choices=Source, default=Source.SITE)
    field_sources = models.JSONField(default=dict, blank=True, editable=False)
    genres = models.ManyToManyField(Genre, through="catalog.MovieGenre", related_name="movies")
    keywords = models.ManyToManyField(Keyword, through="catalog.MovieKeyword", related_name="movies")
    rating_count = models.PositiveIntegerField(default=0, editable=False)
    rating_sum = models.FloatField(default=0, editable=False)
    popularity = models.FloatField(default=0, editable=False, help_text="Likes of late, on a prior of all time.")
    bayesian_mean = models.GeneratedField(
        expression=(models.F("rating_sum") + PRIOR_RATINGS * PRIOR_MEAN)
        / (models.F("rating_count") + float(PRIOR_RATINGS)),
        output_field=models.FloatField(),
        db_persist=True,
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = MovieQuerySet.as_manager()

    class Meta:
        ordering = ["-popularity", "id"]
        # Each index also covers the filter columns, so that a distant page only needs the index.
        indexes = [
            models.Index(
                fields=["-popularity", "id", "year", "language", "rating_count", "rating_sum"],
                name="catalog_movie_popularity",
            ),
            models.Index(
                fields=["-release_date", "-year", "id", "language", "rating_count", "rating_sum"],
                name="catalog_movie_newest",
            ),
            models.Index(
                fields=["-rating_count", "id", "year", "language", "rating_sum"], name="catalog_movie_most_rated"
            ),
            models.Index(
                fields=["-bayesian_mean", "id", "year", "language", "rating_count", "rating_sum"],
                name="catalog_movie_best_rated",
            ),
            models.Index(
                fields=["search_title", "id", "year", "language", "rating_count", "rating_sum"],
                name="catalog_movie_title",
            ),
            models.Index(fields=["language", "year"], name="catalog_movie_language"),
            models.Index(fields=["updated_at"], name="catalog_movie_updated_at"),
        ]
        constraints = [
            models.CheckConstraint(condition=~models.Q(title=""), name="catalog_movie_has_title"),
            models.CheckConstraint(
                condition=models.Q(year__isnull=True) | models.Q(year__range=(FIRST_YEAR, LAST_YEAR)),
                name="catalog_movie_year_plausible",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.year})" if self.year else self.title

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.imdb_id = self.imdb_id or None
        self.external_id = self.external_id or None
        if self.release_date and not (self.year and self._is_of_another_source("year", "release_date")):
            self.year = self.release_date.year
        self.set_search()
        super().save(*args, **kwargs)
        SearchTerm.objects.learn([self.search_terms])

    def get_absolute_url(self) -> str:
        return reverse("catalog:movie-detail", args=[self.pk, self.slug])

    @property
    def is_recent(self) -> bool:
        """Whether it was released in the last RECENT_DAYS days or, without a release date, this year."""
        today = timezone.now().date()
        if self.release_date is None:
            return self.year == today.year
        return today - timedelta(days=RECENT_DAYS) <= self.release_date <= today

    def set_search(self) -> None:
        """Computes the columns for sorting and search from all titles. A new movie has no alternative titles yet."""
        titles = list(dict.fromkeys([self.title, self.original_title]))
        self.search_title = fold(" ".join(titles))[:620]
        others = self.alternative_titles.all() if self.pk else []
        self.search_terms = search_terms([*titles, *(other.title for other in others)])

    def source_of(self, field: str) -> str:
        return str(self.field_sources.get(field, self.source))

    def _is_of_another_source(self, field: str, other: str) -> bool:
        """Returns whether `other` comes from a provider but `field` does not. The two may be inconsistent."""
        return self.source_of(other) in PROVIDERS and self.source_of(other) != self.source_of(field)

    def mark_edited(self, *fields: str) -> None:
        """Marks fields as edited or removed by hand, which protects them from all later syncs."""
        self.field_sources |= dict.fromkeys(fields, Source.SITE.value)
        self.save(update_fields=["field_sources", "updated_at"])

    @property
    def directors(self) -> list[Credit]:
        """Credits of the directors. Prefetch `credits` with their people."""
        return [credit for credit in self.credits.all() if credit.role == Credit.Role.DIRECTOR]

    @property
    def cast(self) -> list[Credit]:
        """Credits of the cast in billing order. Prefetch `credits` with their people."""
        return [credit for credit in self.credits.all() if credit.role == Credit.Role.CAST]

    @property
    def shows_tmdb_content(self) -> bool:
        return self.source == Source.TMDB or Source.TMDB in self.field_sources.values()

    @property
    def slug(self) -> str:
        return slugify(self.title)[:60] or "movie"

    @property
    def mean_rating(self) -> float | None:
        return self.rating_sum / self.rating_count if self.rating_count else None
