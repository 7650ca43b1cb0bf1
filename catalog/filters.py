"""Filters and orderings of movies, shared by the browse page and the API."""

from functools import reduce
from typing import Any

import django_filters
from django.core.exceptions import ValidationError
from django.core.validators import ProhibitNullCharactersValidator, RegexValidator
from django.db.models import F, Model
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _
from django_filters.fields import ModelChoiceField, ModelMultipleChoiceField

from catalog.bounds import FIRST_YEAR, LAST_YEAR
from catalog.models import Genre, Keyword, Movie, Person
from catalog.models.querysets import MovieQuerySet
from catalog.search.query import SearchQuery

ORDERINGS = {
    "relevance": _("Best match"),
    "popular": _("Popular now"),
    "newest": _("Newest"),
    "most_rated": _("Most rated"),
    "best_rated": _("Best rated"),
    "title": _("Title"),
}
YEARS: dict[str, Any] = {"min_value": FIRST_YEAR, "max_value": LAST_YEAR}
RATINGS: dict[str, Any] = {"min_value": 0.5, "max_value": 5}
LANGUAGE = r"^[a-z]{2,3}$"
MISSING: dict[type[Model], Any] = {
    Keyword: _("The keyword “%(key)s” does not exist."),
    Person: _("The person “%(key)s” does not exist."),
}


class GenreField(ModelChoiceField):
    """A genre by slug or name, case-insensitive."""

    def to_python(self, value: Any) -> Genre | None:
        if value in self.empty_values:
            return None
        found = Genre.objects.filter(slug=slugify(value)).first()
        if found is None:
            raise ValidationError(
                _("The genre “%(value)s” does not exist."), code="does_not_exist", params={"value": value}
            )
        return found


class GenreFilter(django_filters.ModelChoiceFilter):
    field_class = GenreField

    def filter(self, movies: MovieQuerySet, genre: Genre | None) -> MovieQuerySet:
        return movies.of_genre(genre) if genre else movies


class RowsField(ModelMultipleChoiceField):
    """Several rows given by key. All of them must exist."""

    most = 5

    def clean(self, value: Any) -> list[Model]:
        keys = [key for key in dict.fromkeys(value or ()) if key]
        if len(keys) > self.most:
            raise ValidationError(
                _("Choose at most %(most)d. You chose %(n)d."),
                code="too_many",
                params={"most": self.most, "n": len(keys)},
            )
        return [self._row(key) for key in keys]

    def _row(self, key: str) -> Model:
        name = self.to_field_name or "pk"
        ProhibitNullCharactersValidator()(key)
        try:
            return self.queryset.get(**{name: key})
        except (self.queryset.model.DoesNotExist, ValueError):
            missing = MISSING[self.queryset.model]
            raise ValidationError(missing, code="does_not_exist", params={"key": key}) from None


class RowsFilter(django_filters.ModelMultipleChoiceFilter):
    field_class = RowsField


class MovieFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(label=_("Title"), method="left_for_later", max_length=200)
    genre = GenreFilter(
        label=_("Genre"),
        field_name="genres",
        queryset=Genre.objects.all(),
        to_field_name="slug",
        empty_label=_("All genres"),
    )
    year_min = django_filters.NumberFilter(
        label=_("From year"), field_name="year", lookup_expr="gte", decimal_places=0, **YEARS
    )
    year_max = django_filters.NumberFilter(
        label=_("To year"), field_name="year", lookup_expr="lte", decimal_places=0, **YEARS
    )
    language = django_filters.CharFilter(
        label=_("Language"),
        validators=[RegexValidator(LANGUAGE, _("Enter an ISO 639-1 language code, such as en or vi."))],
    )
    rating_min = django_filters.NumberFilter(label=_("Minimum average rating"), method="filter_mean_rating", **RATINGS)
    person = RowsFilter(
        label=_("People"),
        field_name="credits__person",
        method="filter_people",
        queryset=Person.objects.all(),
    )
    keyword = RowsFilter(
        label=_("Keywords"),
        field_name="keywords",
        method="filter_keywords",
        queryset=Keyword.objects.all(),
        to_field_name="name",
    )
    hide_seen = django_filters.ChoiceFilter(
        label=_("Hide movies I have seen"),
        choices=[("true", _("Yes")), ("false", _("No"))],
        method="filter_seen",
    )
    ordering = django_filters.ChoiceFilter(
        label=_("Sort by"),
        choices=list(ORDERINGS.items()),
        method="left_for_later",
        empty_label=None,
    )

    search: SearchQuery | None = None  # the search for `q`, set by filtering

    class Meta:
        model = Movie
        fields: list[str] = []

    def filter_queryset(self, movies: MovieQuerySet) -> MovieQuerySet:
        """Applies the filters. The text comes last, because it may determine the order."""
        filtered = super().filter_queryset(movies)
        text, ordering = self.form.cleaned_data.get("q"), self.form.cleaned_data.get("ordering") or "relevance"
        if not text:
            return in_order(filtered, ordering)
        self.search = query = SearchQuery(text)
        found = movies.filter(pk__in=query.best_known(filtered))
        return found.order_by(*query.order()) if ordering == "relevance" else in_order(found, ordering)

    def left_for_later(self, movies: MovieQuerySet, name: str, value: str) -> MovieQuerySet:
        return movies

    def filter_mean_rating(self, movies: MovieQuerySet, name: str, value: float) -> MovieQuerySet:
        # A float division, because Postgres' decimal arithmetic is four times as slow.
        return movies.filter(rating_count__gt=0, rating_count__lte=F("rating_sum") / float(value))

    def filter_people(self, movies: MovieQuerySet, name: str, people: list[Person]) -> MovieQuerySet:
        return reduce(MovieQuerySet.with_person, people, movies)

    def filter_keywords(self, movies: MovieQuerySet, name: str, keywords: list[Keyword]) -> MovieQuerySet:
        return reduce(MovieQuerySet.with_keyword, keywords, movies)

    def filter_seen(self, movies: MovieQuerySet, name: str, value: str) -> MovieQuerySet:
        user = getattr(self.request, "user", None)
        return movies.unseen_by(user) if value == "true" and user and user.is_authenticated else movies


def in_order(movies: MovieQuerySet, ordering: str) -> MovieQuerySet:
    """Sorts by one of ORDERINGS. Ties are broken by id, so that pages do not overlap."""
    if ordering == "newest":
        return movies.newest()
    keys = {"most_rated": "-rating_count", "best_rated": "-bayesian_mean", "title": "search_title"}
    return movies.order_by(keys.get(ordering, "-popularity"), "id")
