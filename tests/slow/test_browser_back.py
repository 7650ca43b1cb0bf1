"""Going back in a browser restores the page, unless it belongs to another account or has changed."""

import pytest
from playwright.sync_api import Page, expect

from catalog.models import User
from tests.factories import MovieFactory, UserFactory
from tests.slow.pages import sign_in

pytestmark = [
    pytest.mark.slow,
    pytest.mark.once,
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    # Playwright turns the cache off that this is about.
    pytest.mark.parametrize("chromium", [["--disable-back-forward-cache"]], indirect=True),
]

PERSISTED = "addEventListener('pageshow', (event) => { window.fromCache = event.persisted })"


@pytest.fixture
def ada(db) -> User:
    return UserFactory(username="ada")


def back(page: Page) -> None:
    page.evaluate("setTimeout(() => history.back())")


def test_back_shows_the_page_as_it_was_left(visit, ada):
    MovieFactory()
    page = visit()
    sign_in(page, "ada", arrive="/diary/")
    page.goto("/movies/")
    page.evaluate(PERSISTED)
    page.goto("/lists/")
    back(page)
    page.wait_for_function("window.fromCache")
    assert page.url.endswith("/movies/")
    expect(page.locator("h1")).to_be_visible()


@pytest.mark.parametrize("javascript", [True, False])
def test_after_signing_out_no_page_comes_back(visit, ada, javascript):
    page = visit(javascript=javascript)
    sign_in(page, "ada", arrive="/diary/")
    page.locator("details.menu summary", has_text="ada").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("link", name="Sign in").first).to_be_visible()
    if javascript:
        back(page)
    else:
        page.go_back(wait_until="commit")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(page.get_by_text("ada", exact=True)).to_have_count(0)


def test_in_another_tab_it_does_not_come_back_either(visit, ada):
    page = visit()
    sign_in(page, "ada", arrive="/diary/")
    page.goto("/movies/")
    other = page.context.new_page()
    other.goto("/")
    other.locator("details.menu summary", has_text="ada").click()
    other.get_by_role("button", name="Sign out").click()
    expect(other.get_by_role("link", name="Sign in").first).to_be_visible()
    back(page)
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_after_a_rating_the_page_is_loaded_again_at_its_place(visit, ada):
    movie = MovieFactory(title="Heat", year=1995)
    MovieFactory.create_batch(30)
    page = visit()
    sign_in(page, "ada", arrive="/diary/")
    page.goto("/movies/")
    page.evaluate("window.old = true; window.scrollTo({top: 900, behavior: 'instant'})")
    page.goto(movie.get_absolute_url())
    page.locator("#rating-" + str(movie.pk)).get_by_role("slider").fill("4")
    page.locator("#rating-" + str(movie.pk)).get_by_role("slider").press("Enter")
    expect(page.locator(".rating-form")).to_contain_text("4")
    page.wait_for_function("localStorage.changed")
    back(page)
    page.wait_for_function("location.pathname === '/movies/' && !window.old")
    expect(page.get_by_role("slider", name="Your rating of Heat", exact=True)).to_have_value("4")
    page.wait_for_function("scrollY === 900")
