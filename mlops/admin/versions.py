from collections.abc import Callable
from typing import Any, cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern
from django.utils import timezone
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from catalog.models import Movie, User
from mlops.admin.read_only import ReadOnlyAdmin, require_permission
from mlops.dashboard.meanings import Term, terms
from mlops.dashboard.next_likes import how_it_does
from mlops.dashboard.report import (
    METRICS,
    SLICE_METRICS,
    FigureRow,
    difference_text,
    figure_rows,
    group_rows,
    side_by_side,
    slice_rows,
)
from mlops.models import GateDecision, ModelVersion, Promotion
from mlops.monitoring.auto_rollback import assess
from mlops.registry.model_card import model_card, model_card_html
from mlops.registry.promotion import predecessor_of_champion, promote, refuse, roll_back

PROMOTE, FORCE = "mlops.promote_modelversion", "mlops.force_modelversion"
TITLES = {  # titles of the confirmation pages and of their buttons
    "promote": gettext_lazy("Promote version {version}"),
    "force": gettext_lazy("Force promotion of version {version}"),
    "refuse": gettext_lazy("Reject version {version}"),
}
Status = ModelVersion.Status


@admin.register(ModelVersion)
class ModelVersionAdmin(ReadOnlyAdmin):
    list_display = ["id", "status", "algorithm", "ndcg", "against_baseline", "snapshot", "created_at", "is_kept"]
    list_display_links = ["id", "status"]
    list_filter = ["status", "algorithm"]
    list_select_related = ["snapshot"]
    search_fields = ["=id", "algorithm", "snapshot__content_hash", "code_revision"]
    detail_template = "admin/mlops/modelversion/detail.html"
    shows_errors_on_row = True
    change_list_template = "admin/mlops/modelversion/change_list.html"

    @admin.display(description="nDCG@10")
    def ndcg(self, version: ModelVersion) -> str:
        return "-" if version.ndcg is None else f"{version.ndcg:.4f}"

    @admin.display(description=gettext_lazy("difference from the best simple baseline"))
    def against_baseline(self, version: ModelVersion) -> str:
        return difference_text(version.difference_from(version.figures.get("best_simple_baseline", ""))) or "-"

    @admin.display(description=gettext_lazy("files available"), boolean=True)
    def is_kept(self, version: ModelVersion) -> bool:
        return version.artifact_removed_at is None

    def get_urls(self) -> list[URLPattern]:
        return [
            self.url("<id:pk>/promote/", self.promote),
            self.url("<id:pk>/refuse/", self.refuse),
            self.url("<id:pk>/rollback/", require_POST(self.rollback)),
            self.url("<id:pk>/card/", self.card),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        context = {"back_to": predecessor_of_champion() if request.user.has_perm(PROMOTE) else None}
        return super().changelist_view(request, (extra_context or {}) | context)

    def detail_context(self, request: HttpRequest, row: ModelVersion) -> dict[str, Any]:
        return _page_of(row) | self._allowed(request, row)

    def _allowed(self, request: HttpRequest, row: ModelVersion) -> dict[str, Any]:
        can_go_live = row.status != Status.CHAMPION and row.artifact_removed_at is None
        may_promote, passed = request.user.has_perm(PROMOTE), row.has_passed
        back_to = predecessor_of_champion() if row.status == Status.CHAMPION and may_promote else None
        if row.status == Status.FORMER and can_go_live and may_promote:
            back_to = row
        return {
            "may_promote": can_go_live and passed and may_promote and row.status != Status.FORMER,
            "may_refuse": row.status == Status.CANDIDATE and may_promote,
            "may_force": can_go_live and not passed and row.status != Status.FORMER and request.user.has_perm(FORCE),
            "back_to": back_to,
        }

    def card(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Shows the model card; with `?download`, returns it as a Markdown file."""
        row = get_object_or_404(ModelVersion.objects.select_related("snapshot"), pk=pk)
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        if "download" not in request.GET:
            return self.page(request, "admin/mlops/modelversion/card.html", row, card=model_card_html(row))
        headers = {"Content-Disposition": f'attachment; filename="version-{pk}.md"'}
        return HttpResponse(model_card(row), content_type="text/markdown; charset=utf-8", headers=headers)

    def promote(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Promotes the version. Requires the permission to force if the version did not pass the gate."""
        row = get_object_or_404(ModelVersion, pk=pk)
        force = not row.has_passed
        require_permission(request, FORCE if force else PROMOTE)

        def act(reason: str) -> str:
            return _now_champion(promote(version=pk, by=cast(User, request.user), reason=reason, force=force))

        return self._confirm(request, row, act, "force" if force else "promote")

    def refuse(self, request: HttpRequest, pk: int) -> HttpResponse:
        require_permission(request, PROMOTE)

        def act(reason: str) -> str:
            refuse(version=pk, by=cast(User, request.user), reason=reason)
            return _("Version {version} has been rejected.").format(version=pk)

        return self._confirm(request, get_object_or_404(ModelVersion, pk=pk), act, "refuse")

    def rollback(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Rolls back without a confirmation page, because rollbacks are urgent. The reason is optional."""
        require_permission(request, PROMOTE)
        row = get_object_or_404(ModelVersion, pk=pk)
        reason = request.POST.get("reason", "")[:1000]
        messages.success(request, _now_champion(roll_back(to=pk, by=cast(User, request.user), reason=reason)))
        return redirect(self.address(row))

    def _confirm(self, request: HttpRequest, row: ModelVersion, act: Callable[[str], str], verb: str) -> HttpResponse:
        context = {
            "champion": ModelVersion.champion(),
            "difference": difference_text(row.difference_from("champion")),
            "title": TITLES[verb].format(version=row.pk),
            "verb": verb,
            "decision": row.decisions.first(),
        }
        return self.confirm(request, "admin/mlops/modelversion/confirm.html", row, act, **context)


def _page_of(version: ModelVersion) -> dict[str, Any]:
    """Returns the context of a version's page: its figures, the champion's, and its health in production."""
    decision = version.decisions.select_related("champion", "decided_by").first()
    champion = decision.champion if decision else None
    is_champion = version.status == Status.CHAMPION
    health = assess() if is_champion else None
    known = terms((*METRICS, "interval", "against"))
    accuracy, beyond = (
        [known[name] for name in METRICS if (name in SLICE_METRICS) == is_in] for is_in in (True, False)
    )
    return {
        "terms": known,
        "accuracy": accuracy,
        "beyond": beyond,
        "figures": [_cells(row, accuracy, beyond) for row in figure_rows(version.figures)],
        "slices": [
            (name, n_users, list(zip(accuracy, values, strict=True)), difference)
            for name, n_users, values, difference in slice_rows(version.figures)
        ],
        "groups": list(group_rows(version.figures)),
        "decision": decision,
        "champion": champion,
        "pairs": side_by_side(version.figures, champion.figures) if champion else [],
        "changes": _changes_of(version),
        "health": health if health and health.version else None,
        "headline": how_it_does(version, timezone.now()) if is_champion else None,
        "promotions": version.promotions.select_related("promoted_by", "previous"),
    }


def _cells(row: FigureRow, *tables: list[Term]) -> tuple[Any, ...]:
    """Returns the row, followed by the (term, value) pairs of each table."""
    values = dict(zip(METRICS, row.values, strict=True))
    return row, *([(term, values[term.code]) for term in table] for table in tables)


def _changes_of(version: ModelVersion) -> list[dict[str, Any]]:
    """Returns a sample of the lists that would change, with their movies. Skips deleted movies."""
    sample = (version.figures.get("replay") or {}).get("sample", [])
    movies = Movie.objects.in_bulk({movie for change in sample for movie in (*change["comes"], *change["goes"])})
    return [
        change | {name: [movies[movie] for movie in change[name] if movie in movies] for name in ("comes", "goes")}
        for change in sample
    ]


def _now_champion(promotion: Promotion) -> str:
    text = _("Version {version} is now the champion ({kind}).")
    return text.format(version=promotion.version_id, kind=promotion.get_kind_display())


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

    @admin.display(description=gettext_lazy("reason"))
    def why(self, decision: GateDecision) -> str:
        return Truncator(decision.sentence).chars(120)
