"""Opening paragraphs from Wikipedia: synced with Wikidata, shown with their source, never used for training."""

import pytest
from django.core.management import call_command
from hypothesis import given
from hypothesis import strategies as st

from catalog.models import Movie, WikipediaArticle
from catalog.models.wikidata import WikidataRun
from catalog.providers.wikipedia import LONGEST, MOST, lead_of
from catalog.sync import wikidata as service
from recommender.export import movie_frame
from tests.catalog.sync.test_sync_wikidata import make_due
from tests.factories import MovieFactory
from tests.http_stand_in import Answer
from tests.wikidata_documents import film

pytestmark = pytest.mark.django_db

ENGLISH, VIETNAMESE = "A hacker learns what the world is made of.", "Một tin tặc biết được thế giới làm bằng gì."
ADDRESSES = {language: f"/{language}-wikipedia/api.php" for language in ("en", "vi")}


@pytest.fixture
def movie(wikidata) -> Movie:
    wikidata.serve(film(83495, "The Matrix", imdb_id="tt0133093", enwiki="The Matrix", viwiki="Ma trận (phim)"))
    wikidata.leads = {"en": {"The Matrix": ENGLISH}, "vi": {"Ma trận (phim)": VIETNAMESE}}
    return MovieFactory(title="Matrix, The", year=1999, imdb_id="tt0133093", overview="")


def texts() -> dict[str, str]:
    return dict(WikipediaArticle.objects.values_list("language", "text"))


def read_again() -> WikidataRun:
    make_due()
    run = service.sync()
    assert run is not None
    return run


def test_the_page_has_the_text_in_the_readers_language(wikidata, movie, client):
    service.sync()
    page = movie.get_absolute_url()

    for language, text in (("en", ENGLISH), ("vi", VIETNAMESE)):
        shown = client.get(page, headers={"Accept-Language": language}).content.decode()
        assert text in shown
        assert 'href="https://creativecommons.org/licenses/by-sa/4.0/"' in shown
    assert 'href="https://vi.wikipedia.org/wiki/Ma_tr%E1%BA%ADn_%28phim%29"' in shown
    assert wikidata.broken_rules == []


def test_another_languages_text_is_marked_as_such(movie, client, wikidata):
    del wikidata.leads["vi"]["Ma trận (phim)"]
    service.sync()

    shown = client.get(movie.get_absolute_url(), headers={"Accept-Language": "vi"}).content.decode()
    assert f'lang="en"><p>{ENGLISH}</p>' in shown


def test_the_plot_of_another_source_comes_first(movie, client):
    service.sync()
    Movie.objects.update(overview="By hand.")

    shown = client.get(movie.get_absolute_url()).content.decode()
    assert "By hand." in shown
    assert ENGLISH not in shown


def test_the_api_names_source_and_licence(movie, client):
    service.sync()

    found = client.get(f"/api/v1/movies/{movie.pk}/", headers={"Accept-Language": "vi"}).json()["wikipedia"]
    assert found == {
        "language": "vi",
        "title": "Ma trận (phim)",
        "text": VIETNAMESE,
        "url": "https://vi.wikipedia.org/wiki/Ma_tr%E1%BA%ADn_%28phim%29",
        "licence": "CC BY-SA 4.0",
    }
    assert client.get(f"/api/v1/movies/{MovieFactory().pk}/").json()["wikipedia"] is None


def test_no_model_is_trained_on_it(movie, settings):
    settings.TMDB_METADATA_IN_TRAINING = True
    service.sync()

    assert WikipediaArticle.objects.exists()
    assert ENGLISH not in movie_frame().to_csv()


def test_changed_moved_and_deleted_articles_are_followed(movie, wikidata):
    service.sync()
    wikidata.leads = {"en": {"Matrix (1999 film)": "Said anew."}, "vi": {}}
    wikidata.moved["The Matrix"] = "Matrix (1999 film)"

    read_again()
    assert texts() == {"en": "Said anew."}


def test_an_item_without_articles_takes_them_along(movie, wikidata):
    service.sync()
    wikidata.serve(film(83495, "The Matrix", imdb_id="tt0133093"))
    read_again()
    assert texts() == {}

    wikidata.serve(film(83495, "The Matrix", imdb_id="tt0133093", enwiki="the_Matrix"))  # written as readers do
    read_again()
    assert texts() == {"en": ENGLISH}
    wikidata.serve()
    read_again()
    assert texts() == {}


@pytest.mark.parametrize(
    "trouble",
    [Answer(403, b"no"), Answer(body={"error": {"code": "internal_api", "info": "x"}}), Answer(body=[]), Answer(404)],
    ids=["forbidden", "an error", "a list", "not found"],
)
def test_facts_do_not_wait_for_texts(movie, wikidata, caplog, trouble):
    service.sync()
    wikidata.serve(
        film(83495, "The Matrix", imdb_id="tt0133093", tmdb_id=603, enwiki="The Matrix", viwiki="Ma trận (phim)")
    )
    wikidata.leads["en"]["The Matrix"] = "Said anew."
    wikidata.answer_next(ADDRESSES["en"], trouble)

    run = read_again()
    assert run.status == WikidataRun.Status.SUCCEEDED
    assert "continues without articles" in caplog.text
    assert Movie.objects.get().tmdb_id == 603
    assert texts() == {"en": ENGLISH, "vi": VIETNAMESE}


def test_many_articles_are_asked_for_twenty_at_a_time(wikidata):
    films = [
        film(number, f"Film {number}", imdb_id=f"tt{number:07}", enwiki=f"Film {number}") for number in range(1, 46)
    ]
    wikidata.serve(*films)
    wikidata.leads["en"] = {f"Film {number}": f"About {number}." for number in range(1, 46)}
    for number in range(1, 46):
        MovieFactory(imdb_id=f"tt{number:07}")

    service.sync()
    assert wikidata.n_asked(ADDRESSES["en"]) == 3
    assert wikidata.n_asked(ADDRESSES["vi"]) == 0
    assert WikipediaArticle.objects.count() == 45


def test_texts_that_an_answer_left_out_are_asked_for_again(movie, wikidata):
    wikidata.serve(
        film(83495, "The Matrix", imdb_id="tt0133093", enwiki="The Matrix"),
        film(2, "Alien", imdb_id="tt0078748", enwiki="Alien (film)"),
    )
    wikidata.leads["en"]["Alien (film)"] = "A crew wakes up."
    wikidata.leads_at_once = 1
    MovieFactory(imdb_id="tt0078748")

    service.sync()
    assert set(WikipediaArticle.objects.values_list("text", flat=True)) == {ENGLISH, "A crew wakes up."}


def test_a_purge_takes_the_texts_along(movie, capsys):
    service.sync()

    call_command("purge_provider", "wikidata")
    assert texts() == {}
    assert Movie.objects.exists()


def test_whole_paragraphs_are_kept():
    assert lead_of("One.\n\n \nTwo.\n" + "x" * LONGEST) == "One.\n\nTwo."
    assert lead_of("x" * (LONGEST + 5)) == "x" * (LONGEST + 5)
    assert [lead_of(nothing) for nothing in (None, 5, "", " \n ", "\u200b")] == [""] * 5


@given(st.text(alphabet=st.sampled_from("a. \n\u200b")) | st.text() | st.none())
def test_any_extract_has_a_short_beginning(extract):
    lead = lead_of(extract)

    assert len(lead) <= MOST
    assert lead == lead.strip()
