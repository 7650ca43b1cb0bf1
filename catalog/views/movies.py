"""Pages for browsing and searching movies, people and genres, and the posters drawn by this site."""

from collections.abc import Iterable

from django.db.models import OuterRef, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import condition, require_safe

from catalog.filters import MovieFilter, in_order
from catalog.guests import mark_for
from catalog.models import Credit, Genre, Movie, MovieList, Note, Person, WikipediaArticle
from catalog.paging import KeysFirstPaginator
from catalog.posters import draw_poster
from catalog.posters.looks import telling_genre
from catalog.search.query import MOST, SearchQuery
from catalog.text import fold
from catalog.views.pages import HtmxRequest, is_htmx, paginated
from catalog.views.record import record_of
from catalog.where_to_watch import where_to_watch

CAST_SHOWN = 12
KEYWORDS_SHOWN = 16
SHORTEST_SUGGESTED = 2
LISTS_SHOWN = 4
ROW_LENGTH = 12
POSTER_FORMAT = 2  # increase it when posters are drawn differently


@require_safe
def movies(request: HtmxRequest) -> HttpResponse:
    filterset = MovieFilter(request.GET, queryset=Movie.objects.all(), request=request)
    page = paginated(request, filterset.qs, paginator=KeysFirstPaginator)
    mark_for(request, page.object_list)
    context = {"form": filterset.form, "page": page, "most": MOST, "search": filterset.search}
    context["is_narrowed"] = any(value for name, value in request.GET.items() if name not in ("ordering", "page"))
    if not is_htmx(request):
        context |= {"languages": Movie.objects.languages(), "chosen": _chosen(request, filterset)}
        return render(request, "catalog/movies.html", context)
    response = render(request, "catalog/_movie_results.html", context)
    if "page" not in request.GET:  # typed in the form; keystrokes must not fill the browser's history
        response["HX-Replace-Url"] = _address(request)
    return response


def _chosen(request: HttpRequest, filterset: MovieFilter) -> list[dict[str, str]]:
    """Returns the selected people and keywords, each with a URL that removes it."""
    chosen = []
    for name, key in (("person", "pk"), ("keyword", "name")):
        rows = filterset.form.cleaned_data.get(name, ())
        for row in rows:
            without = request.GET.copy()
            without.setlist(name, [str(getattr(other, key)) for other in rows if other != row])
            without.pop("page", None)
            address = f"{request.path}?{without.urlencode()}"
            chosen.append({"filter": name, "value": str(getattr(row, key)), "label": str(row), "without": address})
    return chosen


def _address(request: HttpRequest) -> str:
    """Returns the URL with the selected filters, without empty and default ones."""
    given = [(name, value) for name, values in request.GET.lists() for value in values if value]
    asked = sorted(pair for pair in given if pair != ("ordering", "relevance"))
    return f"{request.path}?{urlencode(asked)}" if asked else request.path


@require_safe
def suggestions(request: HtmxRequest) -> HttpResponse:
    """Returns suggestions for the header's search field. Without JavaScript, redirects to the results page."""
    text = request.GET.get("q", "")[:200].replace("\x00", "")
    if not is_htmx(request):
        return redirect(f"{reverse('catalog:movies')}?{urlencode({'q': text})}")
    search = SearchQuery(text) if len(fold(text)) >= SHORTEST_SUGGESTED else None
    context = {"text": text, "search": search, "movies": search.suggested() if search else []}
    return render(request, "catalog/_suggestions.html", context)


@require_safe
def movie_detail(request: HttpRequest, movie_id: int, slug: str = "") -> HttpResponse:
    note = Note.objects.filter(user=request.user.pk, movie=OuterRef("pk")).values("text")
    movies = Movie.objects.with_details().annotate(own_note=Subquery(note))
    movie = get_object_or_404(movies, pk=movie_id)
    if slug != movie.slug:
        return redirect(f"{movie.get_absolute_url()}{f'?{query}' if (query := request.GET.urlencode()) else ''}")
    related_title, related = _related(movie)
    mark_for(request, [movie, *related])
    record = (
        record_of(request.user, movie, getattr(movie, "own_note", None) or "") if request.user.is_authenticated else {}
    )
    context = {
        "movie": movie,
        "article": None if movie.overview else WikipediaArticle.objects.of(getattr(movie, "article", None)),
        "cast": movie.cast[:CAST_SHOWN],
        "keywords": movie.keywords.all()[:KEYWORDS_SHOWN],
        "rating": movie.marks and movie.marks.rating,
        "in_watchlist": movie.marks and movie.marks.in_watchlist,
        "next_url": movie.get_absolute_url(),
        "decade": movie.year and movie.year // 10 * 10,
        "where_to_watch": where_to_watch(movie),
        "related_title": related_title,
        "related": related,
        "lists_of_others": MovieList.objects.on_page_of(movie, request.user).with_length()[: LISTS_SHOWN + 1],
        "n_lists_shown": LISTS_SHOWN,
        **record,
    }
    return render(request, "catalog/movie_detail.html", context)


def _related(movie: Movie) -> tuple[str, Iterable[Movie]]:
    """Returns a heading, and well-known movies of the same decade and the movie's most specific genre."""
    name = telling_genre([genre.name for genre in movie.genres.all()])
    if not (name and movie.year):
        return "", []
    decade = movie.year // 10 * 10
    genre = next(genre for genre in movie.genres.all() if genre.name == name)
    others = Movie.objects.of_genre(genre).filter(year__range=(decade, decade + 9)).exclude(pk=movie.pk)
    return _("%(genre)s of the %(decade)ss") % {"genre": genre.label, "decade": decade}, others[:ROW_LENGTH]


def _poster_etag(request: HttpRequest, movie_id: int) -> str | None:
    changed = Movie.objects.filter(pk=movie_id).values_list("updated_at", flat=True).first()
    return f'"{POSTER_FORMAT}-{changed.timestamp()}"' if changed else None


@require_safe
@cache_control(public=True, max_age=86400)
@condition(etag_func=_poster_etag)
def poster(request: HttpRequest, movie_id: int) -> HttpResponse:
    movie = get_object_or_404(Movie.objects.prefetch_related("genres"), pk=movie_id)
    genres = [genre.name for genre in movie.genres.all()]
    drawing = draw_poster(title=movie.title, year=movie.year, genres=genres, language=movie.language)
    return HttpResponse(drawing, content_type="image/svg+xml")


@require_safe
def person(request: HttpRequest, person_id: int, slug: str = "") -> HttpResponse:
    person = get_object_or_404(Person.objects.select_related("picture"), pk=person_id)
    if slug != person.slug:
        return redirect(f"{person.get_absolute_url()}{f'?{query}' if (query := request.GET.urlencode()) else ''}")
    movies = Movie.objects.with_person(person).newest()
    page = paginated(request, movies, paginator=KeysFirstPaginator)
    mark_for(request, page.object_list)
    parts = _parts(person, page.object_list)
    context = {"person": person, "page": page, "movies": [(movie, parts[movie.pk]) for movie in page.object_list]}
    return render(request, "catalog/person.html", context)


@require_safe
def genre(request: HttpRequest, slug: str) -> HttpResponse:
    genre = get_object_or_404(Genre, slug=slug)
    movies = Movie.objects.of_genre(genre)
    page = paginated(request, in_order(movies, "popular"), paginator=KeysFirstPaginator)
    best = in_order(movies.filter(rating_count__gt=0), "best_rated")[:ROW_LENGTH] if page.number == 1 else []
    mark_for(request, [*page.object_list, *best])
    return render(request, "catalog/genre.html", {"genre": genre, "page": page, "best": best})


def _parts(person: Person, movies: Iterable[Movie]) -> dict[int, str]:
    """Returns the person's roles in each movie as text."""
    parts: dict[int, str] = {}
    for credit in person.credits.filter(movie__in=list(movies)).order_by("-role", "id"):
        did = _("Director") if credit.role == Credit.Role.DIRECTOR else _("Cast")
        if credit.character:
            did = _("as %(character)s") % {"character": credit.character}
        parts[credit.movie_id] = f"{parts[credit.movie_id]}, {did}" if credit.movie_id in parts else did
    return parts
