"""Recommendations at a user's secret URL. They are not recorded as shown."""

from datetime import date

import jsonschema
import pytest
from django.utils import timezone

from catalog.keys import create_feeds_key
from catalog.models import Movie, Viewing
from catalog.services import record_rating
from recommender import metrics
from recommender.models import Impression
from recommender.services import recommend, recommend_new, record_feedback
from recommender.serving.lists import impressions
from recommender.serving.model_server import server
from tests.factories import MovieFactory, RatingFactory, UserFactory
from tests.feeds import RADARR, json_of, rss_of
from tests.recommender.conftest import count_ratings

pytestmark = pytest.mark.django_db


@pytest.fixture
def read(client, fan):
    key = create_feeds_key(user=fan).key
    return lambda name, **headers: client.get(f"/api/v1/feeds/{key}/{name}", headers=headers)


@pytest.fixture
def site(train, camps, fan):
    Movie.objects.filter(pk=camps["Science Fiction"][5].pk).update(imdb_id="tt0078748", tmdb_id=348)
    train(version=1)
    count_ratings()
    return camps


def titles(recommendations) -> list[str]:
    return [result.movie.title for result in recommendations.results]


def test_the_feed_is_the_list_of_its_user(read, site, fan):
    expected = recommend(user=fan, k=10, surface=None)
    found = json_of(read("recommendations.json"), "feeds_recommendations_json")
    entries = rss_of(read("recommendations.rss")).entries

    jsonschema.validate(found, RADARR)
    assert [row["title"] for row in found] == titles(expected)
    assert [row["reason"] for row in found] == [result.reason.sentence for result in expected.results]
    assert [entry.link for entry in entries] == [row["url"] for row in found]
    assert [entry.summary for entry in entries] == [row["reason"] for row in found]
    assert ("tt0078748", 348) in {(row["imdb_id"], row["tmdb_id"]) for row in found}


def test_a_rating_counts_in_the_next_fetch(read, site, fan):
    first = read("recommendations.json")
    best = Movie.objects.get(title=first.json()[0]["title"])
    assert read("recommendations.json", if_none_match=first["ETag"]).status_code == 304
    record_rating(user=fan, movie=best, rating=5)

    later = read("recommendations.json", if_none_match=first["ETag"])
    assert later.status_code == 200
    assert best.title not in {row["title"] for row in later.json()}


def test_a_length_is_asked_for_and_checked(read, site):
    assert [len(read(f"recommendations.{form}?k=3").content) > 0 for form in ("json", "rss")] == [True, True]
    assert len(read("recommendations.json?k=3").json()) == 3
    refused = read("recommendations.json?k=101")
    assert (refused.status_code, list(refused.json()["error"]["fields"])) == (400, ["k"])


def test_new_movies_have_a_feed(read, site, fan):
    fresh = MovieFactory(title="Fresh from the editor", year=2026)
    server.refresh()
    found = json_of(read("new.json"), "feeds_new_json")

    assert [row["title"] for row in found] == titles(recommend_new(user=fan, surface=None))
    assert [entry.title for entry in rss_of(read("new.rss")).entries] == [str(fresh)]


def test_rows_name_what_was_watched_and_what_is_like_it(read, site, fan):
    watched, disliked = site["Science Fiction"][6], site["Romance"][0]
    Viewing.objects.create(user=fan, movie=watched, watched_on=timezone.localdate())
    Viewing.objects.create(user=fan, movie=disliked, watched_on=timezone.localdate())
    record_rating(user=fan, movie=disliked, rating=1)
    record_feedback(user=fan, movie=site["Science Fiction"][5], kind="not_interested")
    rows = json_of(read("because-you-watched.json?k=4"), "feeds_because_you_watched_json")

    assert rows[0]["watched"]["title"] == watched.title
    about = {row["watched"]["title"] for row in rows}
    assert about == {watched.title, *(movie.title for movie in site["Science Fiction"][:3])}
    seen = about | {disliked.title, site["Science Fiction"][5].title}
    for row in rows:
        assert 0 < len(row["recommended"]) <= 4
        assert not seen & {movie["title"] for movie in row["recommended"]}
    assert read("because-you-watched.json?k=0").status_code == 400


def test_the_latest_come_first_and_five_at_most(read, site, fan):
    for place, movie in enumerate(site["Romance"][:7]):
        Viewing.objects.create(user=fan, movie=movie, watched_on=date(2026, 11, 1 + place))
    fan.ratings.update(rated_at=timezone.make_aware(timezone.datetime(2026, 1, 1)))
    rows = read("because-you-watched.json").json()

    assert [row["watched"]["title"] for row in rows] == [f"Romance {n}" for n in (6, 5, 4, 3, 2)]


def test_without_a_model_there_are_popular_movies_and_no_rows(read, camps):
    found = read("recommendations.json").json()

    assert len(found) == 10
    assert {row["reason"] for row in found} == {""}
    assert json_of(read("because-you-watched.json"), "feeds_because_you_watched_json") == []
    assert rss_of(read("new.rss")).entries


def test_a_newcomer_gets_valid_feeds(client, train):
    RatingFactory(rating=4)
    train(version=1)
    key = create_feeds_key(user=UserFactory()).key
    for name in ("recommendations", "new"):
        rss_of(client.get(f"/api/v1/feeds/{key}/{name}.rss"))
        json_of(client.get(f"/api/v1/feeds/{key}/{name}.json"), f"feeds_{name}_json")
    assert client.get(f"/api/v1/feeds/{key}/because-you-watched.json").json() == []


def test_what_programs_fetch_is_no_impression(read, site):
    def counted() -> float:
        return sum(sample.value for found in metrics.PREDICTIONS.collect() for sample in found.samples)

    before = counted()
    for name in ("recommendations.json", "recommendations.rss", "new.json", "because-you-watched.json"):
        assert read(name).status_code == 200
    impressions.flush()

    assert not Impression.objects.exists()
    assert counted() == before
