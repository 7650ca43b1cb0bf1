from django.contrib import admin

from catalog.admin.large import ReadOnlyAdmin
from catalog.models import SyncRun


class SyncRunAdmin(ReadOnlyAdmin):
    list_display = ["id", "scope", "status", "started_at", "heartbeat_at", "ended_at", "progress", "message"]
    list_filter = ["status", "scope"]
    fields = ["scope", "status", "progress", "counts", "message", "started_at", "heartbeat_at", "ended_at", "log"]

    @admin.display(description="progress")
    def progress(self, run: SyncRun) -> str:
        return f"{run.n_done:,} of {run.n_items:,}"


class TMDBRecordAdmin(ReadOnlyAdmin):
    list_display = ["tmdb_id", "state", "movie", "reason", "fetched_at", "checked_at"]
    list_filter = ["state"]
    list_select_related = ["movie"]
    search_fields = ["=tmdb_id", "=movie__title"]
    search_help_text = "TMDB's number, or a movie's title as it is written"
