import pytest

from catalog.models import Credit, Genre, Movie, MovieGenre, Person
from tests.factories import GenreFactory, MovieFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def ridley() -> Person:
    """Directed two movies, and plays in one of them and in a third."""
    person = Person.objects.create(id=7, name="Ridley Scott")
    alien, gladiator, other = (
        MovieFactory(title=title, year=year) for title, year in (("Alien", 1979), ("Gladiator", 2000), ("Other", 1990))
    )
    for movie, role, character in (
        (alien, "director", ""),
        (gladiator, "director", ""),
        (gladiator, "cast", "Senator"),
        (other, "cast", ""),
    ):
        Credit.objects.create(movie=movie, person=person, role=role, character=character)
    return person


@pytest.mark.wording
def test_person_page_lists_movies_newest_first_with_roles(client, ridley):
    response = client.get("/people/7-ridley-scott/")
    shown = [(movie.title, part) for movie, part in response.context["movies"]]

    assert shown == [("Gladiator", "Director, as Senator"), ("Other", "Cast"), ("Alien", "Director")]
    assert "3 movies" in response.content.decode()
    assert 'href="/movies/?person=7"' in response.content.decode()


def test_the_address_of_a_person_is_put_right(client, ridley):
    assert client.get("/people/7/?page=2")["Location"] == "/people/7-ridley-scott/?page=2"
    assert client.get("/people/7-somebody/")["Location"] == "/people/7-ridley-scott/"
    assert client.get("/people/8/").status_code == 404


def test_a_person_without_a_letter_in_the_name_has_a_page_too(client):
    person = Person.objects.create(name="???")

    assert client.get(person.get_absolute_url()).status_code == 200


def test_a_genre_shows_the_best_rated_and_the_popular(client):
    genre = GenreFactory(name="Drama")
    for title, count, total, popularity in (("Loved", 100, 450, 1), ("Now", 10, 30, 9), ("Unrated", 0, 0, 0)):
        movie = MovieFactory(title=title, rating_count=count, rating_sum=total, popularity=popularity)
        MovieGenre.objects.create(movie=movie, genre=genre)
    MovieFactory(title="Of another")
    response = client.get("/genres/drama/")

    assert [movie.title for movie in response.context["best"]] == ["Loved", "Now"]
    assert [movie.title for movie in response.context["page"].object_list] == ["Now", "Loved", "Unrated"]
    assert client.get("/genres/nonsense/").status_code == 404


def test_a_genre_of_many_movies_has_pages(client):
    genre = GenreFactory(name="Drama")
    movies = Movie.objects.bulk_create(Movie(title=f"Movie {n}") for n in range(80))
    MovieGenre.objects.bulk_create(MovieGenre(movie=movie, genre=genre) for movie in movies)
    pages = [client.get(f"/genres/drama/?page={number}").context["page"].object_list for number in (1, 2, 3)]

    assert [len(page) for page in pages] == [36, 36, 8]
    assert len({movie.pk for page in pages for movie in page}) == 80


def test_a_movie_leads_to_its_people_genres_and_keywords(client, ridley):
    MovieGenre.objects.create(movie=Movie.objects.get(title="Alien"), genre=GenreFactory(name="Horror"))
    page = client.get(Movie.objects.get(title="Alien").get_absolute_url()).content.decode()

    assert 'href="/people/7-ridley-scott/"' in page
    assert f'href="{Genre.objects.get().get_absolute_url()}"' in page
