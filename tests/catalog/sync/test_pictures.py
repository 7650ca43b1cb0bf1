"""Pictures on Commons: found through Wikidata, shown with author and licence, never used for training."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from catalog.models import Credit, Movie, Person, Picture, Source
from catalog.models.wikidata import WikidataRun
from catalog.providers.wikidata import PICTURED_AT_ONCE
from catalog.sync import wikidata as service
from catalog.sync import wikidata_pictures
from recommender.export import movie_frame
from tests.catalog.sync.test_sync_wikidata import make_due
from tests.commons_documents import commons_file
from tests.factories import MovieFactory
from tests.http_stand_in import Answer
from tests.wikidata_documents import document, film, item, statement, text
from tests.wikidata_stand_in import API, COMMONS, QUERY

pytestmark = pytest.mark.django_db

STILL, PORTRAIT = "The Matrix, still.jpg", "Keanu Reeves 2019 (cropped).jpg"


@pytest.fixture
def movie(wikidata) -> Movie:
    """With a still, and a leading actor with a portrait."""
    wikidata.serve(matrix(picture(STILL)), document(3, {"en": "Keanu Reeves"}, picture(PORTRAIT)))
    wikidata.serve_files(commons_file(STILL, "Grip"), commons_file(PORTRAIT, '<a href="//x">Marybel</a> &amp; Co'))
    return MovieFactory(title="Matrix, The", year=1999, imdb_id="tt0133093")


@pytest.fixture(autouse=True)
def _etiquette(wikidata):
    yield
    assert wikidata.broken_rules == []


def picture(file: str, rank: str = "normal") -> dict:
    return statement("P18", text(file), rank)


def matrix(*more: dict, cast: tuple[int, ...] = (3,)) -> dict:
    played = [statement("P161", item(number)) for number in cast]
    return film(83495, "The Matrix", *played, *more, imdb_id="tt0133093")


def sync() -> WikidataRun:
    run = service.sync()
    assert run is not None and run.status == WikidataRun.Status.SUCCEEDED
    return run


def read_again() -> WikidataRun:
    make_due()
    Picture.objects.exclude(retrieved_at=None).update(retrieved_at=timezone.now() - timedelta(days=60))
    return sync()


def shown() -> dict[str, str]:
    """Authors by file, of the pictures that pages show."""
    return dict(Picture.objects.exclude(url="").values_list("file", "author"))


def test_movie_and_person_get_pictures_with_all_credits(movie):
    sync()

    assert shown() == {STILL: "Grip", PORTRAIT: "Marybel & Co"}
    found = Person.objects.get().picture
    assert (found.width, found.height, found.state) == (330, 440, "read")
    assert found.url == (
        "https://upload.wikimedia.org/wikipedia/commons/thumb/a/ab/"
        "Keanu_Reeves_2019_%28cropped%29.jpg/330px-Keanu_Reeves_2019_%28cropped%29.jpg"
    )
    assert found.page_url == "https://commons.wikimedia.org/wiki/File:Keanu_Reeves_2019_%28cropped%29.jpg"
    assert (found.licence, found.licence_url) == ("CC BY-SA 4.0", "https://creativecommons.org/licenses/by-sa/4.0")
    assert timezone.now() - found.retrieved_at < timedelta(minutes=1)


def test_directors_and_five_of_the_cast_get_pictures(wikidata, movie):
    cast = range(10, 17)
    people = [document(number, {"en": f"Person {number}"}, picture(f"{number}.jpg")) for number in (9, *cast)]
    wikidata.serve(matrix(statement("P57", item(9)), cast=tuple(cast)), *people)
    wikidata.serve_files(*(commons_file(f"{number}.jpg") for number in (9, *cast)))

    sync()
    assert set(shown()) == {"9.jpg", "10.jpg", "11.jpg", "12.jpg", "13.jpg", "14.jpg"}

    wikidata.serve(matrix(cast=(16, 9)), *people)
    read_again()
    assert set(shown()) == {"9.jpg", "16.jpg"}


@pytest.mark.parametrize(
    ("statements", "file"),
    [
        ([picture("A.jpg", "deprecated"), picture("B.jpg"), picture("C.jpg", "preferred")], "C.jpg"),
        ([picture("B.jpg"), picture("C.jpg")], "B.jpg"),
        ([picture("A.jpg", "deprecated")], None),
        ([statement("P18", "somevalue")], None),
        ([picture("A.jpg|B.jpg"), picture("C.jpg")], "C.jpg"),
    ],
    ids=["preferred", "the first", "deprecated", "unknown", "no name of a file"],
)
def test_the_best_statement_names_the_file(wikidata, movie, statements, file):
    wikidata.serve(matrix(*statements), document(3, {"en": "Keanu Reeves"}, *statements))
    wikidata.serve_files(*(commons_file(f"{letter}.jpg") for letter in "ABC"))

    sync()
    assert list(Picture.objects.exclude(url="").values_list("file", flat=True)) == ([file, file] if file else [])


def test_a_merged_person_has_the_picture_of_the_item(wikidata, movie):
    wikidata.redirects[3] = 33
    wikidata.serve(matrix(), document(33, {"en": "Keanu Reeves"}, picture(PORTRAIT)))

    sync()
    assert shown() == {PORTRAIT: "Marybel & Co"}


@pytest.mark.parametrize("name", ["keanu_Reeves_2019_(cropped).jpg", "Old name.jpg"])
def test_names_are_followed_to_their_file(wikidata, movie, name):
    wikidata.moved_files["Old name.jpg"] = PORTRAIT
    wikidata.serve(matrix(), document(3, {"en": "Keanu Reeves"}, picture(name)))

    sync()
    assert shown() == {name: "Marybel & Co"}


def test_what_became_of_files_is_followed(wikidata, movie):
    sync()
    wikidata.serve(matrix(picture("New.jpg")), document(3, {"en": "Keanu Reeves"}, picture(PORTRAIT)))
    wikidata.serve_files(commons_file("New.jpg", "Somebody else"))

    read_again()
    assert shown() == {"New.jpg": "Somebody else"}  # the portrait was deleted at Commons
    wikidata.serve(matrix(), document(3, {"en": "Keanu Reeves"}))
    read_again()
    assert shown() == {}
    wikidata.serve()
    read_again()
    assert not Picture.objects.filter(person=None).exists()


def test_a_missing_file_is_asked_for_once_until_it_is_due(wikidata, movie):
    wikidata.serve_files()
    sync()
    asked = wikidata.n_asked(COMMONS)

    sync()
    assert (wikidata.n_asked(COMMONS), set(Picture.objects.values_list("state", flat=True))) == (asked, {"none"})


@pytest.mark.parametrize(
    "trouble",
    [Answer(403, b"no"), Answer(body={"error": {"code": "internal_api", "info": "x"}}), Answer(body=[]), Answer(404)],
    ids=["forbidden", "an error", "a list", "not found"],
)
@pytest.mark.parametrize("path", [COMMONS, QUERY])
def test_facts_do_not_wait_for_pictures(movie, wikidata, caplog, trouble, path):
    sync()
    changed = film(83495, "The Matrix", statement("P161", item(3)), imdb_id="tt0133093", tmdb_id=603)
    wikidata.serve(changed, document(3, {"en": "Keanu Reeves"}, picture(PORTRAIT)))
    wikidata.serve_files(commons_file(PORTRAIT, "Somebody else"))
    wikidata.answer_next(path, trouble)

    read_again()
    assert "continues without pictures" in caplog.text
    assert Movie.objects.get().tmdb_id == 603
    assert shown() == {PORTRAIT: "Marybel & Co"}

    sync()  # nothing else is due
    assert shown() == {PORTRAIT: "Somebody else"}


def test_whole_requests_are_sent_and_the_rest_at_the_end(wikidata):
    n_movies, n_people = 60, PICTURED_AT_ONCE + 60
    people = range(1000, 1000 + n_people)
    films = [
        film(
            number,
            f"Film {number}",
            *(statement("P57", item(1000 + 6 * (number - 1) + place)) for place in range(6)),
            imdb_id=f"tt{number:07}",
        )
        for number in range(1, n_movies + 1)
    ]
    wikidata.serve(*films, *(document(number, {"en": f"P {number}"}, picture(f"{number}.jpg")) for number in people))
    wikidata.serve_files(*(commons_file(f"{number}.jpg") for number in people))
    for number in range(1, n_movies + 1):
        MovieFactory(imdb_id=f"tt{number:07}")

    sync()
    assert len(shown()) == n_people
    assert wikidata.n_asked(QUERY) == 1 + 2  # all movies are matched at once
    assert wikidata.n_asked(COMMONS) == -(-n_people // 50)


def test_long_names_are_asked_for_in_addresses_that_fit(wikidata, movie):
    files = [f"{'長い名前' * 14} {number}.jpg" for number in range(40)]
    people = [document(number, {"en": f"P {number}"}, picture(file)) for number, file in enumerate(files, 100)]
    wikidata.serve(matrix(*(statement("P57", item(100 + number)) for number in range(40))), *people)
    wikidata.serve_files(*map(commons_file, files))

    sync()
    assert set(shown()) == set(files)


def test_a_run_that_was_taken_over_stores_no_pictures(wikidata, movie, monkeypatch):
    real = wikidata_pictures.read_files

    def lose(get, names):
        WikidataRun.objects.update(attempt=7)
        return real(get, names)

    monkeypatch.setattr(wikidata_pictures, "read_files", lose)

    service.sync()
    assert shown() == {}
    assert set(Picture.objects.values_list("state", flat=True)) == {"named"}


def test_a_purge_takes_the_pictures_along(movie, capsys):
    sync()
    Credit.objects.update(source=Source.SITE)  # keeps the person

    call_command("purge_provider", "wikidata")
    assert not Picture.objects.exists()
    assert Movie.objects.exists() and Person.objects.exists()


def test_no_movie_is_kept_for_its_picture(movie, capsys):
    sync()
    Movie.objects.update(source=Source.TMDB)

    call_command("purge_provider", "tmdb")
    assert not Movie.objects.exists()


def test_no_model_is_trained_on_pictures(movie, settings):
    settings.TMDB_METADATA_IN_TRAINING = True
    sync()

    trained = movie_frame().to_csv()
    assert "Keanu Reeves" in trained
    assert not any(part in trained for part in (STILL, PORTRAIT, "Grip", "Marybel", "wikimedia"))


def test_an_outage_of_the_wiki_still_stops_the_run(wikidata, movie):
    wikidata.answer_next(API, Answer(), Answer(403, b"robot policy"))

    run = service.sync()
    assert run is not None and run.status == WikidataRun.Status.FAILED
    assert not Picture.objects.exists()
