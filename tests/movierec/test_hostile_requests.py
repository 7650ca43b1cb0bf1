"""No request to any API endpoint causes a 500, and every error has the common format."""

import json
import re
from http import HTTPStatus

import pytest
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from tests.factories import key_of

TEXTS = ["%", "%s", "%(x)s", "\0", "1e400", "NaN", "-1", "9" * 30, "9" * 5000, "{}", "'", "\N{FULLWIDTH DIGIT ONE}"]
NUMBERS = ["1e400", "-1e400", "9" * 30, "9" * 5000, "1.5", "NaN", "true", "null", "[]", "{}", r'"\ud800"', r'"\u0000"']
BODIES = [b"[" * 100_000 + b"]" * 100_000, b"", b"1", b"null", b"[1]", b'"x"', b"\xff\xfe", b'{"a"', b" " * 3_000_000]
DOCUMENT = SchemaGenerator().get_schema(request=None, public=True)
OPERATIONS = [
    (method, path, operation)
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
]
METHODS = ["get", "head", "post", "put", "patch", "delete", "options", "trace"]


@pytest.fixture
def staff(db, django_user_model):
    user = django_user_model.objects.create_user("ada", is_staff=True, is_superuser=True)
    return Client(raise_request_exception=False, headers={"Authorization": f"Token {key_of(user)}"})


@pytest.fixture(autouse=True)
def no_limits(settings, monkeypatch):
    monkeypatch.setattr("rest_framework.throttling.SimpleRateThrottle.allow_request", lambda *args: True)


def check(answer, what):
    assert answer.status_code < HTTPStatus.INTERNAL_SERVER_ERROR, what
    if answer.status_code >= HTTPStatus.BAD_REQUEST and answer.request["REQUEST_METHOD"] != "HEAD":
        assert answer.headers["Content-Type"].startswith("application/json"), what
        assert answer.json()["error"].keys() == {"code", "message", "fields"}, what
        assert answer.json()["error"]["message"], what
    return answer


def fields_of(operation):
    """Names in the schemas of the operation's body."""
    schemas = re.findall(r"schemas/(\w+)", json.dumps(operation["requestBody"]))
    return [name for schema in schemas for name in DOCUMENT["components"]["schemas"][schema]["properties"]]


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS, ids=lambda value: str(value)[:60])
def test_no_endpoint_breaks(staff, method, path, operation):
    address = re.sub(r"{\w+}", "1", path)
    for sent in ({"query_params": {"format": "xml"}}, {"headers": {"Host": "evil.example"}}):
        assert str(check(staff.generic(method.upper(), address, **sent), sent).status_code) in operation["responses"]
    for text in TEXTS:
        for parameter in operation.get("parameters", []):
            if parameter["in"] == "query":
                check(staff.generic(method.upper(), address, query_params={parameter["name"]: text}), (parameter, text))
        if "{" in path and text.isalnum():
            check(staff.generic(method.upper(), re.sub(r"{\w+}", text, path)), text)
    if "requestBody" in operation:
        kind = next(iter(operation["requestBody"]["content"]))
        for body in BODIES:
            check(staff.generic(method.upper(), address, body, kind), (kind, body[:40]))
        for name in fields_of(operation):
            for value in NUMBERS:
                check(staff.generic(method.upper(), address, f'{{"{name}": {value}}}', kind), (name, value))


@pytest.mark.parametrize("path", ["/api/nothing", "/api/v1/nothing/", "/api/docs/", "/api/schema/", "/api/v1/movies/"])
@pytest.mark.parametrize("method", METHODS)
def test_every_method_at_every_kind_of_address_has_the_shape(staff, method, path):
    check(staff.generic(method.upper(), path, "{}", "application/json"), (method, path))


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        ({"path": "/api/v1/movies/", "headers": {"Host": "evil.example"}}, 400, "parse_error"),
        ({"path": "/api/v1/movies/", "headers": {"Accept": "text/csv"}}, 406, "not_acceptable"),
        ({"path": "/api/schema/?format=x"}, 404, "not_found"),
        ({"path": "/api/docs/", "method": "OPTIONS"}, 405, "method_not_allowed"),
        ({"path": "/api/v1/nothing/", "method": "POST", "data": "{}"}, 404, "not_found"),
        ({"path": "/api/v1/ratings/", "method": "POST", "data": " " * 3_000_000}, 413, "too_large"),
        ({"path": "/api/v1/ratings/", "method": "POST", "data": "[" * 65 + "]" * 65}, 400, "parse_error"),
    ],
    ids=lambda value: str(value)[:50],
)
def test_errors_of_every_layer_have_the_shape(staff, sent, status, code):
    staff.handler.enforce_csrf_checks = True
    answer = staff.generic(sent.pop("method", "GET"), **sent, content_type="application/json")

    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert int(answer.headers["Content-Length"]) == len(answer.content)


@pytest.mark.parametrize("number", ["1e400", "1.5", "true", '"9e9"', "9" * 5000])
def test_an_id_that_no_row_can_have_is_named(staff, number):
    answer = staff.post("/api/v1/feedback/", f'{{"kind": "click", "movie": {number}}}', content_type="application/json")

    assert answer.status_code == 400
    assert list(answer.json()["error"]["fields"]) == ["movie"]


def test_a_number_beyond_floats_is_no_text(client, db):
    body = '{"username": "sam", "password": 1e400}'

    answer = client.post("/api/v1/token/", body, content_type="application/json")

    assert answer.status_code == 400
    assert list(answer.json()["error"]["fields"]) == ["password"]


@pytest.mark.parametrize("parameter", ["genre", "keyword"])
def test_a_filter_names_the_value_with_its_sign(client, db, parameter):
    answer = client.get("/api/v1/movies/", query_params={parameter: "100 %"})

    assert answer.status_code == 404
    assert "“100 %”" in answer.json()["error"]["message"]


def test_a_filter_by_id_takes_no_sign(client, db):
    answer = client.get("/api/v1/movies/", query_params={"person": "100 %"})

    assert answer.status_code == 400
    assert list(answer.json()["error"]["fields"]) == ["person"]


def test_an_address_with_a_number_beyond_64_bits_is_unknown(client, db):
    assert client.get(f"/movies/{'9' * 30}/").status_code == 404
