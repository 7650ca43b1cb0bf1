"""The number of queries of a page or endpoint does not depend on the number of rows, and stays within its budget."""

from collections.abc import Callable

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog.hooks.services import create_hook
from catalog.imports.changes import Changes
from catalog.keys import create_feeds_key
from catalog.lists import add_to_list
from catalog.models import (
    Credit,
    HookEvent,
    ImportRow,
    Keyword,
    MatchChoice,
    Movie,
    MovieGenre,
    MovieKeyword,
    MovieList,
    Person,
    Rating,
    User,
    UserImport,
    Viewing,
    WatchlistItem,
    WatchService,
)
from tests.factories import GenreFactory, OfferFactory, RatingFactory

pytestmark = pytest.mark.django_db

# maximum number of queries per URL, including 2 for the session and user
BUDGETS = {
    "/movies/": 8,
    "/movies/?genre=genre-0&hide_seen=true&ordering=best_rated": 9,
    "/movies/?q=movie": 11,
    "/movies/{movie}-many/": 13,  # where to watch takes one query if the site has a region
    "{person}": 8,
    "/genres/genre-0/": 8,
    "/suggestions/?q=moovie": 8,  # people and genres are looked up before another spelling
    "/posters/{movie}.svg": 3,
    "/ratings/": 4,
    "/watchlist/": 5,
    "/lists/": 5,
    "/lists/{list}/": 6,
    "/lists/{list}/edit/": 6,
    "/statistics/": 14,
    "/diary/": 6,
    "/diary/unrated/": 5,
    "/accounts/": 6,
    "/accounts/media-servers/": 4,
    "/accounts/feeds/": 3,
    "/api/v1/feeds/{key}/watchlist.json": 4,
    "/api/v1/feeds/{key}/watchlist.rss": 4,
    "/accounts/services/": 4,
    "/import/": 5,
    "/import/choices/": 4,
    "/api/v1/movies/": 6,
    "/api/v1/movies/?q=movie": 9,
    "/api/v1/movies/{movie}/": 8,
    "/api/v1/services/": 4,
    "/api/v1/ratings/": 4,
    "/api/v1/watchlist/": 4,
    "/api/v1/diary/": 4,
    "/api/v1/lists/": 4,
    "/api/v1/import/": 4,
    "/api/v1/import/{user_import}/entries/": 5,
}


@pytest.fixture
def grow(nora: User) -> Callable[[int], Movie]:
    """Returns a function that adds `count` movies rated and wanted by nora, and as many links to one movie."""
    subject = Movie.objects.create(title="Many", year=1999, tmdb_id=1)
    counts = dict.fromkeys(["matched", "unmatched", *Changes(nora, timezone.now()).counts()], 1)
    user_import = UserImport.objects.create(
        user=nora, name="x", format="imdb", n_rows=1, status="succeeded", counts=counts
    )

    hook = create_hook(user=nora).row

    def add(count: int) -> Movie:
        start = Movie.objects.count()
        for number in range(start, start + count):
            rating = RatingFactory(user=nora)
            genre = GenreFactory(name=f"Genre {number}", slug=f"genre-{number - start}-{start}")
            MovieGenre.objects.create(movie=rating.movie, genre=GenreFactory(name="Genre", slug="genre-0"))
            MovieGenre.objects.create(movie=subject, genre=genre)
            MovieKeyword.objects.create(movie=subject, keyword=Keyword.objects.create(name=str(number)))
            OfferFactory(movie=subject, service=WatchService.objects.create(pk=number + 1, name=str(number)))
            Credit.objects.create(movie=subject, person=Person.objects.create(name=str(number)), role="cast")
            WatchlistItem.objects.create(user=nora, movie=rating.movie)
            Viewing.objects.create(user=nora, movie=rating.movie)
            add_to_list(MovieList.objects.get_or_create(user=nora, name="Long")[0], rating.movie)
            add_to_list(MovieList.objects.create(user=nora, name=str(number)), subject)
            Viewing.objects.create(user=nora, movie=Movie.objects.create(title=f"Unrated {number}"))
            HookEvent.objects.create(hook=hook, service="plex", movie=rating.movie, happened_at=timezone.now())
            ImportRow.objects.create(user_import=user_import, movie=rating.movie, file="x", line=number, kind="rated")
            MatchChoice.objects.create(user=nora, movie=rating.movie, identity={"title": str(number)})
        return subject

    return add


def test_queries_stay_within_the_budget_however_many_rows(client: Client, nora, grow, settings):
    settings.SITE_REGION = "VN"
    client.force_login(nora)
    few = queries_of(client, grow(10))
    many = queries_of(client, grow(90))

    assert Rating.objects.count() == 100
    assert many == few
    assert {address: asked for address, asked in many.items() if asked > BUDGETS[address]} == {}


def queries_of(client: Client, movie: Movie) -> dict[str, int]:
    cache.clear()  # statistics of all users
    asked = {}
    person = Person.objects.first().get_absolute_url()
    user_import = UserImport.objects.get().pk
    movie_list = MovieList.objects.get(name="Long").key
    key = create_feeds_key(user=User.objects.get(username="nora")).key
    for address in BUDGETS:
        headers = {"HX-Request": "true"} if "suggestions" in address else {}
        with CaptureQueriesContext(connection) as queries:
            found = address.format(movie=movie.pk, person=person, user_import=user_import, list=movie_list, key=key)
            assert client.get(found, headers=headers).status_code == 200
        asked[address] = len(queries)
    return asked
