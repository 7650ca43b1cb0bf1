"""Syncs with Wikidata's stand-in and compares all fields in the catalogue."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from catalog.models import Credit, Movie, MovieGenre, MovieKeyword, Person, Source, WikidataRecord
from catalog.models.wikidata import WikidataItem, WikidataRun
from catalog.search.query import suggest
from catalog.sync import wikidata as service
from tests.catalog.sync.runs import sync_ids
from tests.factories import GenreFactory, MovieFactory
from tests.tmdb_stand_in import document as tmdb_document
from tests.wikidata_documents import amount, document, film, item, statement, text, time, titled

pytestmark = [pytest.mark.django_db, pytest.mark.wording]

NAMES = {
    30: "United States", 408: "Australia", 471839: "science fiction film", 860626: "romantic comedy",
    2535: "cyberpunk", 660: "artificial intelligence", 1: "Lana Wachowski", 2: "Lilly Wachowski", 3: "Keanu Reeves",
    4: "Carrie-Anne Moss",
}  # fmt: skip
PEOPLE = [statement("P57", item(1)), statement("P57", item(2))]
CAST = [statement("P161", item(3), P4633=text("Neo")), statement("P161", item(4)), statement("P161", item(5))]


def named() -> list[dict]:
    english = document(1860, {"en": "English"}, statement("P218", text("en")))
    return [*(document(number, {"en": name}) for number, name in NAMES.items()), document(5), english]


def matrix(*more: dict) -> dict:
    return film(83495, "The Matrix", *more, imdb_id="tt0133093", tmdb_id=603)


@pytest.fixture
def movie() -> Movie:
    return MovieFactory(title="Matrix, The", year=1999, imdb_id="tt0133093", source=Source.MOVIELENS)


@pytest.fixture(autouse=True)
def _etiquette(wikidata):
    yield
    assert wikidata.broken_rules == []


def sync(**options) -> WikidataRun:
    run = service.sync(**options)
    assert run is not None
    return run


def make_due(*, days: int = 60) -> None:
    WikidataRecord.objects.update(checked_at=timezone.now() - timedelta(days=days))


def test_a_movie_is_filled_in_to_the_field(wikidata, movie):
    content = matrix(
        *PEOPLE,
        *CAST,
        statement("P577", time("1999-03-31")),
        statement("P2047", amount("+136")),
        statement("P364", item(1860)),
        *(statement("P495", item(number)) for number in (30, 408)),
        *(statement("P136", item(number)) for number in (471839, 860626, 2535)),
        statement("P921", item(660)),
        statement("P1476", titled("The Matrix", "en")),
    )
    content["labels"]["vi"] = {"language": "vi", "value": "Ma trận"}
    wikidata.serve(content, *named())

    run = sync()

    assert (run.status, run.counts, run.message) == (
        "succeeded",
        {"absent": 0, "updated": 1, "unchanged": 0},
        "1 updated.",
    )
    movie.refresh_from_db()
    assert (movie.title, movie.original_title, movie.year) == ("Matrix, The", "The Matrix", 1999)
    assert (movie.release_date, movie.runtime_minutes, movie.language) == (date(1999, 3, 31), 136, "en")
    assert (movie.countries, movie.tmdb_id) == ("United States, Australia", 603)
    ours = ["original_title", "release_date", "runtime_minutes", "language", "countries", "tmdb_id"]
    assert movie.field_sources == dict.fromkeys(ours, "wikidata")
    genres = MovieGenre.objects.order_by("genre__name").values_list("genre__name", "source")
    assert list(genres) == [(name, "wikidata") for name in ("Comedy", "Romance", "Sci-Fi")]
    keywords = MovieKeyword.objects.order_by("keyword__name").values_list("keyword__name", "source")
    assert list(keywords) == [("artificial intelligence", "wikidata"), ("cyberpunk", "wikidata")]
    credits = Credit.objects.values_list(
        "person__wikidata_id", "person__name", "role", "position", "character", "source"
    )
    assert list(credits) == [  # the one without a name is left out
        (3, "Keanu Reeves", "cast", 0, "Neo", "wikidata"),
        (4, "Carrie-Anne Moss", "cast", 1, "", "wikidata"),
        (1, "Lana Wachowski", "director", 0, "", "wikidata"),
        (2, "Lilly Wachowski", "director", 1, "", "wikidata"),
    ]
    assert list(movie.alternative_titles.values_list("title", "source")) == [("Ma trận", "wikidata")]
    assert list(suggest("ma tran")) == [movie]
    record = WikidataRecord.objects.get()
    assert (record.movie, record.qid, record.state) == (movie, 83495, "read")


def test_a_second_sync_asks_for_nothing_and_changes_nothing(wikidata, movie):
    wikidata.serve(matrix(*PEOPLE, *CAST, statement("P136", item(2535))), *named())
    sync()
    before = [list(model.objects.values()) for model in (Movie, Credit, MovieKeyword, Person)]
    wikidata.asked.clear()

    assert sync().message == "Everything is up to date."
    assert len(wikidata.asked) == 1  # whether Wikidata can be reached
    make_due()
    wikidata.asked.clear()
    assert sync().message == "1 unchanged."

    assert [list(model.objects.values()) for model in (Movie, Credit, MovieKeyword, Person)] == before
    assert len(wikidata.asked) == 2  # and the movie; its item and all names are known


def test_what_changed_there_changes_here(wikidata, movie):
    wikidata.serve(matrix(*PEOPLE, *CAST, statement("P2047", amount("+136")), statement("P136", item(2535))), *named())
    sync()
    wikidata.serve(
        matrix(PEOPLE[1], CAST[1], statement("P2047", amount("+130")), statement("P136", item(660))), *named()
    )
    make_due()

    assert sync().message == "1 updated."

    movie.refresh_from_db()
    assert movie.runtime_minutes == 130
    assert list(Credit.objects.values_list("person__name", "position")) == [
        ("Carrie-Anne Moss", 0),
        ("Lilly Wachowski", 0),
    ]
    assert list(movie.keywords.values_list("name", flat=True)) == ["artificial intelligence"]
    assert set(Person.objects.values_list("wikidata_id", flat=True)) == {2, 4}  # nobody without a credit is left


def test_the_best_known_movies_come_first(wikidata):
    for number in range(1, 8):
        MovieFactory(imdb_id=f"tt000000{number}", popularity=number)
    wikidata.serve(*(film(100 + number, f"Film {number}", imdb_id=f"tt000000{number}") for number in range(1, 8)))

    assert sync(limit=3).message == "3 updated."

    read = WikidataRecord.objects.filter(state="read")
    assert sorted(read.values_list("movie__imdb_id", flat=True)) == ["tt0000005", "tt0000006", "tt0000007"]
    assert sync().message == "4 updated."


def test_a_movie_without_an_item_is_not_asked_about_again(wikidata, movie):
    assert sync().message == "1 not on Wikidata."
    assert sync().message == "Everything is up to date."
    wikidata.serve(matrix())
    make_due()
    assert sync().message == "1 updated."  # its title at Wikidata is another
    assert WikidataRecord.objects.get().qid == 83495


def test_a_movie_without_ids_is_never_due(wikidata):
    MovieFactory()

    assert sync().message == "Everything is up to date."


def test_a_merged_item_leads_to_the_one_that_is_left(wikidata, movie):
    wikidata.serve(matrix(*PEOPLE), *named())
    sync()
    wikidata.items[900] = wikidata.items.pop(83495) | {"id": "Q900"}
    wikidata.redirects = {83495: 900}
    make_due()

    assert sync().message == "1 unchanged."
    assert WikidataRecord.objects.get().qid == 900


def test_a_merged_person_is_one_person(wikidata, movie):
    other = MovieFactory(imdb_id="tt0000001")
    wikidata.serve(matrix(PEOPLE[0]), film(7, "Other", statement("P57", item(99)), imdb_id="tt0000001"), *named())
    wikidata.redirects = {99: 1}

    sync()

    assert Person.objects.get().wikidata_id == 1
    assert {credit.movie_id for credit in Credit.objects.all()} == {movie.pk, other.pk}


def test_a_deleted_item_takes_its_facts_along(wikidata, movie):
    wikidata.serve(matrix(*PEOPLE, statement("P2047", amount("+136")), statement("P136", item(2535))), *named())
    sync()
    del wikidata.items[83495]
    wikidata._by_value["P345"] = {"tt0133093": [83495]}  # the query service lags
    make_due()

    assert sync().message == "1 not on Wikidata."

    movie.refresh_from_db()
    assert (movie.runtime_minutes, movie.tmdb_id, movie.year) == (None, 603, 1999)
    assert not Credit.objects.exists() and not MovieKeyword.objects.exists()
    assert (WikidataRecord.objects.get().qid, WikidataRecord.objects.get().state) == (None, "absent")


def test_of_two_items_the_one_that_has_both_ids_is_taken(wikidata, movie):
    movie.tmdb_id = 603
    movie.save()
    wikidata.serve(film(5000, "Duplicate", imdb_id="tt0133093"), matrix())

    sync()

    assert WikidataRecord.objects.get().qid == 83495


def test_an_id_of_another_movie_is_not_taken_away(wikidata, movie):
    MovieFactory(title="Ours", tmdb_id=603, imdb_id="tt0000009")
    wikidata.serve(matrix())

    sync()

    movie.refresh_from_db()
    assert movie.tmdb_id is None


def test_edits_by_hand_and_what_movielens_said_stay(wikidata, movie):
    MovieGenre.objects.create(movie=movie, genre=GenreFactory(name="Sci-Fi"), source=Source.MOVIELENS)
    movie.runtime_minutes = 1
    movie.mark_edited("runtime_minutes", "credits")
    movie.save()
    released = statement("P577", time("2001-01-01"))
    wikidata.serve(
        matrix(*PEOPLE, released, statement("P2047", amount("+136")), statement("P136", item(471839))), *named()
    )

    sync()

    movie.refresh_from_db()
    assert (movie.runtime_minutes, movie.year, movie.release_date) == (1, 1999, date(2001, 1, 1))
    assert MovieGenre.objects.get().source == "movielens"
    assert not Credit.objects.exists()
    movie.save()
    assert movie.year == 1999


@pytest.mark.parametrize("first", ["tmdb", "wikidata"])
def test_two_providers_agree_whichever_is_first(wikidata, tmdb, movie, first):
    """Fields are Wikidata's, which may train; people are TMDB's, in billing order; genres and keywords of both."""
    movie.tmdb_id = 603
    movie.save()
    tmdb.serve(tmdb_document(603, imdb_id="tt0133093", external_ids={}, runtime=100, original_language="fr"))
    facts = [statement("P364", item(1860)), statement("P136", item(471839)), statement("P136", item(2535))]
    wikidata.serve(matrix(*PEOPLE, *CAST, *facts), *named())

    for step in ("tmdb", "wikidata", "tmdb") if first == "tmdb" else ("wikidata", "tmdb"):
        sync_ids(603) if step == "tmdb" else sync()

    movie.refresh_from_db()
    assert (movie.language, movie.source_of("language")) == ("en", "wikidata")
    assert (movie.runtime_minutes, movie.source_of("runtime_minutes")) == (100, "tmdb")  # Wikidata has none
    assert set(Credit.objects.values_list("person__name", "source")) == {
        ("Ada Player", "tmdb"),
        ("Dan Director", "tmdb"),
    }
    assert set(MovieGenre.objects.values_list("genre__name", "source")) == {("Drama", "tmdb"), ("Sci-Fi", "wikidata")}
    make_due()
    assert sync().message == "1 unchanged."


def test_names_are_asked_for_once(wikidata):
    for number in (1, 2):
        MovieFactory(imdb_id=f"tt000000{number}")
    wikidata.serve(*(film(n, f"Film {n}", *PEOPLE, imdb_id=f"tt000000{n - 10}") for n in (11, 12)), *named())
    sync(limit=1)
    wikidata.asked.clear()

    sync()

    assert [asked for asked in wikidata.asked if "props=labels&" in asked] == []
    assert WikidataItem.objects.filter(qid__in=(1, 2)).count() == 2
