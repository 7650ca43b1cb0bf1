from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from catalog.admin.large import LargeTableAdmin
from catalog.admin.sync import WrittenBySyncAdmin
from catalog.models import HistoryImport


class ViewingAdmin(LargeTableAdmin):
    list_display = ["user", "movie", "watched_on", "is_rewatch", "noted_at"]
    list_select_related = ["user", "movie"]
    raw_id_fields = ["user", "movie"]
    search_fields = ["=user__username", "=movie__title"]
    search_help_text = "A user's name or a movie's title, as it is written"


class HistoryImportAdmin(WrittenBySyncAdmin):
    """How uploads went. What is in them is their owners' own: neither files nor rows are shown."""

    list_display = ["id", "user", "format", "status", "progress", "attempts", "created_at", "ended_at"]
    list_filter = ["status", "format"]
    list_select_related = ["user"]
    search_fields = ["=user__username"]
    fields = ["user", "format", "status", "progress", "attempts", "counts", "created_at", "heartbeat_at", "ended_at"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[HistoryImport]:
        return super().get_queryset(request).defer("content")

    @admin.display(description="rows read")
    def progress(self, history: Any) -> str:
        return f"{history.n_read:,} of {history.n_entries:,}"
