from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from catalog.admin.large import DeletesEach, LargeTableAdmin
from catalog.models import AlternativeTitle, Credit, Genre, Keyword, MovieGenre, MovieKeyword, Person
from catalog.search.backends import matching
from catalog.search.names import people_query
from catalog.text import fold


@admin.register(Genre)
class GenreAdmin(admin.ModelAdmin):
    list_display = ["name", "slug"]
    search_fields = ["name"]
    prepopulated_fields = {"slug": ["name"]}


@admin.register(Keyword)
class KeywordAdmin(LargeTableAdmin):
    search_fields = ["name"]


@admin.register(Person)
class PersonAdmin(LargeTableAdmin):
    list_display = ["name", "tmdb_id", "source"]
    list_filter = ["source"]
    search_fields = ["name", "tmdb_id"]
    search_help_text = gettext_lazy("Name (accents are ignored) or TMDB id")

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        words = fold(search_term).split()
        if not words:
            return queryset.none() if search_term else queryset, False
        found = matching(people_query(words, may_continue=True))
        is_id = search_term.isascii() and search_term.isdigit() and len(search_term) < 19
        return queryset.filter(found | Q(tmdb_id=search_term) if is_id else found), False


class LinksOfMovies(DeletesEach, LargeTableAdmin):
    """Links of movies. Marks edits on the movie, so that syncs do not undo them."""

    list_filter = ["source"]
    list_select_related = True
    raw_id_fields = ["movie"]
    ordering = ["-id"]

    def save_model(self, request: HttpRequest, link: Any, form: Any, change: bool) -> None:
        super().save_model(request, link, form, change)
        if change:
            link.movie.mark_edited(link.EDITED_AS)

    def delete_model(self, request: HttpRequest, link: Any) -> None:
        super().delete_model(request, link)
        link.movie.mark_edited(link.EDITED_AS)


@admin.register(Credit)
class CreditAdmin(LinksOfMovies):
    list_display = ["movie", "person", "role", "character", "source"]
    list_filter = ["role", "source"]
    raw_id_fields = ["movie", "person"]
    search_fields = ["person__name", "=movie__title"]


@admin.register(AlternativeTitle)
class AlternativeTitleAdmin(LinksOfMovies):
    list_display = ["title", "movie", "source"]
    search_fields = ["=title", "=movie__title"]


@admin.register(MovieGenre)
class MovieGenreAdmin(LinksOfMovies):
    list_display = ["movie", "genre", "source"]
    autocomplete_fields = ["movie", "genre"]
    search_fields = ["=movie__title"]


@admin.register(MovieKeyword)
class MovieKeywordAdmin(LinksOfMovies):
    list_display = ["movie", "keyword", "source"]
    autocomplete_fields = ["movie", "keyword"]
    search_fields = ["=movie__title"]
