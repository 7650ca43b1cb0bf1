from datetime import timedelta

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.urls import reverse
from django.utils import timezone

from catalog.admin.large import CappedFormSet, CappedPaginator
from catalog.invitations import invite
from catalog.models import (
    AlternativeTitle,
    APIKey,
    Credit,
    FollowedSource,
    Genre,
    ImportRun,
    Invitation,
    Keyword,
    Movie,
    MovieGenre,
    MovieKeyword,
    Person,
    Picture,
    Rating,
    SiteSettings,
    Source,
    SourceSync,
    SyncRun,
    TMDBRecord,
    User,
    UserImport,
    Viewing,
    WatchlistItem,
    WikidataRecord,
    WikidataRun,
)
from catalog.services import add_to_watchlist, record_rating
from tests.factories import GenreFactory, MovieFactory, PictureFactory, RatingFactory, UserFactory, key_of

pytestmark = pytest.mark.django_db

WRITTEN_BY_THE_SITE = (
    *(APIKey, FollowedSource, ImportRun, Picture, SourceSync, SyncRun, TMDBRecord, UserImport),
    *(WikidataRecord, WikidataRun),
)
MODELS = [
    *(AlternativeTitle, Credit, Genre, Invitation, Keyword, Movie, MovieGenre, MovieKeyword, Person, Rating, User),
    *(Viewing, WatchlistItem),
    *WRITTEN_BY_THE_SITE,
]


@pytest.fixture
def staff(client, sam):
    client.force_login(sam)
    return client


def address(model: type, page: str, *args: object) -> str:
    return reverse(f"admin:catalog_{model._meta.model_name}_{page}", args=args)


def populate(count: int) -> Movie:
    """One movie with `count` links of each kind, and `count` rows in every table."""
    movie = MovieFactory()
    for number in range(count):
        name = f"{movie.pk}-{number}"
        genre = GenreFactory(name=f"Genre {name}", slug=f"genre-{name}")
        MovieGenre.objects.create(movie=movie, genre=genre)
        MovieKeyword.objects.create(movie=movie, keyword=Keyword.objects.create(name=name))
        person = Person.objects.create(name=name)
        Credit.objects.create(movie=movie, person=person, role="cast")
        PictureFactory(person=person, file="")
        rating = RatingFactory(movie=MovieFactory())
        add_to_watchlist(user=rating.user, movie=movie)
        Viewing.objects.create(user=rating.user, movie=movie)
        key_of(rating.user, name=name)
        invite(by=rating.user, note=name)
        UserImport.objects.create(user=rating.user, name=name, format="imdb", n_rows=number)
        source = FollowedSource.objects.create(user=rating.user, kind="letterboxd", name=name, fingerprint=name)
        SourceSync.objects.create(source=source, status="succeeded", trigger="scheduled")
        ImportRun.objects.create(source=Source.MOVIELENS, origin=name)
        AlternativeTitle.objects.create(movie=movie, title=name)
        SyncRun.objects.create(scope="changes", status="succeeded", counts={"updated": number})
        TMDBRecord.objects.create(tmdb_id=TMDBRecord.objects.count() + 1, movie=movie, state="fetched")
        WikidataRun.objects.create(status="succeeded", counts={"read": number})
        WikidataRecord.objects.create(qid=number + 1, movie=rating.movie, state="read")
    return movie


@pytest.mark.parametrize("model", MODELS)
def test_lists_search_with_a_constant_number_of_queries(staff, model, django_assert_max_num_queries):
    populate(3)
    with django_assert_max_num_queries(12) as few:
        assert staff.get(address(model, "changelist")).status_code == 200
    populate(20)
    with django_assert_max_num_queries(12) as many:
        assert staff.get(address(model, "changelist"), {"q": ""}).status_code == 200

    assert len(many) <= len(few)
    assert staff.get(address(model, "changelist"), {"q": "anything"}).status_code == 200


@pytest.mark.parametrize("model", MODELS)
def test_every_row_opens(staff, model):
    populate(1)

    assert staff.get(address(model, "change", model.objects.first().pk)).status_code == 200
    assert staff.get(address(model, "add")).status_code == (403 if model in WRITTEN_BY_THE_SITE else 200)


def test_a_movies_page_asks_as_often_for_many_links_as_for_few(staff, django_assert_max_num_queries):
    few, many = populate(2), populate(30)
    staff.get(address(Movie, "change", few.pk))  # content types are read once in a process
    with django_assert_max_num_queries(25) as small:
        staff.get(address(Movie, "change", few.pk))
    with django_assert_max_num_queries(25) as large:
        staff.get(address(Movie, "change", many.pk))

    assert len(large) == len(small)


def test_a_movies_page_shows_a_bounded_number_of_links(staff, monkeypatch):
    monkeypatch.setattr(CappedFormSet, "cap", 5)
    text = staff.get(address(Movie, "change", populate(9).pk)).content.decode()

    assert 'name="credits-INITIAL_FORMS" value="5"' in text


def movie_form(movie: Movie, **changes: object) -> dict[str, object]:
    form = {
        name: getattr(movie, name) if getattr(movie, name) is not None else ""
        for name in (
            "title",
            "original_title",
            "year",
            "overview",
            "language",
            "runtime_minutes",
            "poster_path",
            "movielens_id",
            "tmdb_id",
            "imdb_id",
            "release_date",
        )
    }
    for prefix in ("moviegenre_set", "moviekeyword_set", "credits"):
        form |= {f"{prefix}-TOTAL_FORMS": 0, f"{prefix}-INITIAL_FORMS": 0}
    return form | changes


def test_what_is_edited_by_hand_becomes_the_sites_own(staff):
    movie = MovieFactory(title="Alien", source=Source.TMDB, field_sources={"title": "tmdb", "overview": "tmdb"})
    genre = GenreFactory(name="Horror")
    links = {"moviegenre_set-TOTAL_FORMS": 1, "moviegenre_set-0-genre": genre.pk, "moviegenre_set-0-movie": movie.pk}
    response = staff.post(address(Movie, "change", movie.pk), movie_form(movie, overview="In space.", **links))

    assert response.status_code == 302
    movie.refresh_from_db()
    assert movie.overview == "In space."
    assert movie.field_sources == {"title": "tmdb", "overview": "site"}
    assert movie.source == Source.TMDB
    assert MovieGenre.objects.get(movie=movie).source == Source.SITE


def test_movies_are_found_without_accents_and_by_imdb_id(staff):
    MovieFactory(title="Amélie", imdb_id="tt0211915")
    MovieFactory(title="Alien")
    for query in ("amelie", "tt0211915"):
        found = staff.get(address(Movie, "changelist"), {"q": query}).context["cl"].queryset
        assert [movie.title for movie in found] == ["Amélie"]


def test_ratings_written_in_the_admin_keep_the_figures_right(staff, nora, bob):
    movie = MovieFactory()
    record_rating(user=bob, movie=movie, rating=2)
    form = {
        "user": nora.pk,
        "movie": movie.pk,
        "rating": 4.0,
        "rated_at_0": "2026-01-01",
        "rated_at_1": "12:00:00",
        "source": "site",
    }
    assert staff.post(address(Rating, "add"), form).status_code == 302
    assert figures(movie) == (2, 6)
    rating = Rating.objects.get(user=nora)
    assert staff.post(address(Rating, "change", rating.pk), form | {"rating": 1.0}).status_code == 302
    assert figures(movie) == (2, 3)
    assert staff.post(address(Rating, "delete", rating.pk), {"post": "yes"}).status_code == 302
    assert figures(movie) == (1, 2)
    chosen = {"action": "delete_selected", "_selected_action": [movie.ratings.get().pk], "post": "yes"}
    assert staff.post(address(Rating, "changelist"), chosen).status_code == 302
    assert figures(movie) == (0, 0)


def figures(movie: Movie) -> tuple[int, float]:
    movie.refresh_from_db()
    return movie.rating_count, movie.rating_sum


@pytest.mark.wording
def test_a_rating_of_the_future_is_refused(staff, nora):
    tomorrow = timezone.now() + timedelta(days=2)
    form = {
        "user": nora.pk,
        "movie": MovieFactory().pk,
        "rating": 4.0,
        "rated_at_0": f"{tomorrow:%Y-%m-%d}",
        "rated_at_1": "12:00:00",
        "source": "site",
    }

    assert "The rating date cannot be in the future." in staff.post(address(Rating, "add"), form).content.decode()


def test_user_deletion_updates_figures_and_counts_rows(staff, nora):
    movie = MovieFactory()
    for user in (nora, *UserFactory.create_batch(2)):
        record_rating(user=user, movie=movie, rating=3)
    page = staff.get(address(User, "delete", nora.pk)).content.decode()
    assert f"{Rating._meta.verbose_name_plural}: 1".casefold() in page.casefold()
    staff.post(address(User, "delete", nora.pk), {"post": "yes"})
    assert figures(movie) == (2, 6)
    others = list(User.objects.exclude(username="sam").values_list("pk", flat=True))
    staff.post(address(User, "changelist"), {"action": "delete_selected", "_selected_action": others, "post": "yes"})
    assert figures(movie) == (0, 0)


def test_deleting_needs_the_permission_for_what_goes_along(client, alice):
    helper = UserFactory(username="helper", is_staff=True)
    helper.user_permissions.set(_permissions("view_movie", "change_movie", "delete_movie"))
    client.force_login(helper)
    movie = alice.ratings.first().movie
    client.post(address(Movie, "delete", movie.pk), {"post": "yes"})

    assert Movie.objects.filter(pk=movie.pk).exists()
    helper.user_permissions.add(*_permissions("delete_rating"))
    client.post(address(Movie, "delete", movie.pk), {"post": "yes"})
    assert not Movie.objects.filter(pk=movie.pk).exists()


def _permissions(*codenames: str) -> list:
    return list(Permission.objects.filter(codename__in=codenames))


def test_counts_of_large_tables_stop(alice, monkeypatch):
    monkeypatch.setattr(CappedPaginator, "cap", 4)

    assert CappedPaginator(Rating.objects.all(), 2).count == 4


def test_every_model_of_the_catalogue_is_in_the_admin():
    expected = {*MODELS, SiteSettings}  # of the last there is one row, which test_site_settings.py opens
    assert {model for model in admin.site._registry if model._meta.app_label == "catalog"} == expected


def test_only_staff_may_enter(client, nora):
    client.force_login(nora)

    assert client.get("/admin/catalog/movie/").status_code == 302


def test_links_removed_at_the_movie_are_the_editors_decision(staff):
    movie = populate(2)
    form = movie_form(movie)
    link = MovieKeyword.objects.filter(movie=movie).order_by("pk").first()
    prefix = "moviekeyword_set"
    form |= {f"{prefix}-TOTAL_FORMS": 1, f"{prefix}-INITIAL_FORMS": 1, f"{prefix}-0-id": link.pk}
    form |= {f"{prefix}-0-movie": movie.pk, f"{prefix}-0-DELETE": "on"}

    staff.post(address(Movie, "change", movie.pk), form)

    movie.refresh_from_db()
    assert movie.field_sources.get("keywords") == "site"
    assert "genres" not in movie.field_sources


def test_credits_changed_in_their_own_list_are_the_editors_too(staff):
    movie = populate(1)
    credit = Credit.objects.get(movie=movie)

    staff.post(address(Credit, "delete", credit.pk), {"post": "yes"})

    movie.refresh_from_db()
    assert movie.field_sources == {"credits": "site"}


@pytest.mark.wording
def test_a_sync_shows_how_far_it_is(staff):
    SyncRun.objects.create(scope="everything", counts={"added": 1200, "pending": 34})

    assert "1,200 of 1,234" in staff.get(address(SyncRun, "changelist")).content.decode()
