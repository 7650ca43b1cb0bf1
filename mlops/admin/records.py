from django.contrib import admin
from django.utils.text import Truncator

from mlops.admin.read_only import ReadOnlyAdmin
from mlops.models import DatasetSnapshot, DriftReport, GateVerdict, Promotion


@admin.register(Promotion)
class PromotionAdmin(ReadOnlyAdmin):
    """The audit trail."""

    list_display = ["promoted_at", "version", "previous", "kind", "promoted_by", "reason"]
    list_filter = ["kind"]
    list_select_related = ["version", "previous", "promoted_by"]
    search_fields = ["reason", "promoted_by__username"]
    date_hierarchy = "promoted_at"


@admin.register(DatasetSnapshot)
class DatasetSnapshotAdmin(ReadOnlyAdmin):
    list_display = ["__str__", "n_ratings", "n_users", "n_movies", "last_rated_at", "exported_at", "is_kept"]
    list_select_related = ["parent"]
    search_fields = ["content_hash"]

    @admin.display(description="files kept", boolean=True)
    def is_kept(self, snapshot: DatasetSnapshot) -> bool:
        return snapshot.removed_at is None


@admin.register(GateVerdict)
class GateVerdictAdmin(ReadOnlyAdmin):
    list_display = ["decided_at", "version", "decision", "champion", "why"]
    list_filter = ["decision"]
    list_select_related = ["version", "champion"]
    detail_template = "admin/mlops/gateverdict/detail.html"

    @admin.display(description="why")
    def why(self, verdict: GateVerdict) -> str:
        return Truncator(verdict.sentence).chars(120)


@admin.register(DriftReport)
class DriftReportAdmin(ReadOnlyAdmin):
    list_display = ["created_at", "status", "window_start", "window_end"]
    list_filter = ["status"]
    detail_template = "admin/mlops/driftreport/detail.html"
