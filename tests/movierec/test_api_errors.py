"""The one error shape, whatever raised."""

import pytest
from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError
from django.http import Http404
from django.test import RequestFactory
from rest_framework import exceptions, serializers

from movierec.api import exception_handler, server_error


class TooLate(Exception):
    code = "too_late"
    status = 409


class BadFields(Exception):
    code = "invalid"
    status = 400
    fields = {"title": ["Too long."]}


def test_a_domain_exception_is_shown_by_its_own_code_status_and_message():
    answer = exception_handler(TooLate("The vote has ended."), {})

    assert answer.status_code == 409
    assert answer.data == {"error": {"code": "too_late", "message": "The vote has ended.", "fields": {}}}


def test_a_domain_exception_may_name_fields():
    answer = exception_handler(BadFields("The title is too long."), {})

    assert answer.data["error"]["fields"] == {"title": ["Too long."]}


class OnlyCode(Exception):
    code = "E11000"


@pytest.mark.parametrize("bug", [KeyError("x"), OnlyCode("not of a domain"), OSError(2, "No such file")])
def test_a_bug_is_not_hidden(bug):
    assert exception_handler(bug, {}) is None


def test_validation_errors_name_every_field_also_nested_ones():
    answer = exception_handler(
        serializers.ValidationError({"items": [{}, {"movie": ["Unknown."]}], "k": ["Too big."]}), {}
    )

    assert answer.status_code == 400
    assert answer.data["error"]["code"] == "invalid"
    assert answer.data["error"]["message"] == "items[1].movie: Unknown."
    assert answer.data["error"]["fields"] == {"items[1].movie": ["Unknown."], "k": ["Too big."]}


def test_errors_about_no_field_have_a_name():
    answer = exception_handler(serializers.ValidationError("Wrong altogether."), {})

    assert answer.data["error"] == {
        "code": "invalid",
        "message": "Wrong altogether.",
        "fields": {"non_field_errors": ["Wrong altogether."]},
    }


@pytest.mark.parametrize(
    ("raised", "status", "code"),
    [
        (Http404(), 404, "not_found"),
        (PermissionDenied(), 403, "permission_denied"),
        (exceptions.NotAuthenticated(), 401, "not_authenticated"),
        (exceptions.Throttled(wait=3), 429, "throttled"),
        (exceptions.MethodNotAllowed("PATCH"), 405, "method_not_allowed"),
        (exceptions.ParseError(), 400, "parse_error"),
    ],
)
def test_what_the_framework_raises_has_the_same_shape(raised, status, code):
    answer = exception_handler(raised, {})

    assert answer.status_code == status
    assert answer.data["error"]["code"] == code
    assert answer.data["error"]["message"]
    assert set(answer.data["error"]) == {"code", "message", "fields"}


def test_an_address_below_api_that_is_none_answers_json(client):
    answer = client.get("/api/v1/nothing/")

    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "not_found"


@pytest.mark.parametrize("error", [OperationalError("no connection to 10.0.0.7"), InterfaceError("closed")])
@pytest.mark.parametrize("path", ["/api/v1/movies/", "/"])
def test_a_database_that_is_away_is_no_bug_but_an_outage(rf, error, path):
    try:
        raise error
    except (OperationalError, InterfaceError):
        answer = server_error(rf.get(path))

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert b"database" in answer.content
    assert b"10.0.0.7" not in answer.content


@pytest.mark.parametrize(("path", "said"), [("/movies/", "Back in a moment"), ("/api/v1/movies/", '"unavailable"')])
def test_pages_and_api_say_so_while_it_is_away(client, db, monkeypatch, path, said):
    def refuse(*args: object, **kwargs: object) -> None:
        raise OperationalError("connection refused")

    client.raise_request_exception = False
    with monkeypatch.context() as patched:
        patched.setattr("django.db.backends.utils.CursorWrapper.execute", refuse)
        answer = client.get(path)

    assert answer.status_code == 503
    assert said in answer.content.decode()


def test_a_server_error_below_api_is_json_and_tells_nothing():
    answer = server_error(RequestFactory().get("/api/v1/movies/"))

    assert answer.status_code == 500
    assert b'"server_error"' in answer.content
