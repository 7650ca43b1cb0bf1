"""Tests that a key works only while it is valid."""

from datetime import timedelta

import pytest
from django.utils import timezone

from catalog.api.authentication import KeyAuthentication
from catalog.keys import create_key, revoke_keys
from catalog.models import APIKey, User
from catalog.models.api_key import hash_of
from movierec.api_keys import uses
from tests.factories import UserFactory, key_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann() -> User:
    return UserFactory(username="ann", first_name="Ann")


def status(api, key: str, scheme: str = "Token") -> tuple[int, str]:
    api.credentials(HTTP_AUTHORIZATION=f"{scheme} {key}")
    response = api.get("/api/v1/ratings/")
    return response.status_code, response.json().get("error", {}).get("code", "")


def delete(user: User) -> None:
    revoke_keys(user)


def rotate(user: User) -> None:
    revoke_keys(user)
    create_key(user=user, name="next", scopes=["read"])


def change_password(user: User) -> None:
    user.set_password("another long password")
    user.save()


def deactivate(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)


def remove(user: User) -> None:
    user.delete()


def expire(user: User) -> None:
    user.api_keys.update(expires_at=timezone.now())


@pytest.mark.parametrize("revoke", [delete, rotate, change_password, deactivate, remove, expire])
def test_a_revoked_key_never_answers_again(api, ann, revoke):
    key = key_of(ann)
    assert status(api, key) == (200, "")
    revoke(ann)
    assert status(api, key) == (401, "authentication_failed")


@pytest.mark.parametrize("scheme", ["Token", "Bearer", "bearer", "TOKEN"])
def test_a_key_is_sent_by_either_scheme(api, ann, scheme):
    assert status(api, key_of(ann, expires_at=timezone.now() + timedelta(hours=1)), scheme) == (200, "")


@pytest.mark.parametrize("header", ["Token", "Token ", "Bearer a b", "Token é", "Token \udcff", f"Token {'a' * 5000}"])
def test_what_is_no_key_is_refused(api, ann, header):
    api.credentials(HTTP_AUTHORIZATION=header)
    answer = api.get("/api/v1/ratings/")
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Token")


def test_the_database_holds_only_the_hash(ann):
    made = create_key(user=ann, name="mine", scopes=["read"])
    row = APIKey.objects.values().get()
    assert row["hash"] == hash_of(made.key)
    assert [name for name, value in row.items() if str(value) != "" and made.key in str(value)] == []
    assert made.key.startswith(row["prefix"]) and len(made.key) > len(row["prefix"]) + 32


def test_one_query_tells_who_asks(ann, django_assert_num_queries):
    key = key_of(ann)
    ann.refresh_from_db()
    with django_assert_num_queries(1):
        user, row = KeyAuthentication().authenticate_key(key)
    fields = [field.attname for field in User._meta.concrete_fields]
    assert [getattr(user, name) for name in fields] == [getattr(ann, name) for name in fields]
    assert (row, row.user, row._state.adding) == (ann.api_keys.get(), ann, False)


def test_the_last_use_is_written_once_a_minute(api, ann, django_assert_num_queries):
    key = key_of(ann)
    for _ in range(3):
        status(api, key)
    assert len(uses) == 1
    with django_assert_num_queries(1):
        uses.flush()
    first = ann.api_keys.get().last_used_at
    assert timezone.now() - first < timedelta(minutes=1)
    status(api, key)
    assert len(uses) == 0
    ann.api_keys.update(last_used_at=first - timedelta(seconds=61))
    status(api, key)
    uses.flush()
    assert ann.api_keys.get().last_used_at > first
