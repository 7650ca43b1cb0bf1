from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog.admin.large import CappedFormSet, CountedDeletion, LargeTableAdmin
from catalog.models import Credit, Movie, MovieGenre, MovieKeyword, Source
from catalog.search.query import SearchQuery

PROVENANCE = ["source", "field_sources", "created_at", "updated_at"]


class LinkInline(admin.TabularInline):
    """Links that can be added and removed but not edited. Read-only rows do not need one query each."""

    formset = CappedFormSet
    extra = 0
    readonly_fields = ["source"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related(*self.autocomplete_fields)


class GenreInline(LinkInline):
    model = MovieGenre
    autocomplete_fields = ["genre"]


class KeywordInline(LinkInline):
    model = MovieKeyword
    autocomplete_fields = ["keyword"]


class CreditInline(LinkInline):
    model = Credit
    autocomplete_fields = ["person"]
    fields = ["person", "role", "character", "position", "source"]


@admin.register(Movie)
class MovieAdmin(CountedDeletion, LargeTableAdmin):
    list_display = ["title", "year", "source", "rating_count", "shown_mean", "popularity"]
    list_filter = ["source", "is_adult", "genres"]
    search_fields = ["search_title", "imdb_id"]
    search_help_text = gettext_lazy("Title (accents and small typos are ignored) or IMDb id")
    inlines = [GenreInline, KeywordInline, CreditInline]
    readonly_fields = ["rating_count", "shown_mean", "popularity", *PROVENANCE]
    fieldsets = [
        (None, {"fields": ["title", "original_title", "year", "release_date", "overview"]}),
        (gettext_lazy("Facts"), {"fields": ["language", "runtime_minutes", "is_adult", "poster_path"]}),
        (gettext_lazy("External links"), {"fields": ["movielens_id", "tmdb_id", "imdb_id", "external_id"]}),
        (gettext_lazy("Statistics"), {"fields": ["rating_count", "shown_mean", "popularity"]}),
        (gettext_lazy("Provenance"), {"fields": [*PROVENANCE]}),
    ]

    @admin.display(description=gettext_lazy("mean rating"))
    def shown_mean(self, movie: Movie) -> str:
        return _("none") if movie.mean_rating is None else f"{movie.mean_rating:.2f}"

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        if search_term.startswith("tt") and search_term[2:].isdigit():
            return queryset.filter(imdb_id=search_term), False
        return SearchQuery(search_term).of(queryset) if search_term else queryset, False  # type: ignore[arg-type]

    def save_formset(self, request: HttpRequest, form: ModelForm, formset: Any, change: bool) -> None:
        super().save_formset(request, form, formset, change)
        if formset.deleted_objects:  # added links are already marked by their source
            form.instance.mark_edited(formset.model.EDITED_AS)

    def save_model(self, request: HttpRequest, movie: Movie, form: ModelForm, change: bool) -> None:
        """Marks the edited fields as the site's own, so that syncs do not overwrite them."""
        movie.field_sources |= dict.fromkeys(form.changed_data, Source.SITE.value)
        super().save_model(request, movie, form, change)
