"""The movies somebody wants to see."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from catalog.models import Movie, WatchlistItem
from catalog.services import add_to_watchlist, remove_from_watchlist
from catalog.views.pages import HtmxRequest, SignedInRequest, paginated, to_sign_in, way_back


@require_safe
@login_required
def watchlist(request: SignedInRequest) -> HttpResponse:
    items = WatchlistItem.objects.filter(user=request.user).select_related("movie")
    context = {"page": paginated(request, items), "next_url": request.get_full_path()}
    return render(request, "catalog/watchlist.html", context)


@require_POST
def change_watchlist(request: HtmxRequest, movie_id: int) -> HttpResponse:
    """Puts the movie on the viewer's list (`wanted=1`) or takes it off; asking twice changes nothing more."""
    movie = get_object_or_404(Movie, pk=movie_id)
    if not request.user.is_authenticated:
        return to_sign_in(request, movie.get_absolute_url())
    wanted = request.POST.get("wanted") == "1"
    if wanted:
        add_to_watchlist(user=request.user, movie=movie)
    else:
        remove_from_watchlist(user=request.user, movie=movie)
    if request.htmx:
        context = {"movie": movie, "in_watchlist": wanted, "next_url": way_back(request, movie)}
        return render(request, "catalog/_watchlist_button.html", context)
    where = "on your watchlist now" if wanted else "off your watchlist"
    messages.success(request, f"{movie.title} is {where}.")
    return redirect(way_back(request, movie))
