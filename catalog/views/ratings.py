"""Pages for a user's ratings and watchlist."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from catalog.forms import RatingForm
from catalog.models import Movie, Rating, User, WatchlistItem
from catalog.services import add_to_watchlist, record_rating, remove_from_watchlist, remove_rating
from catalog.views.pages import HtmxRequest, SignedInRequest, paginated, safe_next, to_sign_in

SORTS = {
    "recent": ("Latest first", ["-rated_at", "-id"]),
    "highest": ("Highest first", ["-rating", "-rated_at", "-id"]),
    "lowest": ("Lowest first", ["rating", "-rated_at", "-id"]),
    "title": ("Title", ["movie__search_title", "id"]),
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
        "sorts": [(name, label) for name, (label, _) in SORTS.items()],
        "next_url": request.get_full_path(),
    }
    return render(request, "catalog/ratings.html", context)


@require_POST
def rate(request: HtmxRequest, movie_id: int) -> HttpResponse:
    """Sets or (button `remove`) deletes the user's rating; answers htmx with the panel only."""
    movie = get_object_or_404(Movie, pk=movie_id)
    if not request.user.is_authenticated:
        return to_sign_in(request, movie.get_absolute_url())
    form = RatingForm(request.POST)
    said = error = ""
    if "remove" in request.POST:
        remove_rating(user=request.user, movie=movie)
        said = f"Your rating of {movie.title} is removed."
    elif form.is_valid():
        row = record_rating(user=request.user, movie=movie, rating=form.cleaned_data["rating"])
        said = f"You rated {movie.title} {row.rating:g} of 5 stars."
    else:
        error = str(form.errors["rating"][0])
    if request.htmx:
        return _panel(request, request.user, movie, said, error)
    messages.add_message(request, messages.ERROR if error else messages.SUCCESS, error or said)
    return redirect(safe_next(request, movie))


def _panel(request: HttpRequest, user: User, movie: Movie, said: str, error: str) -> HttpResponse:
    movie.refresh_from_db(fields=["rating_count", "rating_sum"])
    row = Rating.objects.filter(user=user, movie=movie).first()
    context = {
        "movie": movie,
        "rating": row and row.rating,
        "said": said,
        "error": error,
        "next_url": safe_next(request, movie),
    }
    return render(request, "catalog/_rating_panel.html", context, status=422 if error else 200)


@require_safe
@login_required
def watchlist(request: SignedInRequest) -> HttpResponse:
    items = WatchlistItem.objects.filter(user=request.user).select_related("movie")
    context = {"page": paginated(request, items), "next_url": request.get_full_path()}
    return render(request, "catalog/watchlist.html", context)


@require_POST
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
        context = {"movie": movie, "in_watchlist": wanted, "next_url": safe_next(request, movie)}
        return render(request, "catalog/_watchlist_button.html", context)
    where = "on your watchlist now" if wanted else "off your watchlist"
    messages.success(request, f"{movie.title} is {where}.")
    return redirect(safe_next(request, movie))
