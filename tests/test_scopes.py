"""Every API endpoint declares the scopes that it accepts, and rejects keys without them."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import URLPattern, get_resolver
from drf_spectacular.generators import SchemaGenerator
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from catalog.api.authentication import KeyAuthentication
from catalog.api.scopes import Scopes
from catalog.models import Scope
from tests.factories import key_of

pytestmark = pytest.mark.django_db


def routes(patterns: list[Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for pattern in patterns:
        address = above + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield address, pattern.callback
        else:
            yield from routes(pattern.url_patterns, address)


def test_every_endpoint_says_which_scope_it_needs():
    found = {
        address: view.cls(**view.initkwargs)
        for address, view in routes(get_resolver().url_patterns)
        if hasattr(view, "cls")
    }
    silent = [
        address
        for address, view in found.items()
        if view.authentication_classes and not isinstance(getattr(view, "scopes", None), Scopes)
    ]

    assert len(found) > 30
    assert {address for address in found if not address.startswith("api/v1/")} == {"api/schema/", "api/docs/"}
    assert silent == []


def operations() -> Iterator[tuple[str, str, list[str]]]:
    document = SchemaGenerator().get_schema(request=None, public=True)
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if "tokenAuth" in str(operation.get("security", [])):
                yield method, re.sub("{.*?}", "1", path), operation["x-scopes"]
                assert f"`{operation['x-scopes'][0]}`" in operation["description"]
                assert "403" in operation["responses"]
            else:
                assert "x-scopes" not in operation


def test_a_key_without_the_scope_is_told_which_it_needs(api, sam):
    keys = {scope: key_of(sam, scope) for scope in Scope.values}
    called = list(operations())

    assert len(called) > 45
    for method, path, scopes in called:
        assert scopes, (method, path)
        for scope, key in keys.items():
            answer = getattr(api, method)(path, headers={"Authorization": f"Bearer {key}"})
            error = answer.json().get("error", {}) if scope not in scopes else {"code": "", "message": ""}
            assert (error["code"] == "missing_scope") == (scope not in scopes), (method, path, scope)
            assert all(needed in error["message"] for needed in scopes if scope not in scopes), error
            assert scope in scopes or answer.status_code == 403


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("get", "/api/v1/ratings/", Scope.READ),
        ("post", "/api/v1/ratings/", Scope.RATE),
        ("post", "/api/v1/feedback/", Scope.RATE),
        ("get", "/api/v1/movies/", Scope.READ),
        ("delete", "/api/v1/lists/1/", Scope.RATE),
        ("post", "/api/v1/import/", Scope.RATE),
        ("get", "/api/v1/models/", Scope.READ),
        ("post", "/api/v1/runs/", Scope.MODELS),
        ("post", "/api/v1/bulk/movies/", Scope.BULK),
    ],
)
def test_scopes_mean_what_the_guide_says(method, path, scope):
    found = {(how, where): scopes for how, where, scopes in operations()}

    assert found[method, path] == [scope]


def test_a_session_needs_no_scope(client, nora):
    client.force_login(nora)

    assert client.get("/api/v1/ratings/").status_code == 200


def test_documents_are_open_to_any_key(api):
    for address in ("/api/schema/?format=json", "/api/docs/"):
        assert api.get(address, headers={"Authorization": "Token nonsense"}).status_code == 200


def test_a_view_that_says_nothing_takes_no_key(nora):
    """A view without declared scopes rejects keys instead of accepting them."""

    given = APIRequestFactory().get("/", headers={"Authorization": f"Token {key_of(nora)}"})
    request = Request(given, parser_context={"view": APIView()})
    with pytest.raises(AttributeError, match="scopes"):
        KeyAuthentication().authenticate(request)
