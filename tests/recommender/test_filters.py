"""Parameters of a request for a list: filters, the adventure dial and limits."""

import pytest

from catalog.models import Credit, Movie, Person
from recommender.errors import InvalidRequest
from recommender.models import Dismissal
from recommender.services import recommend
from recommender.serving.model_server import server
from recommender.serving.profile import UserProfile
from recommender.serving.request import ListRequest
from tests.factories import MovieFactory, api_client_of
from tests.recommender.test_recommend import shown

pytestmark = pytest.mark.django_db


@pytest.fixture
def varied(train, camps) -> dict[str, list[Movie]]:
    """Space operas of 1980 to 1991 that run 80 to 135 minutes, the first four in French, two with the same actor."""
    for number, movie in enumerate(camps["Science Fiction"]):
        language = "fr" if number < 4 else "en"
        Movie.objects.filter(pk=movie.pk).update(runtime_minutes=80 + 5 * number, language=language)
    actor = Person.objects.create(name="Sigourney Weaver")
    for movie in camps["Science Fiction"][6:8]:
        Credit.objects.create(movie=movie, person=actor, role="cast")
    train()
    return camps


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"year_min": 1985, "genre": "romance"}, ("Romance", range(5, 12))),
        ({"year_max": 1984, "genre": "Science Fiction"}, ("Science Fiction", range(3, 5))),
        ({"runtime_max": 100}, ("Science Fiction", range(3, 5))),
        ({"runtime_min": 105, "runtime_max": 110}, ("Science Fiction", range(5, 7))),
        ({"language": "fr"}, ("Science Fiction", range(3, 4))),
        ({"person": ["sigourney weaver"]}, ("Science Fiction", range(6, 8))),
    ],
)
def test_filters_apply_before_the_cut(varied, fan, filters, expected):
    name, places = expected
    recommendations = recommend(user=fan, k=len(places), surface="test", **filters)
    assert set(shown(recommendations)) == {varied[name][place].pk for place in places}
    assert {result.source for result in recommendations.results} == {"personal"}


def test_filters_apply_to_every_source_of_the_chain(varied, nora, fan):
    fresh = MovieFactory(year=1985, language="fr")
    server.refresh()
    filters = {"year_max": 1985, "language": "fr"}
    assert fresh.pk in shown(recommend(user=fan, k=20, include_new=True, surface="test", **filters))
    for user in (nora, fan):
        found = Movie.objects.filter(pk__in=shown(recommend(user=user, k=20, surface="test", **filters)))
        assert {(movie.language, movie.year <= 1985) for movie in found} == {("fr", True)}


def test_seen_movies_come_if_asked_for_dismissed_ones_never(train, camps, fan):
    train()
    seen, dismissed = camps["Science Fiction"][0], camps["Science Fiction"][5]
    Dismissal.objects.create(user=fan, movie=dismissed)
    listed = shown(recommend(user=fan, k=23, include_seen=True, surface="test"))
    assert seen.pk in listed
    assert dismissed.pk not in listed


@pytest.mark.parametrize(
    ("filters", "field"),
    [
        ({"year_min": 1990, "year_max": 1980}, "year_max"),
        ({"runtime_min": 90, "runtime_max": 80}, "runtime_max"),
        ({"person": ["Nobody at all"]}, "person"),
        ({"person": [str(n) for n in range(6)]}, "person"),
        ({"genre": "westren"}, "genre"),
        ({"adventure": 1.5}, "adventure"),
    ],
)
def test_an_impossible_filter_is_named(db, nora, filters, field):
    with pytest.raises(InvalidRequest) as error:
        recommend(user=nora, surface="test", **filters)
    assert list(error.value.fields) == [field]


def dial_of(adventure: float) -> tuple[float, float]:
    return ListRequest.of(UserProfile(), 1, adventure=adventure).dial


def test_the_dial_is_the_policy_in_its_middle(settings):
    strengths, novelties = zip(*map(dial_of, (-1.0, -0.5, 0.0, 0.5, 1.0)), strict=True)
    assert strengths[2] == settings.POLICY.serving.diversity
    assert novelties[2] == 0
    assert strengths == tuple(sorted(set(strengths)))
    assert novelties == tuple(sorted(set(novelties)))
    assert 0 <= strengths[0] < strengths[-1] <= 1


@pytest.mark.parametrize(
    ("query", "field", "said"),
    [
        ("k=0", "k", "greater than or equal to 1"),
        ("k=101", "k", "less than or equal to 100"),
        ("k=100000", "k", "less than or equal to 100"),
        ("k=-1", "k", "greater than or equal to 1"),
        ("k=ten", "k", "valid integer"),
        ("k=", "k", "valid integer"),
        ("exclude=1,two", "exclude", "comma-separated movie ids, got 'two'"),
        ("exclude=-1", "exclude", "got '-1'"),
        ("include_new=perhaps", "include_new", "valid boolean"),
        ("explain=7", "explain", "valid boolean"),
        ("year_min=soon", "year_min", "valid integer"),
        ("year_min=1990&year_max=1980", "year_max", "expected at least the minimum, 1990; got 1980"),
        ("runtime_max=0", "runtime_max", "greater than or equal to 1"),
        ("language=French", "language", "Enter an ISO 639-1 language code"),
        ("adventure=2", "adventure", "less than or equal to 1"),
    ],
)
@pytest.mark.wording
def test_a_wrong_parameter_is_named(nora, query, field, said):
    response = api_client_of(nora).get(f"/api/v1/recommendations/?{query}")
    assert response.status_code == 400
    error = response.json()["error"]
    assert said in error["message"]
    assert list(error["fields"]) == [field]


@pytest.mark.wording
def test_an_unknown_genre_is_not_found(nora):
    error = api_client_of(nora).get("/api/v1/recommendations/?genre=westren")
    assert (error.status_code, error.json()["error"]["code"]) == (404, "not_found")
    assert "unknown genre 'westren'" in error.json()["error"]["fields"]["genre"][0]
