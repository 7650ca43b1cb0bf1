"""The page of dismissed movies, where dismissals can be undone."""

import pytest

from recommender.models import Dismissal, Feedback
from recommender.services import record_feedback
from tests.factories import MovieFactory

pytestmark = pytest.mark.django_db

ADDRESS = "/not-interested/"


def test_dismissed_movies_are_listed_and_taken_back(client, nora, bob):
    mine, other = MovieFactory.create_batch(2)
    record_feedback(user=nora, movie=mine, kind=Feedback.Kind.NOT_INTERESTED)
    record_feedback(user=bob, movie=other, kind=Feedback.Kind.NOT_INTERESTED)
    client.force_login(nora)
    page = client.get(ADDRESS)
    assert [row.movie for row in page.context["page"]] == [mine]

    answer = client.post("/feedback/", {"kind": "undo", "movie": mine.pk, "next": ADDRESS})
    assert answer["Location"] == ADDRESS
    assert not client.get(ADDRESS).context["page"].object_list
    assert [row.user for row in Dismissal.objects.all()] == [bob]


def test_the_form_without_scripts_returns_here(client, nora):
    record_feedback(user=nora, movie=MovieFactory(), kind=Feedback.Kind.NOT_INTERESTED)
    client.force_login(nora)

    assert f'name="next" value="{ADDRESS}"' in client.get(ADDRESS).content.decode()


def test_the_page_needs_somebody(client):
    assert client.get(ADDRESS)["Location"] == f"/accounts/sign-in/?next={ADDRESS}"
