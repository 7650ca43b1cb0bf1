"""The theme, and what every page says of itself to other sites."""

import pytest

from tests.factories import MovieFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_theme_is_kept_and_written_into_every_page(client, theme):
    response = client.post("/theme/", {"theme": theme, "next": "/movies/?genre=drama"})

    assert response["Location"] == "/movies/?genre=drama"
    assert f'<html lang="en" data-theme="{theme}">' in client.get("/movies/").content.decode()
    client.post("/theme/", {"theme": "auto"})
    assert '<html lang="en">' in client.get("/movies/").content.decode()


def test_an_unknown_theme_is_refused_with_what_was_expected(client):
    response = client.post("/theme/", {"theme": "<sepia>"})

    assert response.status_code == 400
    assert response.content.decode().startswith("theme: ")
    assert "light, dark, auto" in response.content.decode()
    client.cookies["theme"] = '"><script>'
    assert '<html lang="en">' in client.get("/movies/").content.decode()


def test_a_theme_leads_back_to_this_site_alone(client):
    assert client.post("/theme/", {"theme": "dark", "next": "https://elsewhere.example/"})["Location"] == "/"


@pytest.mark.parametrize(
    ("query", "canonical"), [("?page=2&q=a", "?page=2"), ("?page=1", ""), ("?ordering=newest", ""), ("?page=²", "")]
)
def test_a_canonical_address_has_no_query_but_the_page(client, query, canonical):
    MovieFactory.create_batch(40)

    assert (
        f'rel="canonical" href="http://testserver/movies/{canonical}"'
        in client.get(f"/movies/{query}").content.decode()
    )
