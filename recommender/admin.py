from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property

from recommender.models import Dismissal, Feedback, Impression, ServedModel

COUNTED = 10_000


class CappedPaginator(Paginator):
    """Counts no further than COUNTED rows, so that a page of a huge table is as quick as one of a small one."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return rows.order_by().values("pk")[:COUNTED].count() if isinstance(rows, QuerySet) else len(rows)


class ReadOnlyAdmin(admin.ModelAdmin):
    """What happened is looked at, not edited."""

    paginator = CappedPaginator
    show_full_result_count = False
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(ServedModel)
class ServedModelAdmin(ReadOnlyAdmin):
    list_display = ["slot", "version", "algorithm", "artifact", "activated_at"]


@admin.register(Impression)
class ImpressionAdmin(ReadOnlyAdmin):
    list_display = ["shown_at", "user", "surface", "model_version", "fallback", "n_movies"]
    list_filter = ["fallback", "shown_at"]
    list_select_related = ["user"]
    search_fields = ["=request_id", "=user__username"]

    @admin.display(description="movies")
    def n_movies(self, impression: Impression) -> int:
        return len(impression.items)


@admin.register(Feedback)
class FeedbackAdmin(ReadOnlyAdmin):
    list_display = ["created_at", "user", "kind", "movie", "request_id"]
    list_filter = ["kind", "created_at"]
    list_select_related = ["user", "movie"]
    search_fields = ["=user__username", "movie__title", "=request_id"]


@admin.register(Dismissal)
class DismissalAdmin(ReadOnlyAdmin):
    """May be deleted, which shows the movie to its user again."""

    list_display = ["created_at", "user", "movie"]
    list_select_related = ["user", "movie"]
    search_fields = ["=user__username", "movie__title"]
    ordering = ["-created_at", "-id"]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return admin.ModelAdmin.has_delete_permission(self, request, obj)
