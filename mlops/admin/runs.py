from typing import Any, cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from catalog.models import User
from mlops.admin.read_only import ReadOnlyAdmin, require_permission
from mlops.models import ModelVersion, PipelineRun
from mlops.training.runs import cancel_run, is_resumable, resume_run, start_training

START = "mlops.start_training"


@admin.register(PipelineRun)
class PipelineRunAdmin(ReadOnlyAdmin):
    list_display = ["id", "status", "algorithm", "trigger", "requested_by", "created_at", "duration", "ending"]
    list_filter = ["status", "trigger", "algorithm"]
    list_select_related = ["requested_by"]
    search_fields = ["outcome", "requested_by__username"]
    date_hierarchy = "created_at"
    detail_template = "admin/mlops/pipelinerun/detail.html"

    @admin.display(description=gettext_lazy("seconds"))
    def duration(self, run: PipelineRun) -> str:
        if run.started_at is None or run.ended_at is None:
            return ""
        return f"{(run.ended_at - run.started_at).total_seconds():.0f}"

    @admin.display(description=gettext_lazy("result"))
    def ending(self, run: PipelineRun) -> str:
        return Truncator(run.message).chars(90)

    def get_urls(self) -> list[URLPattern]:
        return [
            self.url("train/", require_POST(self.train)),
            self.url("<id:pk>/cancel/", require_POST(self.cancel)),
            self.url("<id:pk>/resume/", require_POST(self.resume)),
            self.url("<id:pk>/again/", require_POST(self.again)),
            self.url("<id:pk>/progress/", require_safe(self.progress)),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        active_run = PipelineRun.objects.filter(status__in=PipelineRun.ACTIVE).first()
        context = {"may_start": request.user.has_perm(START), "active_run": active_run}
        return super().changelist_view(request, (extra_context or {}) | context)

    def detail_context(self, request: HttpRequest, row: PipelineRun) -> dict[str, Any]:
        version = ModelVersion.objects.filter(run=row).first()
        may_start = request.user.has_perm(START)
        may_resume = may_start and is_resumable(row)
        return {"steps": row.steps.all(), "version": version, "may_start": may_start, "may_resume": may_resume}

    def progress(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Renders the live part of the page. Reloads the whole page when the run has ended."""
        row = get_object_or_404(PipelineRun, pk=pk)
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        context = {"row": row, "steps": row.steps.all()}
        response = render(request, "admin/mlops/pipelinerun/_progress.html", context)
        if not row.is_active:
            response["HX-Refresh"] = "true"
        return response

    def train(self, request: HttpRequest) -> HttpResponse:
        return self._start(request)

    def resume(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Resumes the run at the step that failed."""
        require_permission(request, START)
        run = resume_run(run_id=pk, by=cast(User, request.user))
        text = _("Run {run} has been queued for attempt {attempt}.")
        messages.success(request, text.format(run=run.pk, attempt=run.attempt))
        return redirect(self.address(run))

    def again(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Starts a training with the same algorithm on the current data."""
        return self._start(request, algorithm=get_object_or_404(PipelineRun, pk=pk).algorithm)

    def _start(self, request: HttpRequest, algorithm: str | None = None) -> HttpResponse:
        require_permission(request, START)
        run = start_training(
            trigger=PipelineRun.Trigger.ADMIN, requested_by=cast(User, request.user), algorithm=algorithm
        )
        messages.success(request, _("Training run {run} has been queued.").format(run=run.pk))
        return redirect(self.address(run))

    def cancel(self, request: HttpRequest, pk: int) -> HttpResponse:
        require_permission(request, START)
        run = cancel_run(run_id=pk)
        text = _("Run {run} has been cancelled.") if run.ended_at else _("Run {run} will stop shortly.")
        messages.success(request, text.format(run=run.pk))
        return redirect(self.address(run))
