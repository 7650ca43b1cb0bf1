from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from catalog.admin.large import LargeTableAdmin
from catalog.models import AlternativeTitle, Credit, MovieGenre, MovieKeyword

# Names of the links in `Movie.field_sources`.
EDITED_FIELDS: dict[type[Model], str] = {
    MovieGenre: "genres",
    MovieKeyword: "keywords",
    Credit: "credits",
    AlternativeTitle: "alternative_titles",
}


class GenreAdmin(admin.ModelAdmin):
    list_display = ["name", "slug"]
    search_fields = ["name"]
    prepopulated_fields = {"slug": ["name"]}


class KeywordAdmin(LargeTableAdmin):
    search_fields = ["name"]


class PersonAdmin(LargeTableAdmin):
    list_display = ["name", "tmdb_id", "source"]
    list_filter = ["source"]
    search_fields = ["name", "=tmdb_id"]


class LinksOfMovies(LargeTableAdmin):
    """Links of movies. Hand edits are recorded on the movie, so that no sync undoes them."""

    def save_model(self, request: HttpRequest, link: Any, form: Any, change: bool) -> None:
        super().save_model(request, link, form, change)
        if change:
            link.movie.mark_edited(EDITED_FIELDS[self.model])

    def delete_model(self, request: HttpRequest, link: Any) -> None:
        super().delete_model(request, link)
        link.movie.mark_edited(EDITED_FIELDS[self.model])

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet) -> None:
        for link in queryset.select_related("movie"):
            self.delete_model(request, link)


class CreditAdmin(LinksOfMovies):
    list_display = ["movie", "person", "role", "character", "source"]
    list_filter = ["role", "source"]
    list_select_related = ["movie", "person"]
    raw_id_fields = ["movie", "person"]
    search_fields = ["person__name", "=movie__title"]
    ordering = ["-id"]


class AlternativeTitleAdmin(LinksOfMovies):
    list_display = ["title", "movie", "source"]
    list_filter = ["source"]
    list_select_related = ["movie"]
    raw_id_fields = ["movie"]
    search_fields = ["=title", "=movie__title"]
    ordering = ["-id"]


class LinkAdmin(LinksOfMovies):
    """Genres and keywords of movies."""

    list_filter = ["source"]
    list_select_related = True
    search_fields = ["=movie__title"]
    ordering = ["-id"]

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return ["movie", self._other, "source"]

    def get_autocomplete_fields(self, request: HttpRequest) -> list[Any]:
        return ["movie", self._other]

    @property
    def _other(self) -> str:
        return "genre" if self.model.__name__ == "MovieGenre" else "keyword"
