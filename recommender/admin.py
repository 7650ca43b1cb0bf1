from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from catalog.admin.large import ReadOnlyAdmin
from recommender.models import Dismissal, Feedback, Impression, ServedModel


@admin.register(ServedModel)
class ServedModelAdmin(ReadOnlyAdmin):
    list_display = ["slot", "version", "algorithm", "artifact", "activated_at"]


@admin.register(Impression)
class ImpressionAdmin(ReadOnlyAdmin):
    list_display = ["shown_at", "user", "surface", "model_version", "fallback", "n_movies"]
    list_filter = ["fallback", "shown_at"]
    list_select_related = ["user"]
    search_fields = ["=request_id", "=user__username"]

    @admin.display(description=_("movies"))
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
    """Dismissals. Deleting one allows the movie to be recommended to the user again."""

    list_display = ["created_at", "user", "movie"]
    list_select_related = ["user", "movie"]
    search_fields = ["=user__username", "movie__title"]
    ordering = ["-created_at", "-id"]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return admin.ModelAdmin.has_delete_permission(self, request, obj)
