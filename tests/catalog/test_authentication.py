"""A token answers as long as it is valid, and not once after."""

import pytest
from rest_framework.authtoken.models import Token

from catalog.api.authentication import TokenAuthentication
from catalog.models import User
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann() -> User:
    return UserFactory(username="ann", first_name="Ann")


def status(api, key: str) -> tuple[int, str]:
    api.credentials(HTTP_AUTHORIZATION=f"Token {key}")
    response = api.get("/api/v1/ratings/")
    return response.status_code, response.json().get("error", {}).get("code", "")


def delete(user: User) -> None:
    Token.objects.filter(user=user).delete()


def rotate(user: User) -> None:
    delete(user)
    Token.objects.create(user=user)


def change_password(user: User) -> None:
    user.set_password("another long password")
    user.save()


def deactivate(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)


def remove(user: User) -> None:
    user.delete()


@pytest.mark.parametrize("revoke", [delete, rotate, change_password, deactivate, remove])
def test_a_revoked_token_never_answers_again(api, ann, revoke):
    key = Token.objects.create(user=ann).key
    assert status(api, key) == (200, "")
    revoke(ann)
    assert status(api, key) == (401, "authentication_failed")


def test_one_query_tells_who_asks(ann, django_assert_num_queries):
    key = Token.objects.create(user=ann).key
    ann.refresh_from_db()
    with django_assert_num_queries(1):
        user, token = TokenAuthentication().authenticate_credentials(key)
    fields = [field.attname for field in User._meta.concrete_fields]
    assert [getattr(user, name) for name in fields] == [getattr(ann, name) for name in fields]
    assert (token.key, token.user, token._state.adding) == (key, ann, False)
