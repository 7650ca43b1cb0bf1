"""A site below a path of its domain (BASE_PATH), in a browser."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from catalog.models import Movie, Rating, User
from tests.processes import site
from tests.slow.conftest import TIMEOUT

pytestmark = [pytest.mark.slow, pytest.mark.once, pytest.mark.django_db(transaction=True)]

BASE = "/movies"  # the hardest: the site has pages of this name
PASSWORD = "correct horse battery"


@pytest.fixture
def address(rated_site, static_root, tmp_path) -> Iterator[str]:
    with site(log=tmp_path / "web.log", BASE_PATH=BASE, STATIC_ROOT=static_root, CONFIG_FILE=str(rated_site)) as found:
        yield found


@pytest.fixture
def page(chromium, address) -> Iterator[Page]:
    """Fails on any error of a script, and on any request that leaves the path."""
    problems = []
    context = chromium.new_context(base_url=address)
    context.set_default_timeout(TIMEOUT)
    opened = context.new_page()
    opened.on("pageerror", lambda error: problems.append(str(error)))
    opened.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
    opened.on("request", lambda made: None if made.url.startswith(f"{address}{BASE}/") else problems.append(made.url))
    yield opened
    context.close()
    assert problems == []


def test_people_sign_in_and_rate_below_the_path(page, address, settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]  # as the site's
    person = User.objects.create_user("ada", password=PASSWORD)
    movie = Movie.objects.order_by("pk").first()

    page.goto(f"{BASE}/movies/")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.get_by_role("link", name="Sign in").first.click()
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.locator("form").get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(f"{address}{BASE}/")
    assert {(row["name"], row["path"]) for row in page.context.cookies()} >= {("sessionid", f"{BASE}/")}
    assert {row["path"] for row in page.context.cookies()} == {f"{BASE}/"}

    page.goto(f"{BASE}{movie.get_absolute_url()}")
    with page.expect_response(lambda answer: answer.request.method == "POST") as sent:
        page.get_by_label(f"Your rating of {movie.title}", exact=True).fill("4")
    assert sent.value.ok
    page.reload()
    assert Rating.objects.filter(user=person, movie=movie).exists()

    page.get_by_role("link", name="Movierec").first.click()
    expect(page).to_have_url(f"{address}{BASE}/")
    expect(page.locator("h1, h2").first).to_be_visible()


def get(address: str, **options: Any) -> httpx.Response:
    return httpx.get(address, timeout=60, **options)


def test_the_api_says_the_path_and_probes_have_none(address):
    schema = get(f"{address}{BASE}/api/schema/", params={"format": "json"}).json()
    movies = get(f"{address}{BASE}/api/v1/movies/", params={"page_size": 1}).json()
    admin = get(f"{address}{BASE}/admin/")

    assert schema["servers"] == [{"url": BASE}] and "/api/v1/movies/" in schema["paths"]
    assert movies["next"].startswith(f"{address}{BASE}/api/v1/movies/?")
    assert admin.headers["location"] == f"{BASE}/admin/login/?next={BASE}/admin/"
    assert get(f"{address}{BASE}/api/v1/nothing/").json()["error"]["code"] == "not_found"

    # Probes are at the root, and nothing else is.
    found = {path: get(address + path).status_code for path in ("/healthz", "/readyz", "/metrics", "/", "/moviesx/")}

    assert found == {"/healthz": 200, "/readyz": 200, "/metrics": 401, "/": 404, "/moviesx/": 404}
    assert get(f"{address}{BASE}", follow_redirects=True).status_code == 200
