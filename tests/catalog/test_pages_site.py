"""The theme, the web app, and metadata for other sites."""

import re
import struct
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders

from catalog.views.site import MovieSitemap
from tests.factories import GenreFactory, MovieFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_theme_is_kept_and_written_into_every_page(client, theme):
    response = client.post("/theme/", {"theme": theme, "next": "/movies/?genre=drama"})

    assert response["Location"] == "/movies/?genre=drama"
    assert f'<html lang="en" data-theme="{theme}">' in client.get("/movies/").content.decode()
    client.post("/theme/", {"theme": "auto"})
    assert '<html lang="en">' in client.get("/movies/").content.decode()


@pytest.mark.wording
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


@pytest.mark.parametrize("path", ["//elsewhere.example/x", "//[", "//a]b/"])
def test_a_path_as_another_host_is_a_missing_page_here(client, path):
    page = client.generic("GET", "/", PATH_INFO=path)

    assert page.status_code == 404
    assert 'rel="canonical" href="http://testserver//' in page.content.decode()


def test_the_site_can_be_installed(client):
    assert '<link rel="manifest" href="/manifest.webmanifest">' in client.get("/movies/").content.decode()
    response = client.get("/manifest.webmanifest")
    manifest = response.json()

    assert response["Content-Type"] == "application/manifest+json"
    assert manifest["start_url"] == manifest["scope"] == "/"
    for icon in manifest["icons"]:
        header = Path(finders.find(icon["src"].removeprefix("/static/"))).read_bytes()[:24]
        width, height = struct.unpack(">8x8xII", header)
        assert f"{width}x{height}" == icon["sizes"]


def test_the_service_worker_keeps_nothing_personal(client, bob):
    client.force_login(bob)
    worker = client.get("/sw.js")
    kept = re.search(r"KEPT = \[(.*?)\]", worker.content.decode()).group(1)

    assert worker["Content-Type"].startswith("text/javascript")
    assert "no-cache" in worker["Cache-Control"]
    assert {address.split("/")[1] for address in re.findall(r'"(.*?)"', kept)} == {"static"}
    assert '"/offline/"' in worker.content.decode()
    page = client.get("/offline/").content.decode()
    assert bob.username not in page
    sheets = re.findall(r'<link rel="stylesheet" href="([^"]+)"', page)
    assert sheets
    assert all(f'"{sheet}"' in worker.content.decode() for sheet in sheets)


def test_search_engines_find_all_movies_and_genres(client):
    movie, genre = MovieFactory(), GenreFactory()
    robots = client.get("/robots.txt").content.decode()

    assert "Disallow: /admin/\n" in robots
    assert "Sitemap: http://testserver/sitemap.xml\n" in robots
    sections = re.findall("<loc>(.*?)</loc>", client.get("/sitemap.xml").content.decode())
    assert len(sections) == 3
    found = "".join(client.get(section.removeprefix("http://testserver")).content.decode() for section in sections)
    for address in ("/", "/movies/", movie.get_absolute_url(), genre.get_absolute_url()):
        assert f"<loc>http://testserver{address}</loc>" in found


def test_a_sitemap_of_many_movies_is_bounded(client, monkeypatch, django_assert_max_num_queries):
    monkeypatch.setattr(MovieSitemap, "MOST", 4)
    monkeypatch.setattr(MovieSitemap, "limit", 3)
    MovieFactory.create_batch(6)

    with django_assert_max_num_queries(4):
        index = client.get("/sitemap.xml").content.decode()
    with django_assert_max_num_queries(2):
        second = client.get("/sitemap-movies.xml?p=2").content.decode()
    assert re.findall(r"sitemap-movies.xml\??[^<]*", index) == ["sitemap-movies.xml", "sitemap-movies.xml?p=2"]
    assert second.count("<loc>") == 1


def test_a_sitemap_is_made_once_an_hour(client, django_assert_num_queries):
    movie = MovieFactory()
    first = client.get("/sitemap-movies.xml")
    MovieFactory()

    with django_assert_num_queries(0):
        second = client.get("/sitemap-movies.xml?p=001")
    assert second.content == first.content and movie.get_absolute_url().encode() in first.content
    assert second["Last-Modified"] == first["Last-Modified"]
    assert "max-age=3600" in second["Cache-Control"]


@pytest.mark.parametrize("address", ["movies.xml?p=0", "movies.xml?p=2", "movies.xml?p=x", "movies.xml?p=", "x.xml"])
def test_there_are_no_other_sitemaps(client, address):
    MovieFactory()
    assert client.get(f"/sitemap-{address}").status_code == 404
