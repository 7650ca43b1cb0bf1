"""Read-only records of syncs and imports."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog.admin.large import ReadOnlyAdmin
from catalog.following.rows import unmatched_rows
from catalog.models import (
    FollowedSource,
    ImportRun,
    Picture,
    SourceSync,
    SyncRun,
    TMDBRecord,
    UserImport,
    WikidataRecord,
    WikidataRun,
)


@admin.register(SyncRun)
class SyncRunAdmin(ReadOnlyAdmin):
    list_display = ["id", "scope", "status", "started_at", "heartbeat_at", "ended_at", "progress", "message"]
    list_filter = ["status", "scope"]
    fields = ["scope", "status", "progress", "counts", "message", "started_at", "heartbeat_at", "ended_at", "log"]

    @admin.display(description=gettext_lazy("progress"))
    def progress(self, run: SyncRun) -> str:
        text = _("{n_done:,} of {n_items:,} ({left})") if run.progress_text else _("{n_done:,} of {n_items:,}")
        return text.format(n_done=run.n_done, n_items=run.n_items, left=run.progress_text)


@admin.register(TMDBRecord)
class TMDBRecordAdmin(ReadOnlyAdmin):
    list_display = ["tmdb_id", "state", "movie", "reason", "fetched_at", "checked_at"]
    list_filter = ["state"]
    list_select_related = ["movie"]
    search_fields = ["=tmdb_id", "=movie__title"]
    search_help_text = gettext_lazy("TMDB id or exact movie title")


@admin.register(WikidataRun)
class WikidataRunAdmin(ReadOnlyAdmin):
    list_display = ["id", "status", "started_at", "heartbeat_at", "ended_at", "progress", "message"]
    list_filter = ["status"]
    fields = ["status", "limit", "progress", "counts", "message", "started_at", "heartbeat_at", "ended_at", "log"]

    @admin.display(description=gettext_lazy("progress"))
    def progress(self, run: WikidataRun) -> str:
        left = f" ({run.progress_text})" if run.progress_text else ""
        return f"{run.n_done:,} of {run.n_due:,}{left}"


@admin.register(WikidataRecord)
class WikidataRecordAdmin(ReadOnlyAdmin):
    list_display = ["movie", "qid", "state", "reason", "read_at", "checked_at"]
    list_filter = ["state"]
    list_select_related = ["movie"]
    search_fields = ["=qid", "=movie__title"]
    search_help_text = gettext_lazy("Wikidata item number or exact movie title")


@admin.register(Picture)
class PictureAdmin(ReadOnlyAdmin):
    list_display = ["movie", "person", "state", "author", "licence", "retrieved_at"]
    list_filter = ["state"]
    list_select_related = ["movie", "person"]
    search_fields = ["=movie__title", "=person__name"]
    search_help_text = gettext_lazy("exact movie title or person's name")


@admin.register(UserImport)
class UserImportAdmin(ReadOnlyAdmin):
    """Shows the results of uploads. The files and rows are visible only to their owners."""

    list_display = ["id", "user", "format", "state", "progress", "attempt", "created_at", "ended_at"]
    list_filter = ["status", "format"]
    list_select_related = ["user"]
    search_fields = ["=user__username"]
    fields = ["user", "format", "state", "progress", "attempt", "message", "counts"]
    fields += ["created_at", "heartbeat_at", "ended_at", "committed_at"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[UserImport]:
        return super().get_queryset(request).defer("content")

    @admin.display(description=gettext_lazy("rows read"))
    def progress(self, user_import: Any) -> str:
        return _("{n_done:,} of {n_items:,}").format(n_done=user_import.n_read, n_items=user_import.n_rows)


@admin.register(FollowedSource)
class FollowedSourceAdmin(ReadOnlyAdmin):
    """Shows when sources were read. Their addresses may hold secrets, and their rows are private to their owners."""

    list_display = ["id", "user", "kind", "synced_at", "next_sync_at", "n_failures", "paused_at"]
    list_filter = ["kind"]
    list_select_related = ["user"]
    search_fields = ["=user__username"]
    fields = ["user", "kind", "with_existing", "created_at", "synced_at", "next_sync_at", "n_failures", "paused_at"]
    fields += ["n_unmatched"]

    @admin.display(description=gettext_lazy("rows without a movie"))
    def n_unmatched(self, source: FollowedSource) -> str:
        return f"{unmatched_rows(source).count():,}"


@admin.register(SourceSync)
class SourceSyncAdmin(ReadOnlyAdmin):
    list_display = ["id", "source", "status", "trigger", "started_at", "ended_at", "message"]
    list_filter = ["status"]
    list_select_related = ["source"]
    search_fields = ["=source__user__username"]
    fields = ["source", "status", "trigger", "attempt", "counts", "message", "started_at", "heartbeat_at", "ended_at"]


@admin.register(ImportRun)
class ImportRunAdmin(admin.ModelAdmin):
    """A record written only by imports."""

    list_display = ["origin", "source", "started_at", "finished_at"]
    list_filter = ["source"]
    search_fields = ["origin"]

    has_add_permission = has_change_permission = ReadOnlyAdmin.never
