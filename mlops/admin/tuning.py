from typing import Any, cast

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from catalog.models import User
from mlops.admin.read_only import ReadOnlyAdmin, require_permission
from mlops.dashboard.report import difference_text
from mlops.models import ParameterChoice, TuningStudy
from mlops.tuning.choices import adopt_parameters, withdraw_parameters

ADOPT = "mlops.adopt_parameters"


@admin.register(TuningStudy)
class TuningStudyAdmin(ReadOnlyAdmin):
    list_display = ["id", "algorithm", "started_at", "ended_at", "best_ndcg", "gain"]
    list_filter = ["algorithm"]
    detail_template = "admin/mlops/tuningstudy/detail.html"

    @admin.display(description=gettext_lazy("best nDCG"))
    def best_ndcg(self, study: TuningStudy) -> str:
        best = study.best
        return "-" if best is None else f"{best.ndcg:.4f}"

    @admin.display(description=gettext_lazy("difference from the current parameters, 95 %"))
    def gain(self, study: TuningStudy) -> str:
        return difference_text(study.difference) or "-"

    def get_urls(self) -> list[URLPattern]:
        return [self.url("<id:pk>/adopt/", require_POST(self.adopt)), *super().get_urls()]

    def detail_context(self, request: HttpRequest, row: TuningStudy) -> dict[str, Any]:
        best = row.best
        found = best is not None and best.number > 0
        in_force = ParameterChoice.in_force(row.algorithm)
        return {
            "best": best,
            "gain": difference_text(row.difference),
            "trials": row.trials.all(),
            "in_force": in_force if in_force is not None and in_force.trial.study_id == row.pk else None,
            "may_adopt": found and request.user.has_perm(ADOPT) and (in_force is None or in_force.trial != best),
        }

    def adopt(self, request: HttpRequest, pk: int) -> HttpResponse:
        require_permission(request, ADOPT)
        choice = adopt_parameters(study=pk, by=cast(User, request.user))
        text = _("Adopted as choice {choice}. The next training will use it.")
        messages.success(request, text.format(choice=choice.pk))
        return redirect(reverse("admin:mlops_parameterchoice_changelist"))


@admin.register(ParameterChoice)
class ParameterChoiceAdmin(ReadOnlyAdmin):
    list_display = ["id", "algorithm", "is_in_force", "parameters", "trial", "adopted_by", "adopted_at", "withdrawn_at"]
    list_filter = ["algorithm"]
    list_select_related = ["trial", "adopted_by"]
    detail_template = "admin/mlops/parameterchoice/detail.html"

    @admin.display(description=gettext_lazy("in force"), boolean=True)
    def is_in_force(self, choice: ParameterChoice) -> bool:
        return choice.withdrawn_at is None

    def get_urls(self) -> list[URLPattern]:
        return [self.url("<id:pk>/withdraw/", require_POST(self.withdraw)), *super().get_urls()]

    def detail_context(self, request: HttpRequest, row: ParameterChoice) -> dict[str, Any]:
        return {"may_withdraw": row.withdrawn_at is None and request.user.has_perm(ADOPT)}

    def withdraw(self, request: HttpRequest, pk: int) -> HttpResponse:
        require_permission(request, ADOPT)
        withdraw_parameters(choice=pk, by=cast(User, request.user))
        text = _("Choice {choice} has been withdrawn. The next training will tune its parameters again.")
        messages.success(request, text.format(choice=pk))
        return redirect(self.address())
