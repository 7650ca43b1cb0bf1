"""The OpenAPI document is generated from the code without warnings."""

import re
import sys

import pytest
import yaml
from django.core.management import call_command
from drf_spectacular.generators import SchemaGenerator

from movierec.openapi import NO_TEXT_WITH_NUL
from tests.factories import UserFactory

MISTYPED = {"string": 7, "integer": "7", "number": "4.5", "boolean": 0, "array": "7"}


@pytest.fixture(scope="module")
def document():
    return SchemaGenerator().get_schema(request=None, public=True)


@pytest.fixture(scope="module")
def operations(document):
    """Returns method, path and operation, keyed by the operation's id."""
    return {
        operation["operationId"]: (method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def properties_of_body(document, operation):
    def resolved(schema):
        schema = next((schema[key] for key in ("allOf", "oneOf", "anyOf") if key in schema), [schema])[0]
        return document["components"]["schemas"][schema["$ref"].split("/")[-1]] if "$ref" in schema else schema

    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    properties = resolved(content["schema"])["properties"] if content else {}
    return {name: resolved(schema) for name, schema in properties.items()}


def accepted(answer, name):
    return answer.status_code != 400 or name not in answer.json()["error"]["fields"]


def test_a_value_of_another_type_is_refused_by_every_body(api, sam, document, operations):
    api.force_authenticate(sam)
    sent = [
        (name, getattr(api, method)(re.sub("{.*?}", "1", path), {name: MISTYPED[schema["type"]]}, format="json"))
        for method, path, operation in operations.values()
        for name, schema in properties_of_body(document, operation).items()
    ]

    assert len(sent) > 15
    assert [answer.request for name, answer in sent if accepted(answer, name)] == []


def test_a_blank_or_repeated_parameter_is_refused_by_every_query(api, sam, operations):
    api.force_authenticate(sam)
    sent = [
        (parameter["name"], api.get(f"{path}?{form.format(parameter['name'])}"))
        for method, path, operation in operations.values()
        for parameter in operation.get("parameters", ())
        if parameter["in"] == "query" and "{" not in path
        if parameter["schema"].get("type") in ("integer", "number", "boolean")
        for form in ("{0}=", "{0}=1&{0}=1", "{0}=null", "{0}=%2B1")
    ]

    assert len(sent) > 60
    assert [answer.request for name, answer in sent if accepted(answer, name)] == []


def test_a_text_of_white_space_is_taken_by_every_query(api, db, operations):
    api.force_authenticate(UserFactory(is_staff=True))
    sent = [
        (parameter["name"], api.get(path, {parameter["name"]: text}))
        for method, path, operation in operations.values()
        for parameter in operation.get("parameters", ())
        if parameter["in"] == "query" and "{" not in path
        if (schema := parameter["schema"].get("items", parameter["schema"])).get("type") == "string"
        if "enum" not in schema and schema.get("pattern", NO_TEXT_WITH_NUL) == NO_TEXT_WITH_NUL
        for text in (" ", "\x1f", "\u3000")
    ]

    assert len(sent) > 10
    assert [answer.request for name, answer in sent if answer.status_code not in (200, 404)] == []


def test_a_reason_is_blank_for_the_document_as_for_the_service(document):
    blank = document["components"]["schemas"]["PromoteRequest"]["not"]["properties"]["reason"]["pattern"]
    texts = map(chr, range(sys.maxunicode + 1))

    assert [text for text in texts if bool(re.search(blank, text)) != (text.strip() == "")] == []


def test_every_operation_names_its_errors(operations):
    statuses = {}
    for name, (_, _, operation) in operations.items():
        statuses[name] = errors = {status for status in operation["responses"] if status >= "400"}
        assert {"400", "405", "406", "503"} <= errors
        assert ({"413", "415"} <= errors) == ("requestBody" in operation)

    assert statuses["token_create"] == {"400", "401", "403", "405", "406", "413", "415", "429", "503"}
    assert statuses["models_retrieve"] == {"400", "401", "403", "404", "405", "406", "429", "503"}
    assert {"403", "404", "409"} < statuses["import_commit_create"]
    assert statuses["feeds_watchlist_ics"] == {"400", "404", "405", "406", "429", "503"}


def test_every_link_leads_to_an_operation_that_takes_its_values(document, operations):
    links = [
        link
        for _, _, operation in operations.values()
        for answer in operation["responses"].values()
        for link in answer.get("links", {}).values()
    ]

    assert len(links) > 20
    for link in links:
        _, _, target = operations[link["operationId"]]
        takes = {found["name"] for found in target.get("parameters", ())}
        assert link.get("parameters", {}).keys() <= takes
        assert isinstance(link.get("requestBody", ""), str)  # otherwise openapi-generator rejects the document


def test_the_document_is_valid_and_without_warnings(tmp_path, capsys):
    file = tmp_path / "schema.yaml"

    call_command("spectacular", validate=True, fail_on_warn=True, file=str(file))

    document = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert document["openapi"].startswith("3.")
    assert "Warning" not in capsys.readouterr().err


def test_the_fixed_surface_is_in_it(tmp_path):
    file = tmp_path / "schema.yaml"
    call_command("spectacular", file=str(file))
    paths = yaml.safe_load(file.read_text(encoding="utf-8"))["paths"]
    surface = {
        f"{method.upper()} {re.sub(r'{[^}]+}', '{}', path).removeprefix('/api/v1/')}"
        for path, operations in paths.items()
        for method in operations
        if method in ("get", "post", "put", "patch", "delete")
    }

    assert surface >= {
        "POST accounts/",
        "POST token/",
        "GET movies/",
        "GET movies/{}/",
        "GET movies/{}/similar/",
        *(f"GET feeds/{{}}/{name}" for name in ("watchlist.json", "watchlist.rss", "watchlist.ics")),
        *(f"GET feeds/{{}}/{name}.{form}" for name in ("recommendations", "new") for form in ("json", "rss")),
        "GET feeds/{}/because-you-watched.json",
        "GET ratings/",
        "POST ratings/",
        "GET ratings/{}/",
        "PUT ratings/{}/",
        "DELETE ratings/{}/",
        "GET diary/",
        "POST diary/",
        "PATCH diary/{}/",
        "DELETE diary/{}/",
        "GET lists/",
        "POST lists/",
        "GET lists/{}/",
        "PATCH lists/{}/",
        "DELETE lists/{}/",
        "PUT lists/{}/movies/{}/",
        "DELETE lists/{}/movies/{}/",
        "GET watchlist/",
        "GET watchlist/{}/",
        "PUT watchlist/{}/",
        "DELETE watchlist/{}/",
        "POST import/",
        "GET import/{}/",
        "DELETE import/{}/",
        "POST import/{}/commit/",
        "GET recommendations/",
        "GET recommendations/new/",
        "POST recommend",
        "POST recommend_new_movies",
        "POST feedback/",
        "GET models/",
        "GET models/{}/",
        "POST models/{}/promote/",
        "POST models/rollback/",
        "GET runs/",
    }


def test_the_documentation_page_loads_nothing_from_elsewhere(client, db):
    answer = client.get("/api/docs/")

    assert answer.status_code == 200
    assert re.findall(rb"https?://(?!localhost)[\w.]+", answer.content) == []
