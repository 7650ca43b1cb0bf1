"""Pages for a user's own data: ratings, the watchlist, imports from other sites and exports."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.http import HttpResponseClientRedirect

from catalog.archive import EXPORTS
from catalog.archive import export as export_data
from catalog.errors import ImportNotReady, InvalidImport, InvalidMatch, MovieNotFound, RowNotFound, UploadTooLarge
from catalog.forms import RatingForm, UploadForm
from catalog.guests import mark_for, rate_for
from catalog.imports.candidates import add_candidates
from catalog.imports.choices import Chosen, choose_movie, undo_choice
from catalog.imports.commit import answer_questions, commit_import
from catalog.imports.formats import FORMATS
from catalog.imports.lifecycle import receive_upload
from catalog.imports.mapping import choices
from catalog.imports.reading import QUESTIONS
from catalog.imports.report import answered_columns, files_of, questions_of, sentences, tables_of
from catalog.imports.upload import check_length
from catalog.models import ImportRow, Movie, Rating, UserImport, WatchlistItem
from catalog.return_addresses import safe_next
from catalog.services import add_to_watchlist, is_wanted_by, remove_from_watchlist
from catalog.throttling import AnonThrottle, ImportThrottle, limited
from catalog.views.matching import chosen_movie, search_page
from catalog.views.pages import HtmxRequest, SignedInRequest, is_htmx, is_on_page_of, paginated, post_only, to_sign_in

IMPORT_ROWS = 50
NOT_IMPORTED = (ImportRow.Kind.UNREADABLE, ImportRow.Kind.NOTHING)
# Tabs of the preview: label, key of the count, and filter of the rows.
TABS = {
    "unmatched": (_("Not found"), "not_found", Q(movie=None) & ~Q(kind__in=NOT_IMPORTED)),
    "matched": (_("Found"), "matched", Q(movie__isnull=False)),
    ImportRow.Kind.UNREADABLE.value: (_("Unreadable"), "not_readable", Q(kind=ImportRow.Kind.UNREADABLE)),
    ImportRow.Kind.NOTHING.value: (_("Nothing to import"), "nothing_said", Q(kind=ImportRow.Kind.NOTHING)),
}
ALWAYS_SHOWN = ("unmatched", "matched")
SORTS = {
    "recent": (_("Newest first"), ["-rated_at", "-id"]),
    "highest": (_("Highest first"), ["-rating", "-rated_at", "-id"]),
    "lowest": (_("Lowest first"), ["rating", "-rated_at", "-id"]),
    "title": (_("Title"), ["movie__search_title", "id"]),
}


@require_safe
@login_required
def ratings(request: SignedInRequest) -> HttpResponse:
    sort = request.GET.get("sort", "")
    sort = sort if sort in SORTS else "recent"
    rows = Rating.objects.filter(user=request.user).select_related("movie").order_by(*SORTS[sort][1])
    context = {
        "page": paginated(request, rows, page_size=24),
        "sort": sort,
        "sorts": [(name, label) for name, (label, _order) in SORTS.items()],
        "next_url": request.get_full_path(),
    }
    return render(request, "catalog/ratings.html", context)


@post_only
@limited(AnonThrottle)
def rate(request: HtmxRequest, movie_id: int) -> HttpResponse:
    """Sets or deletes (button `remove`) the rating of the user or guest.

    htmx receives the rating panel, or a message for a card.
    """
    movie = get_object_or_404(Movie, pk=movie_id)
    form = RatingForm(request.POST)
    left_watchlist = False
    said = error = ""
    if "remove" in request.POST:
        rate_for(request, movie, None)
        said = gettext("Your rating of %(title)s has been removed.") % {"title": movie.title}
    elif form.is_valid():
        rating = form.cleaned_data["rating"]
        left_watchlist = is_wanted_by(request.user, movie)
        rate_for(request, movie, rating)
        said = gettext("You rated %(movie)s %(rating)s out of 5 stars.") % {
            "movie": movie.title,
            "rating": f"{rating:g}",
        }
        if left_watchlist:
            said += " " + gettext("It was removed from your watchlist.")
    else:
        error = str(form.errors["rating"][0])
    if request.htmx:
        return _rated(request, movie, said, error, left_watchlist=left_watchlist)
    messages.add_message(request, messages.ERROR if error else messages.SUCCESS, error or said)
    return redirect(safe_next(request, movie))


def _rated(request: HtmxRequest, movie: Movie, said: str, error: str, *, left_watchlist: bool) -> HttpResponse:
    """Renders the rating panel with its new figures, or the message for a card."""
    movie.refresh_from_db(fields=["rating_count", "rating_sum"])
    mark_for(request, [movie])
    is_card = request.htmx.target != f"rating-{movie.pk}"
    context = {
        "movie": movie,
        "rating": movie.marks and movie.marks.rating,
        "said": said,
        "error": error,
        "left_watchlist": left_watchlist and (is_card or is_on_page_of(request, movie)),
        "next_url": safe_next(request, movie),
    }
    name = "catalog/_said.html" if is_card else "catalog/_rating_panel.html"
    return render(request, name, context, status=422 if error else 200)


@require_safe
@login_required
def watchlist(request: SignedInRequest) -> HttpResponse:
    items = WatchlistItem.objects.filter(user=request.user).select_related("movie")
    page = paginated(request, items)
    mark_for(request, [item.movie for item in page.object_list])
    return render(request, "catalog/watchlist.html", {"page": page})


@post_only
def change_watchlist(request: HtmxRequest, movie_id: int) -> HttpResponse:
    """Adds the movie to the user's watchlist (`wanted=1`) or removes it. Idempotent."""
    movie = get_object_or_404(Movie, pk=movie_id)
    if not request.user.is_authenticated:
        return to_sign_in(request, movie.get_absolute_url())
    wanted = request.POST.get("wanted") == "1"
    if wanted:
        add_to_watchlist(user=request.user, movie=movie)
    else:
        remove_from_watchlist(user=request.user, movie=movie)
    if request.htmx:
        context = {"movie": movie, "in_watchlist": wanted, "button_id": request.htmx.trigger}
        return render(request, "catalog/_watchlist_button.html", context)
    where = "on your watchlist now" if wanted else "off your watchlist"
    messages.success(request, f"{movie.title} is {where}.")
    return redirect(safe_next(request, movie))


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@limited(ImportThrottle)
def upload(request: SignedInRequest) -> HttpResponse:
    """Shows the upload form and the state of the latest import; htmx requests only the latter."""
    if request.method != "POST":
        return _import_page(request, UploadForm())
    form = UploadForm(request.POST, request.FILES)
    try:
        check_length(request)
        if not form.is_valid():
            return _import_page(request, form, status=422)
        receive_upload(trigger=UserImport.Trigger.PAGE, user=request.user, **form.cleaned_data)
    except UploadTooLarge as error:
        return _import_page(request, UploadForm(), status=error.status, refused=str(error))
    except InvalidImport as error:
        return _import_page(request, form, status=422, refused=str(error))
    return redirect("catalog:import")


def _import_page(request: SignedInRequest, form: UploadForm, *, status: int = 200, refused: str = "") -> HttpResponse:
    """Renders the import page. An error in a new upload hides the preview of an earlier one, which is kept."""
    latest = UserImport.objects.of(request.user).first()
    refused = refused or " ".join(str(message) for messages in form.errors.values() for message in messages)
    user_import = None if refused else latest
    context = {
        "form": form,
        "refused": refused,
        "latest": latest,
        "user_import": user_import,
        "max_upload_mb": settings.POLICY.imports.max_upload_mb,
        "formats": list(zip(form["format"], FORMATS.values(), strict=True)),
        "format_label": FORMATS[user_import.format].label if user_import else "",
    }
    if user_import and user_import.counts:
        shown = {"sentences": sentences(user_import), "files": files_of(user_import)}
        context |= shown | _tab_of_rows(request, user_import)
        if user_import.state == UserImport.State.READY:
            context |= {"questions": questions_of(user_import), "tables": tables_of(user_import), "meanings": choices()}
    name = "catalog/_import.html" if is_htmx(request) else "catalog/import.html"
    return render(request, name, context, status=status)


def _tab_of_rows(request: SignedInRequest, user_import: UserImport) -> dict[str, object]:
    """Returns the rows of the selected tab, with suggestions for unmatched ones."""
    tabs = _tabs(user_import, request.GET.get("show", ""))
    rows = user_import.rows.filter(TABS[tabs["shown"]][2]).select_related("movie")
    page = paginated(request, rows, page_size=IMPORT_ROWS)
    add_candidates(page.object_list)
    return {"page": page, "next_url": request.get_full_path(), **tabs}


def _tabs(user_import: UserImport, shown: str) -> dict[str, Any]:
    """Returns the tabs and the selected one. Unmatched rows come first, because only those may need action."""
    counts = {"not_found": user_import.counts["unmatched"]} | user_import.counts
    tabs = {name: (label, counts.get(key, 0)) for name, (label, key, _rows) in TABS.items()}
    tabs = {name: tab for name, tab in tabs.items() if tab[1] or name in ALWAYS_SHOWN}
    if user_import.state == UserImport.State.DONE:
        del tabs["matched"]
    first = next((name for name, tab in tabs.items() if tab[1]), "unmatched")
    return {"shown": shown if shown in tabs else first, "tabs": tabs}


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def match_row(request: SignedInRequest, row_id: int) -> HttpResponse:
    """Searches for the movie of an unmatched row; a POST chooses it, or undoes the choice.

    htmx receives the row, and the changed summary of the import.
    """
    if request.method != "POST":
        row = get_object_or_404(ImportRow, pk=row_id, user_import__user=request.user)
        action = reverse("catalog:match-row", args=[row_id])
        return search_page(request, row, action=action, back="catalog:import", target=f"#row-{row_id}")
    try:
        if "undo" in request.POST:
            chosen = undo_choice(user=request.user, row_id=row_id)
        else:
            chosen = choose_movie(user=request.user, row_id=row_id, movie_id=chosen_movie(request))
    except RowNotFound as error:
        return _import_page(request, UploadForm(), status=error.status, refused=str(error))
    except (ImportNotReady, InvalidMatch, MovieNotFound) as error:
        messages.error(request, str(error))
        return _to_rows(request)
    return _matched(request, chosen)


def _to_rows(request: SignedInRequest) -> HttpResponse:
    back = safe_next(request, "catalog:import")
    return HttpResponseClientRedirect(back) if is_htmx(request) else redirect(back)


def _matched(request: SignedInRequest, chosen: Chosen) -> HttpResponse:
    row, user_import, back = chosen.row, chosen.row.user_import, safe_next(request, "catalog:import")
    if is_htmx(request) and chosen.n_rows == 1:
        add_candidates([row])
        context = {"row": row, "user_import": user_import, "is_imported": chosen.is_imported, "next_url": back}
        shown = QueryDict(urlsplit(back).query).get("show", "")
        summary = {"sentences": sentences(user_import), **_tabs(user_import, shown), "is_oob": True}
        return render(request, "catalog/_import_row_matched.html", summary | context)
    if row.movie:
        names = {"row": row.title or gettext("(no title)"), "movie": row.movie, "n": chosen.n_rows}
        text = ngettext("%(row)s is %(movie)s now.", "%(row)s is %(movie)s now, in %(n)d rows.", chosen.n_rows)
        messages.success(request, text % names)
    return _to_rows(request)


@post_only
@login_required
def answer(request: SignedInRequest, import_id: int) -> HttpResponse:
    """Reads the upload again with its owner's answers about its dates, rows or columns."""
    user_import = get_object_or_404(UserImport.objects.filter(user=request.user), pk=import_id)
    given = {option: request.POST.get(option, "") for option in QUESTIONS}
    answers: dict[str, Any] = {option: said for option, said in given.items() if said in QUESTIONS[option][1]}
    if columns := answered_columns(user_import, request.POST):
        answers["columns"] = columns
    try:
        answer_questions(user_import, answers=answers, trigger=UserImport.Trigger.PAGE)
    except (ImportNotReady, InvalidImport) as error:
        messages.error(request, str(error))
    return redirect("catalog:import")


@post_only
@login_required
def commit(request: SignedInRequest, import_id: int) -> HttpResponse:
    user_import = get_object_or_404(UserImport.objects.of(request.user), pk=import_id)
    try:
        commit_import(user_import)
    except ImportNotReady as error:
        messages.error(request, str(error))
    else:
        messages.success(request, gettext("Import finished. Your recommendations now take it into account."))
    return redirect("catalog:import")


@post_only
@login_required
def discard(request: SignedInRequest, import_id: int) -> HttpResponse:
    user_import = get_object_or_404(UserImport.objects.of(request.user), pk=import_id)
    user_import.delete()
    messages.success(request, f"{user_import.name} was discarded.")
    return redirect("catalog:import")


@require_safe
@login_required
def export(request: SignedInRequest, format: str) -> HttpResponse:
    if format not in EXPORTS:
        raise Http404
    return export_data(user=request.user, format=format).as_download()
