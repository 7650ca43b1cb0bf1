from typing import Any, cast

from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path

from catalog.models import User
from mlops.admin.read_only import ReadOnlyAdmin, require_permission
from mlops.admin.reason import ReasonForm
from mlops.errors import MLOpsError
from mlops.models import GateVerdict, ModelVersion, Promotion
from mlops.report import METRICS, figure_rows, slice_rows
from mlops.services import promote, roll_back

PROMOTE, FORCE = "mlops.promote_modelversion", "mlops.force_modelversion"
Status = ModelVersion.Status


@admin.register(ModelVersion)
class ModelVersionAdmin(ReadOnlyAdmin):
    list_display = ["id", "status", "algorithm", "ndcg", "against_baseline", "snapshot", "created_at", "is_kept"]
    list_display_links = ["id", "status"]
    list_filter = ["status", "algorithm"]
    list_select_related = ["snapshot"]
    search_fields = ["=id", "algorithm", "snapshot__content_hash", "code_revision"]
    detail_template = "admin/mlops/modelversion/detail.html"

    @admin.display(description="nDCG@10")
    def ndcg(self, version: ModelVersion) -> str:
        rows = figure_rows(version.figures)
        return rows[0].values[0] if rows else "-"

    @admin.display(description="above the best simple baseline")
    def against_baseline(self, version: ModelVersion) -> str:
        best = version.figures.get("best_simple_baseline", "").replace("_", " ")
        return next((row.difference for row in figure_rows(version.figures) if row.name == best), "-")

    @admin.display(description="files kept", boolean=True)
    def is_kept(self, version: ModelVersion) -> bool:
        return version.artifact_removed_at is None

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        own = [
            path("<int:pk>/promote/", view(self.promote), name="mlops_modelversion_promote"),
            path("<int:pk>/rollback/", view(self.roll_back), name="mlops_modelversion_rollback"),
        ]
        return own + super().get_urls()

    def detail_context(self, request: HttpRequest, row: ModelVersion) -> dict[str, Any]:
        verdict = row.verdicts.select_related("champion").first()
        passed = verdict is not None and verdict.decision == GateVerdict.Decision.PASSED
        can_go_live = row.status != Status.CHAMPION and row.artifact_removed_at is None
        return {
            "metrics": [name.replace("_", " ") for name in METRICS],
            "figures": figure_rows(row.figures),
            "slices": list(slice_rows(row.figures)),
            "fresh_process": row.figures.get("fresh_process", {}),
            "verdict": verdict,
            "promotions": row.promotions.select_related("promoted_by", "previous"),
            "may_promote": can_go_live and passed and request.user.has_perm(PROMOTE),
            "may_roll_back_to": can_go_live and row.status == Status.FORMER and request.user.has_perm(PROMOTE),
            "may_force": can_go_live and not passed and row.status != Status.FORMER and request.user.has_perm(FORCE),
        }

    def promote(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Asks first, and for the reason; against the gate only with the permission to force."""
        row = self._row(pk)
        verdict = row.verdicts.first()
        force = verdict is None or verdict.decision != GateVerdict.Decision.PASSED
        require_permission(request, FORCE if force else PROMOTE)

        def act(reason: str) -> Promotion:
            return promote(version=pk, by=cast(User, request.user), reason=reason, force=force)

        return self._confirm(request, row, act, verb="Force" if force else "Promote", verdict=verdict)

    def roll_back(self, request: HttpRequest, pk: int) -> HttpResponse:
        require_permission(request, PROMOTE)

        def act(reason: str) -> Promotion:
            return roll_back(to=pk, by=cast(User, request.user), reason=reason)

        return self._confirm(request, self._row(pk), act, verb="Roll back to")

    def _confirm(self, request: HttpRequest, row: ModelVersion, act: Any, **context: Any) -> HttpResponse:
        form = ReasonForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                promotion = act(form.cleaned_data["reason"])
            except MLOpsError as error:
                return self.refused(request, error, row)
            messages.success(
                request, f"Version {promotion.version_id} is the champion ({promotion.get_kind_display()})."
            )
            return redirect(self.address(row))
        champion = ModelVersion.objects.filter(status=Status.CHAMPION).first()
        difference = next((found.difference for found in figure_rows(row.figures) if found.name == "champion"), "")
        title = f"{context['verb']} version {row.pk}"
        context |= {"form": form, "champion": champion, "difference": difference, "title": title}
        return self.page(request, "admin/mlops/modelversion/confirm.html", row, **context)

    def _row(self, pk: int) -> ModelVersion:
        row = ModelVersion.objects.filter(pk=pk).first()
        if row is None:
            raise Http404
        return row
