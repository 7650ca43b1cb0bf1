"""The welcome page in a browser: visitor, titles, list, account."""

import pytest
from playwright.sync_api import Page, expect

from catalog.models import Rating
from tests.slow.pages import PASSWORD, fits

pytestmark = [pytest.mark.slow, pytest.mark.once, pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def rate_three(page: Page) -> list[str]:
    """Loves the first space operas of the wall; returns their titles."""
    titles = []
    for number in range(1, 4):
        tile = page.locator(".wall-title").filter(has_text="Science Fiction").first
        titles.append(tile.get_by_role("heading").inner_text().rsplit(" ", 1)[0])
        tile.get_by_role("button", name="5 stars").click()
        expect(page.locator(".answers li")).to_have_count(number)
    return titles


def listed(page: Page) -> list[str]:
    return page.locator(".first-movies a[href^='/movies/']").all_text_contents()


def begin(page: Page) -> None:
    """Goes from the home page to the wall."""
    page.goto("/")
    page.get_by_role("link", name="Start with five movies").click()
    expect(page.locator(".wall-title").first).to_be_visible()  # a click does not wait for the next page's body


def keep_in_account(page: Page, name: str) -> None:
    """Signs up under this name, with the answers given so far."""
    page.get_by_role("link", name="Create an account to keep it").click()
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Confirm password").fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_text("3 ratings have been saved to your account.")).to_be_visible()


@pytest.mark.parametrize("javascript", [True, False], ids=["scripts", "no scripts"])
def test_a_visitor_gets_a_list_and_signing_up_keeps_it(visit, trained_camps, javascript):
    page = visit(javascript=javascript, viewport={"width": 360, "height": 800})
    begin(page)
    if javascript:
        page.evaluate("document.body.dataset.mark = 'kept'")
    liked = rate_three(page)
    if javascript:
        assert page.evaluate("document.body.dataset.mark") == "kept"
    expect(page.get_by_text("3 of 5")).to_be_visible()
    before = listed(page)
    assert before[0].startswith("Science Fiction")
    assert not set(before) & set(liked)
    assert fits(page)

    keep_in_account(page, "ada")
    assert listed(page) == before
    assert set(Rating.objects.filter(user__username="ada").values_list("movie__title", flat=True)) == set(liked)
    page.get_by_role("link", name="See all your lists").click()
    expect(page.get_by_role("region", name="For you", exact=True)).to_be_visible()


def test_the_keyboard_stays_at_its_place_of_the_wall(visit, trained_camps):
    page = visit()
    page.goto("/welcome/")
    page.locator("#wall-3-4").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".answers li")).to_have_count(1)
    expect(page.locator("#wall-3-4")).to_be_focused()
    page.keyboard.press("Space")
    expect(page.locator(".answers li")).to_have_count(2)
    expect(page.get_by_role("status")).to_contain_text("4 out of 5 stars")


AT_ONCE = """() => new MutationObserver((_, observer) => {
    observer.disconnect();
    document.querySelector("#wall-4-4").click();
}).observe(document.querySelector("#first-minute").parentElement, {childList: true})"""


def test_a_tap_on_a_new_title_reloads_no_page(visit, trained_camps):
    page = visit()
    page.goto("/welcome/")
    page.evaluate("document.body.dataset.mark = 'kept'")
    page.evaluate(AT_ONCE)
    page.locator("#wall-3-4").click()
    expect(page.locator(".answers li")).to_have_count(2)
    assert page.evaluate("document.body.dataset.mark") == "kept"
