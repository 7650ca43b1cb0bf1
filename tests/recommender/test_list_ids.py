"""A list's id proves who saw the list. Feedback on other users' lists is rejected."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.models import Dismissal, Feedback
from recommender.serving.list_ids import is_list_of, new_list_id
from recommender.serving.lists import impressions
from tests.factories import api_client_of

USERS = st.integers(1, 2**63 - 1)


@given(USERS, USERS)
def test_an_id_is_valid_for_its_user_alone(user, other):
    made = new_list_id(user)

    assert (made.version, made.variant) == (8, uuid.RFC_4122)
    assert is_list_of(made, user)
    assert is_list_of(made, other) == (other == user)
    assert not is_list_of(new_list_id(None), user)


@given(USERS, st.integers(0, 127))
def test_an_id_with_a_bit_changed_is_of_no_list(user, bit):
    assert not is_list_of(uuid.UUID(int=new_list_id(user).int ^ 1 << bit), user)


@given(USERS, st.uuids())
def test_a_made_up_id_is_of_no_list(user, made_up):
    assert not is_list_of(made_up, user)


def test_ids_differ_and_stop_being_valid_with_another_key(settings):
    ids = {new_list_id(7) for _ in range(1000)}
    assert len(ids) == 1000

    settings.SECRET_KEY = "another"
    assert not any(is_list_of(made, 7) for made in ids)


@pytest.mark.django_db
def test_feedback_on_a_list_not_shown_to_its_user_is_refused(train, camps, fan, nora):
    """Neither another person's list, nor one that does not exist, nor a movie that was not in it."""
    train()
    shown = api_client_of(fan).get("/api/v1/recommendations/?k=5").json()
    listed = [result["movie"]["id"] for result in shown["results"]]
    given = {"kind": "not_interested", "movie": listed[0], "request_id": shown["request_id"]}

    def is_refused(user, **changes) -> bool:
        answer = api_client_of(user).post("/api/v1/feedback/", given | changes, format="json")
        error = answer.json().get("error", {})
        return (answer.status_code, error.get("code"), [*error.get("fields", "")]) == (
            404,
            "list_not_shown",
            ["request_id"],
        )

    assert is_refused(nora)
    impressions.flush()
    assert is_refused(nora)
    assert is_refused(fan, request_id=str(uuid.uuid4()))
    assert is_refused(fan, movie=next(movie.pk for movie in camps["Romance"] if movie.pk not in listed))
    assert not Feedback.objects.exists()
    assert not Dismissal.objects.exists()
    assert not is_refused(fan)


@pytest.mark.django_db
def test_feedback_comes_before_its_impression_is_written(train, fan):
    """The list may have been made by another process, which has not written it yet."""
    train()
    client = api_client_of(fan)
    shown = client.get("/api/v1/recommendations/?k=5").json()
    impressions.clear()
    given = {"kind": "click", "movie": shown["results"][0]["movie"]["id"], "request_id": shown["request_id"]}

    assert client.post("/api/v1/feedback/", given, format="json").status_code == 201
