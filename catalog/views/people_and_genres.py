"""What somebody made, and what a genre holds."""

from collections.abc import Iterable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_safe

from catalog.filters import in_order
from catalog.models import Credit, Genre, Movie, Person
from catalog.paging import KeysFirstPaginator
from catalog.views.pages import paginated

ROW_LENGTH = 12


@require_safe
def person(request: HttpRequest, person_id: int, slug: str = "") -> HttpResponse:
    person = get_object_or_404(Person, pk=person_id)
    if slug != person.slug:
        return redirect(f"{person.get_absolute_url()}{f'?{query}' if (query := request.GET.urlencode()) else ''}")
    movies = Movie.objects.with_person(person).newest()
    page = paginated(request, movies, paginator=KeysFirstPaginator)
    parts = _parts(person, page.object_list)
    context = {"person": person, "page": page, "movies": [(movie, parts[movie.pk]) for movie in page.object_list]}
    return render(request, "catalog/person.html", context)


@require_safe
def genre(request: HttpRequest, slug: str) -> HttpResponse:
    genre = get_object_or_404(Genre, slug=slug)
    movies = Movie.objects.of_genre(genre)
    page = paginated(request, in_order(movies, "popular"), paginator=KeysFirstPaginator)
    context = {"genre": genre, "page": page}
    if page.number == 1:
        context["best"] = in_order(movies.filter(rating_count__gt=0), "best_rated")[:ROW_LENGTH]
    return render(request, "catalog/genre.html", context)


def _parts(person: Person, movies: Iterable[Movie]) -> dict[int, str]:
    """What the person did in each of the movies, in words."""
    parts: dict[int, str] = {}
    for credit in person.credits.filter(movie__in=list(movies)).order_by("-role", "id"):
        did = "Director" if credit.role == Credit.Role.DIRECTOR else "Cast"
        if credit.character:
            did = f"as {credit.character}"
        parts[credit.movie_id] = f"{parts[credit.movie_id]}, {did}" if credit.movie_id in parts else did
    return parts
