import pytest
from django.test import Client

from catalog.filters import ORDERINGS, in_order
from catalog.models import Credit, Keyword, Movie, MovieGenre, MovieKeyword, Person, Viewing
from tests.factories import GenreFactory, MovieFactory, RatingFactory

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


@pytest.fixture
def linked(shelf) -> dict[str, Movie]:
    """The same with languages, people and keywords."""
    people = [Person.objects.create(id=number, name=f"Person {number}") for number in (1, 2)]
    space, slow = (Keyword.objects.create(name=name) for name in ("space", "slow"))
    for title, language, cast, keywords in (
        ("Alien", "en", people, [space]),
        ("Arrival", "en", people[:1], [space, slow]),
        ("Amélie", "fr", [], [slow]),
    ):
        Movie.objects.filter(pk=shelf[title].pk).update(language=language)
        for person in cast:
            for role in Credit.Role:
                Credit.objects.create(movie=shelf[title], person=person, role=role)
        MovieKeyword.objects.bulk_create(MovieKeyword(movie=shelf[title], keyword=keyword) for keyword in keywords)
    return shelf


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?language=fr", ["Amélie"]),
        ("?language=xx", []),
        ("?person=1", ["Arrival", "Alien"]),
        ("?person=1&person=2", ["Alien"]),
        ("?keyword=slow", ["Arrival", "Amélie"]),
        ("?keyword=slow&keyword=space", ["Arrival"]),
        ("?keyword=space&person=1&ordering=newest&year_max=2000&language=en&rating_min=4&genre=horror", ["Alien"]),
        ("?q=a&keyword=space&ordering=title", ["Alien", "Arrival"]),
    ],
)
def test_languages_people_and_keywords_narrow_and_combine(client, linked, query, expected):
    assert titles(client, query) == expected


def test_what_was_seen_is_hidden_from_whom_it_is_asked_for(client, linked, nora):
    RatingFactory(user=nora, movie=linked["Alien"])
    assert len(titles(client, "?hide_seen=true")) == 4  # nobody is signed in
    client.force_login(nora)
    assert len(titles(client)) == len(titles(client, "?hide_seen=false")) == 4
    assert titles(client, "?hide_seen=true&keyword=space") == ["Arrival"]
    Viewing.objects.create(user=nora, movie=linked["Arrival"])
    assert titles(client, "?hide_seen=true&keyword=space") == []


def test_person_and_keyword_filters_are_shown_and_removable(client, linked):
    response = client.get("/movies/?person=1&person=2&keyword=space&page=1")
    ways = {choice["label"]: choice["without"] for choice in response.context["chosen"]}

    assert ways == {
        "Person 1": "/movies/?person=2&keyword=space",
        "Person 2": "/movies/?person=1&keyword=space",
        "space": "/movies/?person=1&person=2",
    }
    assert response.content.decode().count('type="hidden" name="person"') == 2


def test_the_languages_of_the_movies_can_be_chosen(client, linked):
    assert client.get("/movies/").context["languages"] == ["en", "fr"]


@pytest.mark.parametrize(
    "query",
    [
        "?language=English",
        "?person=999",
        "?person=x",
        "?person=99999999999999999999999",
        "?keyword=nonsense",
        "?keyword=%00",
        "?hide_seen=maybe",
        "?" + "&".join(f"person={n}" for n in range(6)),
    ],
)
def test_invalid_link_filters_are_named_and_ignored(client, shelf, query):
    response = client.get(f"/movies/{query}")

    assert len(response.context["page"].object_list) == 4
    assert '<ul class="errors">' in response.content.decode()


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


@pytest.mark.parametrize("ordering", ORDERINGS)
def test_far_pages_go_on_where_the_near_ones_end(client, ordering):
    """From the middle on pages are counted from the end; dates and years may be missing, figures equal."""
    Movie.objects.bulk_create(
        Movie(title=f"Equal {n % 7}", year=None if n % 3 else 1990 + n % 5, rating_count=n % 2, popularity=n % 4)
        for n in range(170)
    )
    shown = [
        movie.pk
        for number in range(1, 6)
        for movie in client.get(f"/movies/?ordering={ordering}&page={number}").context["page"].object_list
    ]

    assert shown == list(in_order(Movie.objects.all(), ordering).values_list("pk", flat=True))


@pytest.mark.parametrize(("page", "number"), [("x", 1), ("0", 1), ("-4", 1), ("10000000000000000000000", 3), ("2", 2)])
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


@pytest.mark.wording
def test_what_was_typed_is_shown_again_and_harmless(client, shelf):
    text = client.get('/movies/?q="><script>alert(1)</script>').content.decode()

    assert "<script>alert" not in text
    assert "&quot;&gt;&lt;script&gt;" in text
    assert "No movies found" in text


@pytest.mark.wording
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
