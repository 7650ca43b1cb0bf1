"""Pages that import a user's data from another site and export it again."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from catalog.errors import ImportNotReady, InvalidImport, UploadTooLarge
from catalog.forms import UploadForm
from catalog.imports.commit import commit_import
from catalog.imports.formats import FORMATS, export_ratings
from catalog.imports.lifecycle import receive_upload
from catalog.imports.report import sentences
from catalog.imports.upload import check_length
from catalog.models import UserImport
from catalog.throttling import ImportThrottle, too_many
from catalog.views.pages import SignedInRequest, is_htmx, paginated, vary_on_htmx

ROWS = 50


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def upload(request: SignedInRequest) -> HttpResponse:
    """The upload form and the state of the latest import; htmx requests only the latter."""
    if request.method != "POST":
        return _page(request, UploadForm())
    if refused := too_many(ImportThrottle(), request):
        return _refused(request, UploadForm(), refused, status=429)
    form = UploadForm(request.POST, request.FILES)
    try:
        check_length(request)
        if not form.is_valid():
            return _page(request, form, status=422)
        file = form.cleaned_data["file"]
        receive_upload(
            trigger=UserImport.Trigger.PAGE,
            user=request.user,
            format=form.cleaned_data["format"],
            name=file.name,
            content=file.read(),
        )
    except UploadTooLarge as error:
        return _refused(request, UploadForm(), str(error), status=error.status)
    except InvalidImport as error:
        return _refused(request, form, str(error), status=422)
    return redirect("catalog:import")


def _refused(request: SignedInRequest, form: UploadForm, reason: str, *, status: int) -> HttpResponse:
    return _page(request, form, status=status, refused=reason)


def _page(request: SignedInRequest, form: UploadForm, *, status: int = 200, refused: str = "") -> HttpResponse:
    user_import = UserImport.objects.of(request.user).first()
    context = {
        "form": form,
        "refused": refused,
        "user_import": user_import,
        "sentences": sentences(user_import) if user_import and user_import.counts else [],
        "max_upload_mb": settings.POLICY.imports.max_upload_mb,
        "formats": list(zip(form["format"], FORMATS.values(), strict=True)),
        "format_label": FORMATS[user_import.format].label if user_import else "",
    }
    if user_import and user_import.counts:
        context |= _rows(request, user_import)
    name = "catalog/_import.html" if is_htmx(request) else "catalog/import.html"
    return vary_on_htmx(render(request, name, context, status=status))


def _rows(request: SignedInRequest, user_import: UserImport) -> dict[str, object]:
    """Unmatched rows first: only those may need action."""
    tabs = {"unmatched": user_import.counts["unmatched"], "matched": user_import.counts["matched"]}
    if user_import.state == UserImport.State.DONE:
        del tabs["matched"]
    shown = request.GET.get("show", "")
    shown = shown if shown in tabs else next((name for name, count in tabs.items() if count), "unmatched")
    rows = user_import.rows.filter(movie__isnull=shown == "unmatched").select_related("movie")
    return {"page": paginated(request, rows, page_size=ROWS), "shown": shown, "tabs": tabs}


@require_POST
@login_required
def commit(request: SignedInRequest, import_id: int) -> HttpResponse:
    user_import = get_object_or_404(UserImport.objects.of(request.user), pk=import_id)
    try:
        commit_import(user_import)
    except ImportNotReady as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "Import finished. Your next recommendations use it.")
    return redirect("catalog:import")


@require_POST
@login_required
def discard(request: SignedInRequest, import_id: int) -> HttpResponse:
    user_import = get_object_or_404(UserImport.objects.of(request.user), pk=import_id)
    user_import.delete()
    messages.success(request, f"{user_import.name} was discarded.")
    return redirect("catalog:import")


@require_safe
@login_required
def export(request: SignedInRequest, format: str) -> HttpResponse:
    if format not in FORMATS:
        raise Http404
    return export_ratings(user=request.user, format=format).as_download()
