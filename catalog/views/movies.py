"""Browsing movies, one movie, and the posters this site draws."""

from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.templatetags.static import static
from django.utils.http import urlencode
from django.views.decorators.cache import cache_control
from django.views.decorators.http import condition, require_safe

from catalog.filters import MovieFilter
from catalog.models import Credit, Movie, Rating, WatchlistItem
from catalog.posters import draw_poster
from catalog.views.pages import HtmxRequest, paginated, varying, wants_fragment

CAST_SHOWN = 12
KEYWORDS_SHOWN = 16


@require_safe
def movies(request: HtmxRequest) -> HttpResponse:
    filterset = MovieFilter(request.GET, queryset=Movie.objects.all(), request=request)
    page = paginated(request, filterset.qs)
    context = {"filterset": filterset, "form": filterset.form, "page": page}
    if not wants_fragment(request):
        return varying(render(request, "catalog/movies.html", context))
    response = render(request, "catalog/_movie_results.html", context)
    if "page" not in request.GET:  # from the form: each letter typed is no step to go back to
        response["HX-Replace-Url"] = _address(request)
    return varying(response)


def _address(request: HttpRequest) -> str:
    """The page's address with what was asked for, without the fields left empty or as they come."""
    given = {name: str(value) for name, value in request.GET.items() if value}
    asked = given.items() - {("ordering", "popular")}
    return f"{request.path}?{urlencode(sorted(asked))}" if asked else request.path


@require_safe
def movie_detail(request: HttpRequest, movie_id: int, slug: str = "") -> HttpResponse:
    people = Prefetch("credits", Credit.objects.select_related("person"))
    movie = get_object_or_404(Movie.objects.prefetch_related("genres", "keywords", people), pk=movie_id)
    if slug != movie.slug:
        return redirect(f"{movie.get_absolute_url()}{f'?{query}' if (query := request.GET.urlencode()) else ''}")
    credited = list(movie.credits.all())
    rating = in_watchlist = None
    if request.user.is_authenticated:
        rating = Rating.objects.filter(user=request.user, movie=movie).first()
        in_watchlist = WatchlistItem.objects.filter(user=request.user, movie=movie).exists()
    context = {
        "movie": movie,
        "directors": [credit.person for credit in credited if credit.role == Credit.Role.DIRECTOR],
        "cast": [credit for credit in credited if credit.role == Credit.Role.CAST][:CAST_SHOWN],
        "keywords": movie.keywords.all()[:KEYWORDS_SHOWN],
        "rating": rating and rating.rating,
        "in_watchlist": in_watchlist,
        "next_url": movie.get_absolute_url(),
    }
    return render(request, "catalog/movie_detail.html", context)


@require_safe
@cache_control(public=True, max_age=86400)
def favicon(request: HttpRequest) -> HttpResponse:
    """For pages that name no icon, as the administration and the API's documentation."""
    return redirect(static("img/favicon.svg"))


def _poster_etag(request: HttpRequest, movie_id: int) -> str | None:
    changed = Movie.objects.filter(pk=movie_id).values_list("updated_at", flat=True).first()
    return f'"{POSTER_FORMAT}-{changed.timestamp()}"' if changed else None


POSTER_FORMAT = 1  # raised when posters are drawn differently


@require_safe
@cache_control(public=True, max_age=86400)
@condition(etag_func=_poster_etag)
def poster(request: HttpRequest, movie_id: int) -> HttpResponse:
    movie = get_object_or_404(Movie.objects.prefetch_related("genres"), pk=movie_id)
    drawing = draw_poster(title=movie.title, year=movie.year, genres=[genre.name for genre in movie.genres.all()])
    return HttpResponse(drawing, content_type="image/svg+xml")
