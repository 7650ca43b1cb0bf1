import pytest
from django.test import Client

from catalog.models import Movie, MovieGenre
from tests.factories import GenreFactory, MovieFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def shelf() -> dict[str, Movie]:
    """Four movies that differ in all that can be asked for."""
    figures = {
        "Amélie": (2001, 10, 45.0, 3.0, "Comedy"),
        "Alien": (1979, 100, 420.0, 1.0, "Horror"),
        "Arrival": (2016, 2, 10.0, 9.0, "Drama"),
        "Annie Hall": (1977, 0, 0.0, 0.0, "Comedy"),
    }
    shelf = {}
    for title, (year, count, total, popularity, genre) in figures.items():
        movie = MovieFactory(title=title, year=year, rating_count=count, rating_sum=total, popularity=popularity)
        MovieGenre.objects.create(movie=movie, genre=GenreFactory(name=genre))
        shelf[title] = movie
    return shelf


def titles(client: Client, query: str = "", **headers: str) -> list[str]:
    page = client.get(f"/movies/{query}", headers=headers).context["page"]
    return [movie.title for movie in page.object_list]


def test_popular_movies_come_first(client, shelf):
    assert titles(client) == ["Arrival", "Amélie", "Alien", "Annie Hall"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?ordering=newest", ["Arrival", "Amélie", "Alien", "Annie Hall"]),
        ("?ordering=most_rated", ["Alien", "Amélie", "Arrival", "Annie Hall"]),
        # With 20 ratings of 3.3 on top: (420 + 66) / 120 = 4.05, (45 + 66) / 30 = 3.7, (10 + 66) / 22 = 3.45, 3.3
        ("?ordering=best_rated", ["Alien", "Amélie", "Arrival", "Annie Hall"]),
        ("?ordering=title", ["Alien", "Amélie", "Annie Hall", "Arrival"]),
        ("?q=AMELIE", ["Amélie"]),
        ("?q=hall+annie", ["Annie Hall"]),
        ("?q=%21%3F", []),
        ("?genre=comedy", ["Amélie", "Annie Hall"]),
        ("?genre=Comedy&year_min=2000", ["Amélie"]),
        ("?year_min=1979&year_max=2001", ["Amélie", "Alien"]),
        ("?rating_min=4.5", ["Arrival", "Amélie"]),
        ("?q=&genre=&year_min=&year_max=&ordering=", ["Arrival", "Amélie", "Alien", "Annie Hall"]),
    ],
)
def test_movies_are_filtered_and_sorted(client, shelf, query, expected):
    assert titles(client, query) == expected


@pytest.mark.parametrize("query", ["?year_min=soon", "?year_max=99999", "?genre=nonsense", "?ordering=chaos", "?q=%00"])
def test_a_filter_that_makes_no_sense_is_named_and_left_out(client, shelf, query):
    response = client.get(f"/movies/{query}")

    assert response.status_code == 200
    assert len(response.context["page"].object_list) == 4
    assert '<ul class="errors">' in response.content.decode()


def test_pages_do_not_overlap_and_lose_nothing(client):
    Movie.objects.bulk_create(Movie(title=f"Equal {n}") for n in range(80))
    shown = [title for page in (1, 2, 3) for title in titles(client, f"?page={page}")]

    assert len(shown) == len(set(shown)) == 80


@pytest.mark.parametrize(("page", "number"), [("x", 1), ("0", 3), ("-4", 3), ("10000000000000000000000", 3), ("2", 2)])
def test_a_page_that_is_none_becomes_one_that_is(client, page, number):
    Movie.objects.bulk_create(Movie(title=f"Equal {n}") for n in range(80))

    assert client.get(f"/movies/?page={page}").context["page"].number == number


def test_htmx_gets_the_results_alone_and_a_clean_address(client, shelf):
    response = client.get("/movies/?q=alien&genre=&year_min=&ordering=relevance", headers={"HX-Request": "true"})
    text = response.content.decode()

    assert "<html" not in text
    assert text.strip().startswith('<section class="results"')
    assert response["HX-Replace-Url"] == "/movies/?q=alien"
    assert "HX-Request" in response["Vary"]


def test_htmx_gets_the_whole_page_when_it_restores_history(client, shelf):
    response = client.get("/movies/", headers={"HX-Request": "true", "HX-History-Restore-Request": "true"})

    assert "<html" in response.content.decode()


def test_links_to_other_pages_keep_the_filters(client):
    MovieFactory.create_batch(80, title="Equal", year=2000)
    text = client.get("/movies/?q=equal&year_min=1999&page=2").content.decode()

    assert 'href="/movies/?q=equal&amp;year_min=1999&amp;page=3"' in text
    assert 'href="/movies/?q=equal&amp;year_min=1999&amp;page=1"' in text


def test_what_was_typed_is_shown_again_and_harmless(client, shelf):
    text = client.get('/movies/?q="><script>alert(1)</script>').content.decode()

    assert "<script>alert" not in text
    assert "&quot;&gt;&lt;script&gt;" in text
    assert "No movie matches" in text


def test_a_site_without_movies_says_so(client, sam):
    assert "There are no movies yet" in client.get("/movies/").content.decode()
    client.force_login(sam)
    assert "load_sample" in client.get("/movies/").content.decode()


def test_pages_forbid_inline_scripts_and_styles(client, shelf):
    response = client.get("/movies/")
    policy = response["Content-Security-Policy"]
    text = response.content.decode()

    assert "unsafe" not in policy
    assert " style=" not in text
    assert " onclick" not in text
