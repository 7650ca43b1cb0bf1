"""Syncs with TMDB's stand-in and compares all fields in the catalogue."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from catalog.models import Credit, Keyword, Movie, MovieGenre, MovieKeyword, Source, SyncItem, SyncRun, TMDBRecord
from catalog.models.reasons import Code
from catalog.search.query import suggest
from catalog.sync.work import sync
from catalog.sync.work_items import SyncRequest
from tests.catalog.sync.runs import succeeded, sync_ids
from tests.factories import GenreFactory, MovieFactory, RatingFactory
from tests.tmdb_stand_in import document

pytestmark = pytest.mark.django_db

Scope = SyncRun.Scope
State = TMDBRecord.State
TODAY = timezone.now().date()


def test_a_movie_arrives_with_every_field(tmdb):
    tmdb.serve(
        document(
            603,
            title="Người Nhện",
            original_title="Spider-Man",
            original_language="vi",
            runtime=121,
            overview="A boy is bitten.",
            release_date="2002-05-01",
            genres=[{"id": 28, "name": "Action"}, {"id": 878, "name": "Science Fiction"}],
            keywords={"keywords": [{"id": 1, "name": "spider "}, {"id": 2, "name": ""}]},
            credits={
                "cast": [
                    {"id": 21, "name": "Second", "character": "MJ", "order": 1},
                    {"id": 20, "name": "First", "character": "Peter", "order": 0},
                    {"id": 20, "name": "First", "character": "Spider", "order": 2},
                ],
                "crew": [
                    {"id": 30, "name": "Sam", "job": "Director"},
                    {"id": 31, "name": "Danny", "job": "Music"},
                    {"id": 20, "name": "First", "job": "Director"},
                ],
            },
            alternative_titles={"titles": [{"title": "Homem-Aranha"}, {"title": "Spider-Man"}]},
        ),
    )

    run = sync_ids(603)

    assert (run.status, run.message) == ("succeeded", "1 added.")
    movie = Movie.objects.get()
    assert (movie.title, movie.original_title, movie.search_title) == (
        "Người Nhện",
        "Spider-Man",
        "nguoi nhen spider man",
    )
    assert (movie.tmdb_id, movie.imdb_id, movie.source, movie.field_sources) == (603, "tt0000603", "tmdb", {})
    assert (movie.release_date, movie.year, movie.runtime_minutes) == (date(2002, 5, 1), 2002, 121)
    assert (movie.language, movie.is_adult, movie.poster_path) == ("vi", False, "/poster603.jpg")
    assert movie.overview == "A boy is bitten."
    assert sorted(movie.genres.values_list("name", flat=True)) == ["Action", "Sci-Fi"]
    assert list(movie.keywords.values_list("name", flat=True)) == ["spider"]
    credits = Credit.objects.values_list("person__tmdb_id", "person__name", "role", "position", "character", "source")
    assert list(credits) == [
        (20, "First", "cast", 0, "Peter / Spider", "tmdb"),
        (21, "Second", "cast", 1, "MJ", "tmdb"),
        (30, "Sam", "director", 0, "", "tmdb"),
        (20, "First", "director", 1, "", "tmdb"),
    ]
    assert list(movie.alternative_titles.values_list("title", "source")) == [("Homem-Aranha", "tmdb")]
    assert [list(suggest(text)) for text in ("nguoi nhen", "spiderman", "homem arnha")] == [[movie]] * 3


def test_a_second_sync_changes_nothing(tmdb):
    tmdb.serve(document(603))
    sync_ids(603)
    before = (list(Movie.objects.values()), list(Credit.objects.values()), list(MovieKeyword.objects.values()))

    run = sync_ids(603)

    assert run.message == "1 unchanged."
    assert (list(Movie.objects.values()), list(Credit.objects.values()), list(MovieKeyword.objects.values())) == before
    assert not SyncItem.objects.exists()


def test_what_changed_at_tmdb_changes_here_too(tmdb):
    tmdb.serve(document(603, poster_path="/old.png"))
    sync_ids(603)
    updated_at = Movie.objects.get().updated_at
    cast = [{"id": 10, "name": "Ada Renamed", "character": "Somebody", "order": 0}]
    tmdb.serve(
        document(
            603,
            title="Another",
            poster_path=None,
            runtime=0,
            genres=[],
            keywords={"keywords": [{"id": 5, "name": "revenge"}]},
            credits={"cast": cast, "crew": []},
        ),
    )

    assert sync_ids(603).message == "1 updated."

    movie = Movie.objects.get()
    assert (movie.title, movie.search_title) == ("Another", "another")
    assert (movie.poster_path, movie.runtime_minutes) == ("", None)
    assert not movie.genres.exists()
    assert list(movie.keywords.values_list("name", flat=True)) == ["revenge"]
    assert list(movie.credits.values_list("person__name", "character")) == [("Ada Renamed", "Somebody")]
    assert movie.updated_at > updated_at


def test_what_movielens_said_stays_and_the_rest_is_filled_in(tmdb):
    movie = MovieFactory(title="Matrix, The", year=1999, tmdb_id=603, imdb_id="tt0000603", source=Source.MOVIELENS)
    MovieGenre.objects.create(movie=movie, genre=GenreFactory(name="Drama"), source=Source.MOVIELENS)
    tag = Keyword.objects.create(name="friendship")
    MovieKeyword.objects.create(movie=movie, keyword=tag, source=Source.MOVIELENS)
    genres = [{"id": 18, "name": "Drama"}, {"id": 28, "name": "Action"}]
    tmdb.serve(document(603, title="The Matrix", release_date="2000-01-01", genres=genres))

    sync_ids(603)

    movie.refresh_from_db()
    assert (movie.title, movie.year, movie.release_date) == ("Matrix, The", 1999, date(2000, 1, 1))
    assert movie.field_sources == dict.fromkeys(
        ["original_title", "release_date", "overview", "language", "runtime_minutes", "poster_path"], "tmdb"
    )
    genres = MovieGenre.objects.order_by("genre__name").values_list("genre__name", "source")
    assert list(genres) == [("Action", "tmdb"), ("Drama", "movielens")]
    assert MovieKeyword.objects.get().source == "movielens"
    movie.save()
    assert movie.year == 1999


def test_edits_by_hand_stay(tmdb, client, sam):
    tmdb.serve(document(603, title="The Matrix", runtime=136))
    sync_ids(603)
    movie = Movie.objects.get()
    movie.title, movie.overview, movie.runtime_minutes = "Ours", "", 137
    movie.mark_edited("title", "overview", "runtime_minutes")
    movie.save()
    client.force_login(sam)
    link = MovieGenre.objects.get()
    client.post(f"/admin/catalog/moviegenre/{link.pk}/delete/", {"post": "yes"})
    tmdb.serve(document(603, title="Theirs", overview="Theirs", runtime=1, original_language="fr"))

    sync_ids(603)

    movie.refresh_from_db()
    assert (movie.title, movie.overview, movie.runtime_minutes, movie.language) == ("Ours", "", 137, "fr")
    assert not movie.genres.exists()


def test_a_movie_deleted_by_hand_comes_back_only_when_asked_for(tmdb):
    tmdb.serve(document(603, release_date=str(TODAY)))
    sync_ids(603)
    Movie.objects.get().delete()
    tmdb.changes = {603: TODAY}
    succeeded(Scope.EVERYTHING, days_ago=1)

    sync(SyncRequest(Scope.EVERYTHING))
    assert not Movie.objects.exists()

    sync_ids(603)
    assert Movie.objects.get().tmdb_id == 603


def test_a_movie_known_by_its_imdb_id_gets_its_tmdb_id(tmdb):
    movie = MovieFactory(title="Ours", imdb_id="tt0000603")
    tmdb.serve(document(603))

    sync_ids(603)

    movie.refresh_from_db()
    assert (movie.title, movie.tmdb_id, movie.field_sources["tmdb_id"]) == ("Ours", 603, "tmdb")


def test_an_imdb_id_that_a_living_movie_has_is_not_taken_away(tmdb):
    tmdb.serve(document(1), document(2, imdb_id="tt0000001", external_ids={}))

    sync_ids(1)
    sync_ids(2)

    assert list(Movie.objects.order_by("pk").values_list("tmdb_id", "imdb_id")) == [(1, "tt0000001"), (2, None)]


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
def test_a_movie_whose_id_was_merged_is_not_doubled(tmdb, order):
    """The old id is gone, the new one has its IMDb id: whichever is asked for first."""
    tmdb.serve(document(1, external_ids={}))
    sync_ids(1)
    rating = RatingFactory(movie=Movie.objects.get())
    tmdb.serve(document(2, title="Same", imdb_id="tt0000001", external_ids={}))

    for tmdb_id in order:
        sync_ids(tmdb_id)

    movie = Movie.objects.get()
    assert (movie.pk, movie.tmdb_id, movie.title) == (rating.movie_id, 2, "Same")


def test_a_redirect_to_another_id_is_a_merger(tmdb):
    tmdb.serve(document(1))
    sync_ids(1)
    tmdb.serve(document(2, title="Same"))
    tmdb.merged = {1: 2}

    assert sync_ids(1).message == "1 merged into another id."

    assert list(Movie.objects.values_list("tmdb_id", "title")) == [(2, "Same")]
    assert TMDBRecord.objects.get(tmdb_id=1).merged_into == 2


def test_a_merger_of_two_that_are_both_here_leaves_one(tmdb):
    tmdb.serve(document(1), document(2))
    sync_ids(1, 2)
    tmdb.serve(document(2))
    tmdb.merged = {1: 2}

    sync_ids(1)

    assert list(Movie.objects.values_list("tmdb_id", flat=True)) == [2]


def test_what_is_gone_goes_unless_somebody_rated_it(tmdb):
    tmdb.serve(document(1), document(2))
    sync_ids(1, 2)
    RatingFactory(movie=Movie.objects.get(tmdb_id=2))
    tmdb.movies = {}

    run = sync_ids(1, 2)

    assert run.message == "2 gone from TMDB."
    assert list(Movie.objects.values_list("tmdb_id", flat=True)) == [2]
    assert set(TMDBRecord.objects.values_list("state", flat=True)) == {"gone"}
    tmdb.asked.clear()
    sync(SyncRequest(Scope.EVERYTHING))
    assert tmdb.n_asked("movie/1") + tmdb.n_asked("movie/2") == 0  # a tombstone: not asked for again


@pytest.mark.parametrize(
    ("movie", "reason"),
    [
        (document(5, adult=True), Code.ADULT()),
        (document(5, release_date=f"{TODAY + timedelta(days=9)}"), Code.UNRELEASED(day=f"{TODAY + timedelta(days=9)}")),
        (document(5, release_date=None, status="Planned"), Code.NO_RELEASE()),
    ],
)
def test_policy_skips_movies(tmdb, tmdb_policy, movie, reason):
    tmdb.serve(movie)

    assert sync_ids(5).message == "1 skipped by policy."
    assert TMDBRecord.objects.get().reasons == [list(reason)]
    assert not Movie.objects.exists()

    tmdb_policy(adult=True, unreleased=True)
    sync_ids(5)
    assert Movie.objects.get().tmdb_id == 5
