"""What movies can be asked for, on the browse page and in the API alike."""

from typing import Any

import django_filters
from django.core.exceptions import ValidationError
from django.db.models import ExpressionWrapper, F, FloatField
from django.utils.text import slugify
from django_filters.fields import ModelChoiceField

from catalog.models import Genre, Movie
from catalog.querysets import MovieQuerySet
from catalog.text import fold

# "Best rated" counts so many ratings of so many stars on top of a movie's own: a Bayesian mean. Constants, not the
# site's current mean, so that no request scans the table and an index can hold the expression.
PRIOR_RATINGS = 20
PRIOR_MEAN = 3.3

ORDERINGS = {
    "popular": "Popular now",
    "newest": "Newest",
    "most_rated": "Most rated",
    "best_rated": "Best rated",
    "title": "Title",
}


class GenreField(ModelChoiceField):
    """A genre by slug or by name, whatever the case."""

    def to_python(self, value: Any) -> Genre | None:
        if value in self.empty_values:
            return None
        found = Genre.objects.filter(slug=slugify(value)).first()
        if found is None:
            raise ValidationError(f"There is no genre “{value}”.", code="invalid_choice")
        return found


class GenreFilter(django_filters.ModelChoiceFilter):
    field_class = GenreField


class MovieFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(label="Title", method="filter_title", max_length=200)
    genre = GenreFilter(
        label="Genre", field_name="genres", queryset=Genre.objects.all(), to_field_name="slug", empty_label="All genres"
    )
    year_min = django_filters.NumberFilter(
        label="From year", field_name="year", lookup_expr="gte", min_value=1870, max_value=2200, decimal_places=0
    )
    year_max = django_filters.NumberFilter(
        label="To year", field_name="year", lookup_expr="lte", min_value=1870, max_value=2200, decimal_places=0
    )
    rating_min = django_filters.NumberFilter(
        label="Mean rating from", method="filter_mean_rating", min_value=0.5, max_value=5
    )
    ordering = django_filters.ChoiceFilter(
        label="Sort by", choices=list(ORDERINGS.items()), method="filter_ordering", empty_label=None
    )

    class Meta:
        model = Movie
        fields: list[str] = []

    def filter_title(self, movies: MovieQuerySet, name: str, value: str) -> MovieQuerySet:
        return movies.matching(value) if fold(value) else movies.none()

    def filter_mean_rating(self, movies: MovieQuerySet, name: str, value: float) -> MovieQuerySet:
        return movies.filter(rating_count__gt=0, rating_sum__gte=F("rating_count") * float(value))

    def filter_ordering(self, movies: MovieQuerySet, name: str, value: str) -> MovieQuerySet:
        return in_order(movies, value)


def in_order(movies: MovieQuerySet, ordering: str) -> MovieQuerySet:
    """Sorted by one of ORDERINGS; the id decides between equals, so that pages never overlap."""
    if ordering == "newest":
        return movies.newest()
    if ordering == "best_rated":
        bayesian_mean = ExpressionWrapper(
            (F("rating_sum") + PRIOR_RATINGS * PRIOR_MEAN) / (F("rating_count") + float(PRIOR_RATINGS)),
            output_field=FloatField(),
        )
        return movies.order_by(bayesian_mean.desc(), "id")
    keys = {"most_rated": ["-rating_count", "id"], "title": ["search_title", "id"]}
    return movies.order_by(*keys.get(ordering, ["-popularity", "id"]))
