from django.contrib import admin
from django.utils.text import Truncator

from mlops.admin.read_only import ReadOnlyAdmin
from mlops.models import GateDecision, Promotion


@admin.register(Promotion)
class PromotionAdmin(ReadOnlyAdmin):
    """The audit trail."""

    list_display = ["promoted_at", "version", "previous", "kind", "promoted_by", "why"]
    list_filter = ["kind"]
    list_select_related = ["version", "previous", "promoted_by"]
    search_fields = ["reason", "promoted_by__username"]
    date_hierarchy = "promoted_at"


@admin.register(GateDecision)
class GateDecisionAdmin(ReadOnlyAdmin):
    list_display = ["decided_at", "version", "outcome", "champion", "why"]
    list_filter = ["outcome"]
    list_select_related = ["version", "champion"]
    detail_template = "admin/mlops/gatedecision/detail.html"

    @admin.display(description="why")
    def why(self, decision: GateDecision) -> str:
        return Truncator(decision.sentence).chars(120)
