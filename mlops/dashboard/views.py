"""Views of the staff dashboard, and of the first model's progress. The dashboard returns 404 to other users."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from catalog.jobs.messages import send
from catalog.models import Movie, Rating, SampleLoad, User
from catalog.views.pages import HtmxRequest, is_htmx, post_only
from mlops.dashboard.page import TABS, dashboard, runs
from mlops.errors import MLOpsError, ReasonRequired
from mlops.models import DriftReport, ModelVersion, PipelineRun, Promotion
from mlops.registry.promotion import promote, roll_back
from mlops.training.runs import start_training

DRIFT_ASKED_AT = "drift_asked_at"  # session key
PATIENCE = timedelta(minutes=10)  # longest wait for a drift report

View = Callable[[HttpRequest], HttpResponse]


def staff_only(view: View) -> View:
    @wraps(view)
    @never_cache
    @login_required
    def guarded(request: HttpRequest) -> HttpResponse:
        if not (request.user.is_staff and request.user.is_active):
            raise Http404
        return view(request)

    return guarded


@require_safe
@staff_only
def overview(request: HttpRequest) -> HttpResponse:
    tab = TABS.get(request.GET.get("tab", ""), TABS["overview"])
    return render(request, "mlops/dashboard.html", dashboard(tab) | {"drift_is_awaited": _drift_is_awaited(request)})


@require_safe
@staff_only
def runs_fragment(request: HttpRequest) -> HttpResponse:
    """Renders the live part of the page during a training or drift check. Reloads the whole page at the end."""
    context = runs() | {"drift_is_awaited": _drift_is_awaited(request)}
    response = render(request, "mlops/_runs.html", context)
    if "busy" in request.GET and not (context["is_busy"] or context["drift_is_awaited"]):
        response["HX-Refresh"] = "true"
    return response


@require_safe
@never_cache
def first_model(request: HttpRequest) -> HttpResponse:
    """Renders the progress of the first model's training. The home page shows it until a model is served."""
    run = PipelineRun.objects.filter(status__in=PipelineRun.ACTIVE).first()
    return render(request, "mlops/_first_model.html", {"is_ready": ModelVersion.champion() is not None, "run": run})


@require_safe
@staff_only
def start(request: HttpRequest) -> HttpResponse:
    """Shows the page for a new site: the progress of the sample data and first model, and the next steps."""
    template = "mlops/_start.html" if is_htmx(cast(HtmxRequest, request)) else "mlops/start.html"
    return render(request, template, _first_steps())


def action(permission: str) -> Callable[[Callable[[HttpRequest], str]], View]:
    """Turns a function that acts and returns a message into the view of a button."""

    def decorate(act: Callable[[HttpRequest], str]) -> View:
        @post_only
        @staff_only
        @wraps(act)
        def view(request: HttpRequest) -> HttpResponse:
            if not request.user.has_perm(permission):
                raise PermissionDenied
            try:
                messages.success(request, act(request))
            except MLOpsError as error:
                messages.error(request, str(error))
            return redirect("mlops:dashboard")

        return view

    return decorate


@action("mlops.start_training")
def train(request: HttpRequest) -> str:
    run = start_training(trigger=PipelineRun.Trigger.ADMIN, requested_by=cast(User, request.user))
    return _("Training run {run} has been queued.").format(run=run.pk)


@action("mlops.promote_modelversion")
def promote_version(request: HttpRequest) -> str:
    """Promotes the version in the form. A manual promotion requires a reason, unlike a rollback."""
    if not (reason := _reason(request)):
        raise ReasonRequired
    return _now_serves(promote(version=_version(request), by=cast(User, request.user), reason=reason))


@action("mlops.promote_modelversion")
def roll_back_version(request: HttpRequest) -> str:
    return _now_serves(roll_back(to=_version(request), by=cast(User, request.user), reason=_reason(request)))


@action("mlops.add_driftreport")
def check_drift(request: HttpRequest) -> str:
    """Queues a drift check, which is too slow for a web process because it reads up to a hundred thousand ratings."""
    if not send("mlops.check_drift", queue="default", expires=PATIENCE.total_seconds()):
        raise MLOpsError(
            _("The task queue is not responding, so the drift check did not start. Try again in a minute.")
        )
    request.session[DRIFT_ASKED_AT] = timezone.now().isoformat()
    return _("The drift check has started. The report will appear below.")


def _drift_is_awaited(request: HttpRequest) -> bool:
    if not (asked := request.session.get(DRIFT_ASKED_AT)):
        return False
    at = datetime.fromisoformat(asked)
    return timezone.now() - at < PATIENCE and not DriftReport.objects.filter(created_at__gte=at).exists()


def _version(request: HttpRequest) -> int:
    number = request.POST.get("version", "")
    if not (number.isascii() and number.isdigit() and len(number) < 10):
        raise Http404
    return int(number)


def _reason(request: HttpRequest) -> str:
    return request.POST.get("reason", "").strip()[:1000]


def _now_serves(promotion: Promotion) -> str:
    return _("Version {version} is now served ({kind}).").format(
        version=promotion.version_id, kind=promotion.get_kind_display()
    )


def _first_steps() -> dict[str, Any]:
    """Returns the page's context. `is_busy` is true while the sample is loaded or a training is queued or running."""
    load = SampleLoad.objects.first()
    run = PipelineRun.objects.first()
    has_model = ModelVersion.champion() is not None
    is_loading = load is not None and (load.is_active or load.retry_at is not None)
    is_training = run is not None and run.is_active
    counts = {"n_movies": Movie.objects.count(), "n_ratings": Rating.objects.count()}
    states = {"is_loading": is_loading, "is_training": is_training, "has_model": has_model}
    return counts | states | {"load": load, "run": run, "is_busy": is_loading or is_training}
