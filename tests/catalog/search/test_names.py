"""Searches for people and genres, in a catalogue as imported from Wikidata."""

import pytest
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from catalog.models import Credit, Genre, Movie, MovieGenre, Person
from catalog.search import names
from catalog.search.query import SearchQuery, suggest
from catalog.sync import wikidata as service
from tests.factories import GenreFactory, MovieFactory
from tests.wikidata_documents import document, film, item, statement, text

pytestmark = pytest.mark.django_db

NAMES = {
    1: "Tom Hanks", 2: "Christopher Nolan", 3: "Colin Hanks", 4: "Tobey Maguire", 5: "Ngô Thanh Vân", 6: "Lý",
    10: "horror film", 11: "science fiction film", 12: "action film", 13: "drama film",
}  # fmt: skip
# Title, its Vietnamese label, ratings, directors, cast and genres.
FILMS = [
    ("Spider-Man", "Người Nhện", 700, [], [4], [12]),
    ("Forrest Gump", "", 900, [], [1], [13]),
    ("Cast Away", "", 500, [], [1], [13]),
    ("Tom Hangs On", "", 5, [], [], []),
    ("Inception", "Kẻ đánh cắp giấc mơ", 800, [2], [], [11, 12]),
    ("Orange County", "", 90, [], [3], []),
    ("The Rebel", "Dòng máu anh hùng", 60, [], [5], [12]),
    ("Saw", "Lưỡi cưa", 300, [], [6], [10]),
]


@pytest.fixture(autouse=True)
def _labels_of_this_test() -> None:
    names._names_by_label.cache_clear()


@pytest.fixture
def catalogue(wikidata) -> dict[str, Movie]:
    movies, documents = {}, [document(number, {"en": name}) for number, name in NAMES.items()]
    for number, (title, vietnamese, count, directors, cast, genres) in enumerate(FILMS, 1):
        imdb_id = f"tt{number:07}"
        movies[title] = MovieFactory(title=title, imdb_id=imdb_id, rating_count=count, popularity=count)
        links = [
            *(statement("P57", item(who)) for who in directors),
            *(statement("P161", item(who), P4633=text("Herself")) for who in cast),
            *(statement("P136", item(genre)) for genre in genres),
        ]
        content = film(100 + number, title, *links, imdb_id=imdb_id)
        if vietnamese:
            content["labels"]["vi"] = {"language": "vi", "value": vietnamese}
        documents.append(content)
    wikidata.serve(*documents)
    run = service.sync()
    assert run is not None
    assert run.status == "succeeded", run.message
    return movies


def found(text: str) -> list[str]:
    return [movie.title for movie in suggest(text)]


def people(text: str) -> list[str]:
    return [person.name for person in SearchQuery(text).people]


def genres(text: str) -> list[str]:
    return [genre.name for genre in SearchQuery(text).genres]


def credited(name: str, *movies: Movie) -> Person:
    person = Person.objects.create(name=name)
    Credit.objects.bulk_create(Credit(person=person, movie=movie, role="cast") for movie in movies)
    return person


@pytest.mark.parametrize("text", ["người nhện", "nguoi nhen", "NGƯỜI NHỆN"])
def test_titles_in_another_language_are_found(catalogue, text):
    assert found(text) == ["Spider-Man"]
    assert people(text) == genres(text) == []


@pytest.mark.parametrize(
    ("text", "name", "movies"),
    [
        ("tom hanks", "Tom Hanks", ["Forrest Gump", "Cast Away"]),
        ("Hanks, Tom", "Tom Hanks", ["Forrest Gump", "Cast Away"]),
        ("tomhanks", "Tom Hanks", ["Forrest Gump", "Cast Away"]),
        ("tom hank", "Tom Hanks", ["Forrest Gump", "Cast Away"]),
        ("christopher nolan", "Christopher Nolan", ["Inception"]),
        ("NOLAN", "Christopher Nolan", ["Inception"]),
        ("ngo thanh van", "Ngô Thanh Vân", ["The Rebel"]),
        ("Ngô Thanh Vân", "Ngô Thanh Vân", ["The Rebel"]),
        ("ly", "Lý", ["Saw"]),
    ],
)
def test_people_are_found_and_not_respelt_into_a_title(catalogue, text, name, movies):
    assert people(text) == [name]
    assert found(text) == movies


def test_people_with_one_name_are_found_the_best_known_first(catalogue):
    assert people("hanks") == ["Tom Hanks", "Colin Hanks"]
    assert found("hanks") == ["Forrest Gump", "Cast Away", "Orange County"]


@pytest.mark.wording
@pytest.mark.parametrize("text", ["phim kinh dị", "phim kinh di", "kinh dị", "horror", "Horror movies", "horror film"])
def test_genres_are_found_in_every_language(catalogue, text):
    with override("vi"):
        assert (genres(text), found(text)) == (["Horror"], ["Saw"])
    with override("en"):
        assert (genres(text), found(text)) == (["Horror"], ["Saw"])


@pytest.mark.wording
@pytest.mark.parametrize("text", ["science fiction", "sci fi", "Sci-Fi", "scifi movies", "phim khoa hoc vien tuong"])
def test_a_genre_of_two_names_is_found_by_both(catalogue, text):
    assert (genres(text), found(text)) == (["Sci-Fi"], ["Inception"])


@pytest.mark.wording
def test_the_best_known_movies_of_a_genre_come_first(catalogue):
    assert found("phim hanh dong") == ["Inception", "Spider-Man", "The Rebel"]


def test_genres_of_the_site_itself_are_found(catalogue):
    genre = Genre.objects.create(name="Cải Lương", slug="cai-luong")
    MovieGenre.objects.create(genre=genre, movie=catalogue["The Rebel"])

    assert (genres("phim cai luong"), found("phim cai luong")) == (["Cải Lương"], ["The Rebel"])


@pytest.mark.parametrize("text", ["phim", "movies", "film", "the loai", "zzzz qqqq"])
def test_what_names_nothing_finds_nothing(catalogue, text):
    assert (people(text), genres(text), found(text)) == ([], [], [])


def test_a_movie_and_a_person_of_one_name_are_both_found(catalogue):
    gandhi = MovieFactory(title="Gandhi")
    credited("Gandhi", catalogue["Saw"])

    assert people("gandhi") == ["Gandhi"]
    assert found("gandhi") == [gandhi.title]


def test_titles_come_before_the_movies_of_a_person(catalogue):
    MovieFactory(title="Tom Hanks: A Life", rating_count=1)

    assert people("tom hanks") == ["Tom Hanks"]
    assert found("tom hanks") == ["Tom Hanks: A Life", "Forrest Gump", "Cast Away"]


def test_the_beginning_of_a_name_is_found_if_no_title_has_it(catalogue):
    assert (people("maguir"), found("maguir")) == (["Tobey Maguire"], ["Spider-Man"])
    assert people("tob") == ["Tobey Maguire"]
    MovieFactory(title="Tobruk")
    assert people("tob") == []


def test_the_beginning_of_a_name_takes_no_misspelt_title_away(catalogue):
    MovieFactory(title="Alien", rating_count=900)
    credited("Alinea Aleinikova", catalogue["Saw"])

    assert found("alein")[0] == "Alien"
    assert people("alein") == ["Alinea Aleinikova"]


def test_exact_names_come_first_among_many(catalogue, monkeypatch):
    monkeypatch.setattr(names, "CANDIDATES", 3)
    for number in range(6):
        credited(f"Prince {number}", MovieFactory(rating_count=number))
    prince = credited("Prince")

    assert people("prince") == [prince.name, "Prince 5", "Prince 4"]


def test_no_more_than_three_people_are_shown(catalogue):
    for number in range(5):
        credited(f"Anna Movie{number}", MovieFactory(title="Saga", rating_count=number))

    assert people("anna movie") == ["Anna Movie4", "Anna Movie3", "Anna Movie2"]
    assert found("anna movie") == ["Saga"] * 3


def test_filters_narrow_the_movies_of_a_person(catalogue, client):
    def titles(query: str) -> list[str]:
        return [movie.title for movie in client.get(f"/movies/?{query}").context["page"].object_list]

    assert titles("q=tom+hanks&genre=drama") == ["Forrest Gump", "Cast Away"]
    assert titles("q=tom+hanks&genre=horror") == []
    assert titles("q=tom+hanks&ordering=title") == ["Cast Away", "Forrest Gump"]


def test_a_renamed_person_is_found_by_the_new_name_alone(catalogue):
    person = Person.objects.get(name="Lý")
    person.name = "Nhã Phương"
    person.save(update_fields=["name"])
    assert people("nha phuong") == ["Nhã Phương"]
    assert people("ly") == []

    Person.objects.filter(pk=person.pk).rename("Lan Ngọc")
    assert people("lan ngoc") == ["Lan Ngọc"]


class AnyText(TestCase):
    @classmethod
    def setUpTestData(cls):
        credited("Tom Hanks", MovieFactory(title="Forrest Gump"))
        MovieGenre.objects.create(movie=Movie.objects.get(), genre=GenreFactory(name="Horror"))

    @given(st.text(max_size=60) | st.sampled_from(["tom", "phim", "the", "movies", " ", "'", "horror"]))
    def test_any_text_is_answered(self, text):
        query = SearchQuery(text)

        assert len(list(query.suggested())) <= 1
        assert len(query.people) <= 1
        assert len(query.genres) <= 1
