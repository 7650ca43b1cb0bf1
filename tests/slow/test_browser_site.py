"""Features of every page in a browser: theme, search key, offline page."""

import pytest
from playwright.sync_api import expect

from tests.factories import MovieFactory

pytestmark = [pytest.mark.slow, pytest.mark.once, pytest.mark.browser, pytest.mark.django_db(transaction=True)]

GROUND = "getComputedStyle(document.body).backgroundColor"


@pytest.mark.parametrize("javascript", [True, False])
def test_a_chosen_theme_stays(visit, javascript):
    page = visit(javascript=javascript, color_scheme="light")
    page.goto("/movies/")
    page.get_by_role("button", name="Dark").click()
    expect(page.get_by_role("button", name="Dark")).to_have_attribute("aria-pressed", "true")
    page.wait_for_load_state("networkidle")
    page.goto("/accounts/sign-in/")

    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    if javascript:
        assert page.evaluate(GROUND) == "rgb(14, 16, 20)"


def test_a_slash_goes_to_the_search(visit):
    MovieFactory()
    page = visit()
    page.goto("/movies/")
    page.keyboard.press("/")
    expect(page.locator("#site-search")).to_be_focused()
    page.keyboard.type("a/b")
    expect(page.locator("#site-search")).to_have_value("a/b")


def test_without_a_connection_the_site_says_so(visit):
    page = visit(service_workers="allow")
    page.goto("/movies/")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.context.set_offline(True)
    page.goto("/accounts/sign-in/")
    expect(page.get_by_role("heading", name="You are offline")).to_be_visible()
    page.context.set_offline(False)
    page.get_by_role("link", name="Try again").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
