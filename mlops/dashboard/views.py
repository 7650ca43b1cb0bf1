"""The staff dashboard, which does not exist for other users, and what everybody sees while there is no model."""

from collections.abc import Callable
from functools import wraps

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from mlops.dashboard.page import dashboard, runs
from mlops.models import ModelVersion, PipelineRun

View = Callable[[HttpRequest], HttpResponse]


def staff_only(view: View) -> View:
    @wraps(view)
    @login_required
    def guarded(request: HttpRequest) -> HttpResponse:
        if not (request.user.is_staff and request.user.is_active):
            raise Http404
        return view(request)

    return guarded


@require_safe
@never_cache
@staff_only
def overview(request: HttpRequest) -> HttpResponse:
    return render(request, "mlops/dashboard.html", dashboard())


@require_safe
@never_cache
@staff_only
def runs_fragment(request: HttpRequest) -> HttpResponse:
    """The part that changes while a training is active."""
    return render(request, "mlops/_runs.html", runs())


@require_safe
@never_cache
def first_model(request: HttpRequest) -> HttpResponse:
    """How far the training of the first model is: a part of the home page while none is served."""
    run = PipelineRun.objects.filter(status__in=PipelineRun.ACTIVE).first()
    return render(request, "mlops/_first_model.html", {"is_ready": ModelVersion.champion() is not None, "run": run})
