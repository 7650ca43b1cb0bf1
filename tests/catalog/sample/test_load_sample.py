from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from catalog.models import (
    AlternativeTitle,
    Credit,
    Genre,
    ImportRun,
    Keyword,
    Movie,
    MovieGenre,
    MovieKeyword,
    Person,
    Rating,
    Source,
    TMDBRecord,
    User,
)
from catalog.sample import load
from catalog.services import add_to_watchlist, record_rating
from recommender.models import Dismissal
from tests.catalog.ingest.movielens import write_folder, write_zip
from tests.factories import MovieFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    for name, number in (("USERS", 6), ("MOVIES", 10), ("RATINGS", 24)):
        monkeypatch.setattr(load, f"GENERATED_{name}", number)


@pytest.fixture
def movielens(settings, tmp_path):
    settings.MOVIELENS_PATH = str(write_folder(tmp_path / "ml"))


def run(*arguments):
    out = StringIO()
    call_command("load_sample", *arguments, stdout=out)
    return out.getvalue()


def test_takes_movielens_from_the_path_that_is_set(movielens, settings):
    assert f"MovieLens data from MOVIELENS_PATH, {settings.MOVIELENS_PATH}" in run()
    assert Rating.objects.filter(source=Source.MOVIELENS).count() == 4


def test_wrong_movielens_path_is_an_error(settings, tmp_path):
    settings.MOVIELENS_PATH = str(tmp_path / "nowhere")
    with pytest.raises(CommandError, match="no such file or folder"):
        run()
    assert not Movie.objects.exists()


def test_takes_the_download_when_no_path_is_set(settings, tmp_path, monkeypatch):
    archive = write_zip(tmp_path / "ml.zip")
    settings.MOVIELENS_URL = "https://example.org/ml.zip"
    monkeypatch.setattr(load, "download", lambda **how: archive)
    assert "downloaded from GroupLens (https://example.org/ml.zip)" in run()
    assert Rating.objects.filter(source=Source.MOVIELENS).count() == 4


def test_generates_without_network_and_says_so(settings):
    settings.MOVIELENS_URL = "http://127.0.0.1:9/ml.zip"
    out = run()
    assert "could not be downloaded: http://127.0.0.1:9/ml.zip" in out
    assert "a generated catalogue (made-up movies and people)" in out
    assert Rating.objects.filter(source=Source.GENERATED).count() == 24


def test_a_sample_that_is_there_is_left_as_it_is(movielens, settings, tmp_path):
    run()
    settings.MOVIELENS_PATH = str(tmp_path / "nowhere")
    assert "A sample is there already (ml); nothing changed." in run()
    assert Rating.objects.count() == 4


def test_a_generated_sample_that_was_cut_off_is_finished(settings, tmp_path):
    run()
    ImportRun.objects.update(finished_at=None)
    Rating.objects.filter(pk__in=Rating.objects.values("pk")[:10]).delete()
    settings.MOVIELENS_PATH = str(write_folder(tmp_path / "ml"))
    assert "Going on with the generated catalogue" in run()
    assert Rating.objects.count() == 24
    assert ImportRun.objects.get().finished_at is not None


def test_remove_leaves_an_empty_site_empty(movielens):
    run()
    call_command("generate_ratings", "--users=6", "--movies=10", "--ratings=24", stdout=StringIO())
    out = run("--remove")
    assert "Removed 8 users, 28 ratings and 13 movies" in out
    for model in (Movie, User, Rating, Genre, Keyword, Person, Credit, MovieGenre, MovieKeyword, ImportRun):
        assert not model.objects.exists(), model
    assert "Removed 0 users" in run("--remove")
    run()
    assert Rating.objects.count() == 4


def test_remove_keeps_what_is_the_sites_own(movielens, nora):
    run()
    toys, lost, cosmos = (Movie.objects.get(movielens_id=number) for number in (1, 2, 3))
    own = MovieFactory(title="Home video")
    drama = Genre.objects.get(name="Drama")
    MovieGenre.objects.create(movie=own, genre=drama)
    record_rating(user=nora, movie=toys, rating=2)
    record_rating(user=nora, movie=own, rating=5)
    add_to_watchlist(user=nora, movie=lost)
    out = run("--remove")
    assert "Removed 2 users, 4 ratings and 1 movies" in out
    assert "2 of its movies stay" in out
    assert set(Movie.objects.all()) == {toys, lost, own}
    assert not Movie.objects.filter(pk=cosmos.pk).exists()
    assert list(User.objects.all()) == [nora]
    assert set(nora.ratings.values_list("movie__title", "rating")) == {("Toy Story", 2), ("Home video", 5)}
    assert nora.watchlist.get().movie == lost
    assert toys.genres.count() == 3
    toys.refresh_from_db()
    assert (toys.rating_count, toys.rating_sum) == (1, 2)
    assert Genre.objects.filter(pk=drama.pk).exists()


def test_remove_keeps_referenced_and_edited_movies(movielens, nora):
    run()
    toys, lost, cosmos = (Movie.objects.get(movielens_id=number) for number in (1, 2, 3))
    Dismissal.objects.create(user=nora, movie=toys)
    Movie.objects.filter(pk=lost.pk).update(field_sources={"overview": "site"})
    Credit.objects.create(movie=cosmos, person=Person.objects.create(name="Carl"), role=Credit.Role.CAST)
    assert "3 of its movies stay" in run("--remove")


def test_remove_takes_movies_too_that_tmdb_filled_in(movielens):
    run()
    movie = Movie.objects.get(movielens_id=1)
    Movie.objects.update(field_sources={"overview": "tmdb"})
    Credit.objects.create(movie=movie, person=Person.objects.create(name="Tom"), role="cast", source=Source.TMDB)
    AlternativeTitle.objects.create(movie=movie, title="Spielzeuge", source=Source.TMDB)
    TMDBRecord.objects.create(tmdb_id=862, movie=movie, state=TMDBRecord.State.FETCHED)
    run("--remove")
    assert not Movie.objects.exists()


def test_remove_reverts_what_the_sample_gave_to_site_movies(movielens, nora):
    mine = MovieFactory(title="Toys", year=1995, tmdb_id=862)
    run()
    assert mine.genres.count() == 3
    run("--remove")
    mine.refresh_from_db()
    assert (mine.movielens_id, mine.imdb_id, mine.tmdb_id, mine.field_sources) == (None, None, 862, {})
    assert mine.genres.count() == 0
    assert mine.rating_count == 0
