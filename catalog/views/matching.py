"""Pages where users choose movies for unmatched rows of files and events of media servers, and see their choices."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from catalog.bounds import LARGEST_ID
from catalog.errors import InvalidMatch, MovieNotFound
from catalog.hooks.unmatched import choose_movie_of_event, undo_choice_of_event
from catalog.imports.candidates import add_candidates
from catalog.imports.choices import forget_choice
from catalog.imports.remembered import choices_of
from catalog.models import HookEvent
from catalog.models.match_choice import Matched
from catalog.return_addresses import safe_next
from catalog.views.lists import by_title
from catalog.views.pages import HtmxRequest, SignedInRequest, is_htmx, paginated, post_only

CHOICES = 50  # on a page


def chosen_movie(request: HttpRequest) -> int | None:
    """Returns the id of the chosen movie, or None for none of the suggestions. Raises InvalidMatch."""
    if "none" in request.POST:
        return None
    text = request.POST.get("movie", "")
    if not (text.isascii() and text.isdigit() and len(text) < 12 and 0 < int(text) <= LARGEST_ID):
        raise InvalidMatch(_("Expected a movie, or that none is right."))
    return int(text)


def search_page(request: HtmxRequest, row: Matched, *, action: str, back: str, target: str = "") -> HttpResponse:
    """Searches by title for the movie of a row. htmx receives only what is found, and replaces `target` by a choice."""
    context = by_title(request) | {"row": row, "action": action, "next_url": safe_next(request, back)}
    if is_htmx(request):
        return render(request, "catalog/_match_found.html", context | {"target": target})
    add_candidates([row])
    return render(request, "catalog/match.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def match_event(request: SignedInRequest, event_id: int) -> HttpResponse:
    """Searches for the movie of an unmatched event; a POST chooses it and records the event."""
    events = HookEvent.objects.filter(hook__user=request.user)
    if request.method != "POST":
        event = get_object_or_404(events, pk=event_id)
        action = reverse("catalog:match-event", args=[event_id])
        return search_page(request, event, action=action, back="catalog:media-servers")
    try:
        if "undo" in request.POST:
            undo_choice_of_event(user=request.user, event_id=event_id)
        elif movie_id := chosen_movie(request):
            choose_movie_of_event(user=request.user, event_id=event_id, movie_id=movie_id)
            event = get_object_or_404(events.select_related("movie"), pk=event_id)
            messages.success(request, f"{event.movie}: {event.get_outcome_display()}")
        else:
            choose_movie_of_event(user=request.user, event_id=event_id, movie_id=None)
    except (InvalidMatch, MovieNotFound) as error:
        messages.error(request, str(error))
    return redirect(safe_next(request, "catalog:media-servers"))


@require_safe
@login_required
def choices(request: SignedInRequest) -> HttpResponse:
    """Shows the movies that the user chose for unmatched rows and events."""
    page = paginated(request, choices_of(request.user), page_size=CHOICES)
    return render(request, "catalog/match_choices.html", {"page": page})


@post_only
@login_required
def forget(request: SignedInRequest, choice_id: int) -> HttpResponse:
    if not forget_choice(user=request.user, choice_id=choice_id):
        raise Http404
    messages.success(request, _("The choice is forgotten. What was imported stays."))
    return redirect(safe_next(request, "catalog:match-choices"))
