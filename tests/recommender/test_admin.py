import uuid

import pytest
from django.urls import reverse
from django.utils import timezone

from recommender.models import Dismissal, Feedback, Impression, ServedModel
from recommender.services import activate, recommend
from tests.factories import MovieFactory, UserFactory

pytestmark = pytest.mark.django_db

NAMES = ["impression", "feedback", "dismissal", "servedmodel"]


def fill(n: int) -> None:
    for _ in range(n):
        user, movie = UserFactory(), MovieFactory()
        Impression.objects.create(user=user, surface="home", items=[[movie.pk, 1, "new"]], shown_at=timezone.now())
        Feedback.objects.create(user=user, movie=movie, kind="click", request_id=uuid.uuid4())
        Dismissal.objects.create(user=user, movie=movie)


@pytest.mark.parametrize("name", NAMES)
def test_lists_take_as_many_queries_for_many_rows_as_for_few(client, sam, name, django_assert_max_num_queries):
    client.force_login(sam)
    activate(version=1, algorithm="ease", artifact="1")
    fill(2)
    address = reverse(f"admin:recommender_{name}_changelist")
    client.get(address)
    with django_assert_max_num_queries(6):
        assert client.get(address).status_code == 200
    fill(20)
    with django_assert_max_num_queries(6):
        assert client.get(address, {"q": "user"}).status_code == 200


@pytest.mark.parametrize("name", NAMES)
def test_nothing_can_be_added_or_changed(client, sam, name):
    client.force_login(sam)
    activate(version=1, algorithm="ease", artifact="1")
    fill(1)
    assert client.get(reverse(f"admin:recommender_{name}_add")).status_code == 403
    row = next(model for model in (Impression, Feedback, Dismissal, ServedModel) if model._meta.model_name == name)
    address = reverse(f"admin:recommender_{name}_change", args=[row.objects.get().pk])
    assert client.get(address).status_code == 200
    assert client.post(address, {"version": 7}).status_code == 403


def test_deleting_a_dismissal_shows_the_movie_again(client, sam, nora):
    movie = MovieFactory()
    row = Dismissal.objects.create(user=nora, movie=movie)
    assert recommend(user=nora, surface="test").results == []
    client.force_login(sam)
    client.post(reverse("admin:recommender_dismissal_delete", args=[row.pk]), {"post": "yes"})
    assert [result.movie for result in recommend(user=nora, surface="test").results] == [movie]
