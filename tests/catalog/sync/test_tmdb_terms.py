"""TMDB's terms: a notice, no training without agreement, limited storage, and complete removal."""

import runpy
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pandas as pd
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.utils import timezone

from catalog.models import (
    AlternativeTitle,
    Credit,
    Genre,
    Keyword,
    Movie,
    MovieGenre,
    MovieKeyword,
    Person,
    Rating,
    SearchTerm,
    Source,
    SyncRun,
    TMDBRecord,
    WatchlistItem,
)
from catalog.signals import provider_purged
from catalog.sync.work import sync
from catalog.sync.work_items import SyncRequest
from catalog.tasks import sync_tmdb
from recommender.export import movie_frame
from tests.factories import GenreFactory, MovieFactory, RatingFactory
from tests.processes import ROOT
from tests.tmdb_stand_in import document

pytestmark = pytest.mark.django_db

NOTICE = "This product uses TMDB and the TMDB APIs but is not endorsed, certified, or otherwise approved by TMDB."


@pytest.fixture
def mixed(tmdb) -> dict[str, Movie]:
    """A movie of MovieLens that TMDB filled in, one of TMDB, one of TMDB that people rated, and one of the site."""
    lens = MovieFactory(title="Of MovieLens", year=1999, tmdb_id=1, source=Source.MOVIELENS)
    MovieGenre.objects.create(movie=lens, genre=GenreFactory(name="Comedy"), source=Source.MOVIELENS)
    own = MovieFactory(title="Ours", overview="Our words")
    titles = {"titles": [{"title": "Elsewhere"}]}
    tmdb.movies = {n: document(n, title=f"TMDB {n}", alternative_titles=titles) for n in (1, 2, 3)}
    sync(SyncRequest(SyncRun.Scope.IDS, ids=(1, 2, 3)))
    rated = Movie.objects.get(tmdb_id=3)
    RatingFactory(movie=rated)
    return {"lens": lens, "own": own, "only": Movie.objects.get(tmdb_id=2), "rated": rated}


@pytest.mark.parametrize("allowed", [False, True])
def test_what_was_synced_trains_only_with_tmdbs_agreement(settings, mixed, allowed):
    settings.TMDB_METADATA_IN_TRAINING = allowed
    rows = {row["movie_id"]: row for row in movie_frame().to_dict("records")}
    lens, only = rows[mixed["lens"].pk], rows[mixed["only"].pk]

    assert (lens["title"], rows[mixed["own"].pk]["overview"]) == ("Of MovieLens", "Our words")
    if allowed:
        assert (lens["genres"], lens["overview"]) == (["Comedy", "Drama"], "What happens in 1.")
        assert (only["title"], only["keywords"]) == ("TMDB 2", ["friendship"])
        assert (only["cast"], only["directors"]) == (["Ada Player"], ["Dan Director"])
        assert (lens["release_date"], only["release_date"]) == (pd.Timestamp(2020, 5, 17),) * 2
    else:
        assert (lens["genres"], lens["overview"], lens["language"], lens["cast"]) == (["Comedy"], "", "", [])
        assert lens["release_date"] == pd.Timestamp(1999, 1, 1)  # MovieLens' own year
        assert (only["title"], only["overview"], only["language"]) == ("", "", "")
        assert pd.isna(only["release_date"])
        assert only["genres"] == only["keywords"] == only["cast"] == only["directors"] == []


def test_a_purge_takes_tmdbs_content_and_leaves_the_rest(mixed, settings, nora, capsys):
    WatchlistItem.objects.create(user=nora, movie=mixed["rated"])
    settings.TMDB_READ_TOKEN = ""

    call_command("purge_provider", "tmdb")

    assert set(Movie.objects.values_list("pk", flat=True)) == {mixed[name].pk for name in ("lens", "own", "rated")}
    lens = Movie.objects.get(pk=mixed["lens"].pk)
    assert (lens.title, lens.year, lens.tmdb_id, lens.source) == ("Of MovieLens", 1999, 1, "movielens")
    assert (lens.overview, lens.original_title, lens.language, lens.poster_path) == ("", "", "", "")
    assert (lens.release_date, lens.runtime_minutes, lens.field_sources) == (None, None, {})
    assert list(lens.genres.values_list("name", flat=True)) == ["Comedy"]
    rated = Movie.objects.get(pk=mixed["rated"].pk)
    assert (rated.title, rated.search_title) == (f"Movie {rated.pk}", f"movie {rated.pk}")
    assert (rated.overview, rated.year, rated.tmdb_id, rated.imdb_id, rated.poster_path) == ("", None, None, None, "")
    assert (Rating.objects.count(), WatchlistItem.objects.count()) == (1, 1)
    for model in (MovieGenre, MovieKeyword, Credit, AlternativeTitle, Person, Movie):
        assert not model.objects.filter(source=Source.TMDB).exists()
    assert not SearchTerm.objects.filter(term__contains="tmdb").exists()
    assert not Keyword.objects.exists()
    assert list(Genre.objects.values_list("name", flat=True)) == ["Comedy"]
    assert not TMDBRecord.objects.exists()
    assert not SyncRun.objects.exists()
    said = capsys.readouterr()
    assert "Deleted 1 movies that only TMDB described; took its content out of 2 others, 1 of which" in said.out
    assert said.err == ""


def test_purge_keeps_hand_edits_and_warns_while_tmdb_is_on(mixed, capsys):
    movie = mixed["only"]
    movie.title = "An editor's title"
    movie.save()
    movie.mark_edited("title")

    call_command("purge_provider", "tmdb")

    movie.refresh_from_db()
    assert (movie.title, movie.overview, movie.source) == ("An editor's title", "", "site")
    assert "TMDB_READ_TOKEN is still set" in capsys.readouterr().err


def test_a_purge_is_announced_so_that_copies_elsewhere_go_too(mixed):
    heard = []

    def hear(source, **kwargs):
        heard.append(source)

    provider_purged.connect(hear)
    try:
        call_command("purge_provider", "tmdb")
    finally:
        provider_purged.disconnect(hear)
    assert heard == ["tmdb"]


def test_after_a_purge_everything_can_come_again(mixed):
    call_command("purge_provider", "tmdb")
    call_command("sync_tmdb", "--ids", "1", "2", "3")

    assert Movie.objects.get(tmdb_id=1).overview == "What happens in 1."
    assert Movie.objects.filter(title__startswith="TMDB ").count() == 2


@pytest.mark.parametrize("token", ["", "stand-in-token"])
def test_nothing_is_kept_for_longer_than_the_terms_allow(mixed, settings, token):
    """Also while TMDB is off: the daily task sees to it."""
    settings.TMDB_READ_TOKEN = token
    settings.TMDB_API_URL = "http://127.0.0.1:9/3"  # away
    TMDBRecord.objects.filter(tmdb_id__in=(1, 2)).update(fetched_at=timezone.now() - timedelta(days=181))
    TMDBRecord.objects.filter(tmdb_id=2).update(state=TMDBRecord.State.GONE)
    TMDBRecord.objects.filter(tmdb_id=3).update(fetched_at=timezone.now() - timedelta(days=179))

    assert sync_tmdb()["too_old"] == 2

    assert not Movie.objects.filter(pk=mixed["only"].pk).exists()
    assert Movie.objects.get(pk=mixed["lens"].pk).overview == ""
    assert Movie.objects.get(pk=mixed["rated"].pk).title == "TMDB 3"
    assert TMDBRecord.objects.filter(tmdb_id=2, state="gone", fetched_at=None).exists()


@pytest.mark.wording
def test_the_notice_is_on_pages_with_tmdbs_content(client, mixed, settings):
    settings.TMDB_LOGO_URL = "https://www.themoviedb.org/logo.svg"
    assert NOTICE in client.get("/movies/").content.decode()
    assert 'src="https://www.themoviedb.org/logo.svg"' in client.get("/movies/").content.decode()

    settings.TMDB_READ_TOKEN = ""
    assert NOTICE not in client.get(mixed["own"].get_absolute_url()).content.decode()
    assert NOTICE in client.get(mixed["lens"].get_absolute_url()).content.decode()


def test_posters_come_lazily_from_tmdb_and_only_while_it_is_on(client, mixed, settings):
    page = client.get(mixed["only"].get_absolute_url()).content.decode()
    pictures = [part.split(">")[0] for part in page.split("<img")[1:] if "image.tmdb.org" in part.split(">")[0]]
    eager = [picture for picture in pictures if 'loading="lazy"' not in picture]
    assert len(pictures) == 3
    assert len(eager) == 1 and "movie-poster" in eager[0]  # what the page is opened for

    settings.TMDB_READ_TOKEN = ""
    assert "image.tmdb.org" not in client.get(mixed["only"].get_absolute_url()).content.decode()


@pytest.fixture
def settings_with(monkeypatch) -> Callable[..., dict[str, Any]]:
    def read(**changes: str) -> dict[str, Any]:
        for name, value in changes.items():
            monkeypatch.setenv(name, value)
        return runpy.run_path(str(ROOT / "movierec" / "settings.py"))

    return read


@pytest.mark.parametrize("token", ["zwei wörter", "line\nbreak"])
def test_unusable_token_is_refused_without_being_shown(settings_with, token):
    with pytest.raises(ImproperlyConfigured, match="TMDB_READ_TOKEN: expected a token") as caught:
        settings_with(TMDB_READ_TOKEN=token)
    assert token not in str(caught.value)


def test_a_logo_without_https_is_refused(settings_with):
    with pytest.raises(ImproperlyConfigured, match="TMDB_LOGO_URL: expected https"):
        settings_with(TMDB_LOGO_URL="http://logos.example/t.svg; script-src *")
