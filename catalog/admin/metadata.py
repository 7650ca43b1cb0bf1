from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from catalog.admin.large import LargeTableAdmin


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


class CreditAdmin(LargeTableAdmin):
    list_display = ["movie", "person", "role", "character", "source"]
    list_filter = ["role", "source"]
    list_select_related = ["movie", "person"]
    raw_id_fields = ["movie", "person"]
    search_fields = ["person__name", "=movie__title"]
    ordering = ["-id"]


class LinkAdmin(LargeTableAdmin):
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
