"""Bringing one's history along from another site, and taking it away again."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from catalog.errors import HistoryNotReady, InvalidHistory, UploadTooLarge
from catalog.forms import HistoryUploadForm
from catalog.histories.export import export_history
from catalog.histories.imports import commit_import, receive_history
from catalog.histories.report import sentences
from catalog.histories.upload import check_length
from catalog.models import HistoryImport
from catalog.throttling import HistoryThrottle, too_many
from catalog.views.pages import SignedInRequest, paginated, varying, wants_fragment

ROWS = 50


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def history_import(request: SignedInRequest) -> HttpResponse:
    """The form, and how far the latest upload is; htmx asks for the latter alone."""
    if request.method != "POST":
        return _page(request, HistoryUploadForm())
    if refused := too_many(HistoryThrottle(), request):
        return _refused(request, HistoryUploadForm(), refused, status=429)
    form = HistoryUploadForm(request.POST, request.FILES)
    try:
        check_length(request)
        if not form.is_valid():
            return _page(request, form, status=422)
        file = form.cleaned_data["file"]
        receive_history(user=request.user, format=form.cleaned_data["format"], name=file.name, content=file.read())
    except UploadTooLarge as error:
        return _refused(request, HistoryUploadForm(), str(error), status=error.status)
    except InvalidHistory as error:
        return _refused(request, form, str(error), status=422)
    return redirect("catalog:import")


def _refused(request: SignedInRequest, form: HistoryUploadForm, reason: str, *, status: int) -> HttpResponse:
    return _page(request, form, status=status, refused=reason)


def _page(request: SignedInRequest, form: HistoryUploadForm, *, status: int = 200, refused: str = "") -> HttpResponse:
    history = HistoryImport.objects.of(request.user).first()
    context = {
        "form": form,
        "refused": refused,
        "history": history,
        "sentences": sentences(history) if history and history.counts else [],
        "max_upload_mb": settings.POLICY.histories.max_upload_mb,
        "formats": HistoryImport.Format,
    }
    if history and history.counts:
        context |= _rows(request, history)
    name = "catalog/_history.html" if wants_fragment(request) else "catalog/history_import.html"
    return varying(render(request, name, context, status=status))


def _rows(request: SignedInRequest, history: HistoryImport) -> dict[str, object]:
    """Those without a movie first: they are what somebody may want to do something about."""
    tabs = {"unmatched": history.counts["unmatched"], "matched": history.counts["matched"]}
    if history.status == HistoryImport.Status.DONE:
        del tabs["matched"]
    shown = request.GET.get("show", "")
    shown = shown if shown in tabs else next((name for name, count in tabs.items() if count), "unmatched")
    rows = history.entries.filter(movie__isnull=shown == "unmatched").select_related("movie")
    return {"page": paginated(request, rows, page_size=ROWS), "shown": shown, "tabs": tabs}


@require_POST
@login_required
def commit(request: SignedInRequest, import_id: int) -> HttpResponse:
    history = get_object_or_404(HistoryImport.objects.of(request.user), pk=import_id)
    try:
        commit_import(history)
    except HistoryNotReady as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "Your history is here. It counts in your very next list.")
    return redirect("catalog:import")


@require_POST
@login_required
def discard(request: SignedInRequest, import_id: int) -> HttpResponse:
    history = get_object_or_404(HistoryImport.objects.of(request.user), pk=import_id)
    history.delete()
    messages.success(request, f"{history.name} is discarded.")
    return redirect("catalog:import")


@require_safe
@login_required
def export(request: SignedInRequest, format: str) -> HttpResponse:
    if format not in HistoryImport.Format.values:
        raise Http404
    return export_history(user=request.user, format=format).as_download()
