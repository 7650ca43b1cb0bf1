"""The OpenAPI document is generated from the code; whatever it cannot describe is an error."""

import re

import yaml
from django.core.management import call_command


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
        if method in ("get", "post", "put", "delete")
    }

    assert surface >= {
        "POST accounts/",
        "POST token/",
        "GET movies/",
        "GET movies/{}/",
        "GET movies/{}/similar/",
        "GET ratings/",
        "POST ratings/",
        "GET ratings/{}/",
        "PUT ratings/{}/",
        "DELETE ratings/{}/",
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
