"""All errors have the same format and documented codes."""

import re

import pytest
from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError
from django.http import Http404, QueryDict
from django.test import RequestFactory
from drf_spectacular.generators import SchemaGenerator
from rest_framework import exceptions, serializers

from catalog.api.inputs import QuerySerializer, read
from catalog.errors import CatalogError, DomainError, InvalidRating
from mlops.errors import MLOpsError, NotPromotable
from movierec.api import OWN_ERRORS, error_codes, exception_handler, server_error
from recommender.errors import RecommenderError
from tests.processes import ROOT


def kinds(base):
    return [base, *(kind for child in base.__subclasses__() for kind in kinds(child))]


DOMAIN = [kind for base in (CatalogError, RecommenderError, MLOpsError) for kind in kinds(base)]


@pytest.mark.parametrize("kind", DOMAIN, ids=lambda kind: kind.__name__)
def test_every_domain_error_is_answered_with_its_code(kind):
    raised = kind.__new__(kind)
    DomainError.__init__(raised)

    answer = exception_handler(raised, {})

    assert answer.status_code == kind.status
    assert answer.data["error"] == {"code": kind.code, "message": str(kind.text), "fields": {}}
    assert kind.code in error_codes()


def test_a_status_and_a_sentence_belong_to_each_code():
    codes = error_codes()

    assert {kind.code for kind in DOMAIN} | OWN_ERRORS.keys() < codes.keys()
    assert all(sentence.strip() for sentence in codes.values())
    for code in {kind.code for kind in DOMAIN}:
        assert len({kind.status for kind in DOMAIN if kind.code == code}) == 1, code


def test_every_code_is_in_the_documentation():
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")

    assert set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)) == set(error_codes())


def test_every_code_is_in_the_openapi_document():
    document = SchemaGenerator().get_schema(request=None, public=True)
    shape = document["components"]["schemas"]["Error"]["properties"]["error"]

    assert shape["properties"]["code"]["enum"] == list(error_codes())
    assert all(f"`{code}`" in document["info"]["description"] for code in error_codes())
    for answer in document["components"]["responses"].values():
        assert answer["content"]["application/json"]["schema"]["$ref"] == "#/components/schemas/Error"


def test_an_error_of_the_domain_has_a_sentence_of_its_own():
    answer = exception_handler(NotPromotable("Version 7 is already the champion."), {})

    assert answer.data["error"]["message"] == "Version 7 is already the champion."


def test_an_error_of_the_domain_may_name_fields():
    answer = exception_handler(InvalidRating("Too high.", fields={"rating": ["At most 5."]}), {})

    assert answer.data["error"]["fields"] == {"rating": ["At most 5."]}


class OnlyCode(Exception):
    code = "E11000"
    status = 400


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


@pytest.mark.parametrize("kind", kinds(QuerySerializer), ids=lambda kind: kind.__name__)
def test_parameters_given_twice_are_accepted_or_named(kind):
    names = [name for name, field in kind().fields.items() if not field.read_only]
    try:
        read(kind, QueryDict("&".join(f"{name}=a&{name}=b" for name in names)))
    except serializers.ValidationError as error:
        assert set(error.detail) <= set(names)


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


def test_an_unknown_api_address_answers_json(client):
    answer = client.get("/api/v1/nothing/")

    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "not_found"


@pytest.mark.parametrize("error", [OperationalError("no connection to 10.0.0.7"), InterfaceError("closed")])
@pytest.mark.parametrize("path", ["/api/v1/movies/", "/"])
@pytest.mark.wording
def test_an_unreachable_database_is_a_503(rf, error, path):
    try:
        raise error
    except (OperationalError, InterfaceError):
        answer = server_error(rf.get(path))

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert b"database" in answer.content
    assert b"10.0.0.7" not in answer.content


@pytest.mark.wording
@pytest.mark.parametrize(
    ("path", "said"),
    [("/", "Temporarily unavailable"), ("/movies/", "Temporarily unavailable"), ("/api/v1/movies/", '"unavailable"')],
)
def test_pages_and_api_answer_503_meanwhile(client, db, monkeypatch, path, said):
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
