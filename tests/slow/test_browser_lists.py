"""The pages "For you" and "Together" in a browser, with and without JavaScript, and their weight."""

import re

import pytest
from playwright.sync_api import Page, expect

from catalog.models import Movie, User
from recommender.models import TasteConsent
from tests.factories import RatingFactory, UserFactory
from tests.slow.pages import fits, sign_in

pytestmark = [pytest.mark.slow, pytest.mark.once, pytest.mark.browser, pytest.mark.django_db(transaction=True)]

MOST_HTML = 250_000  # bytes


@pytest.fixture
def site(train, camps, fan) -> User:
    """With enough movies for a second part of the list."""
    movies = Movie.objects.bulk_create(Movie(title=f"Space {number}", year=1980) for number in range(30))
    for movie in movies:
        RatingFactory(movie=movie)
    romantic = UserFactory(username="romantic")
    for movie in camps["Romance"][:3]:
        RatingFactory(user=romantic, movie=movie, rating=5.0)
    TasteConsent.objects.create(user=romantic)
    train()
    return fan


def titles(page: Page) -> list[str]:
    return page.locator("#list h3").all_text_contents()


@pytest.mark.parametrize("javascript", [True, False])
def test_more_continues_the_list_and_filters_narrow_it(visit, site, javascript):
    page = visit(javascript=javascript)
    sign_in(page, site.username)
    page.goto("/for-you/")
    first = titles(page)
    assert len(first) == 24
    page.get_by_role("link", name="More movies", exact=True).click()
    if javascript:
        expect(page.locator("#list h3")).to_have_count(48)
        expect(page.locator("#list .movie-grid").last.get_by_role("link").first).to_be_focused()
    else:
        expect(page).to_have_url(re.compile("exclude="))
    more = titles(page)[-24:]
    assert not set(first) & set(more)

    page.get_by_label("Genre", exact=True).select_option("Romance")
    if not javascript:
        page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator("#list h3")).to_have_count(12)
    expect(page).to_have_url(re.compile("genre=romance"))
    assert all(title.startswith("Romance") for title in titles(page))


@pytest.mark.parametrize("javascript", [True, False])
def test_people_make_a_list_together(visit, site, javascript):
    page = visit(javascript=javascript, viewport={"width": 360, "height": 800})
    sign_in(page, site.username)
    page.goto("/together/")
    page.get_by_role("button", name="Allow this").click()
    expect(page.get_by_role("button", name="Stop allowing this")).to_be_visible()
    page.get_by_label("Together with").fill("romantic")
    page.get_by_role("button", name="Show", exact=True).click()
    stars = re.compile(r"fan \d\.\d ★ · romantic \d\.\d ★")
    expect(page.locator("#list .movie-card-reason").first).to_contain_text(stars)
    assert fits(page)


def test_pages_of_cards_are_light_and_narrow(visit, site):
    page = visit()
    sign_in(page, site.username)
    page.set_viewport_size({"width": 360, "height": 800})
    for address in ("/", "/movies/", "/for-you/", "/together/?with=romantic", "/watchlist/by-liking/"):
        answer = page.goto(address)
        assert answer and len(answer.body()) < MOST_HTML, address
        assert fits(page), address


LISTS = "[...document.querySelectorAll('.movie-row, .movie-grid')]"
HEIGHTS = f"{LISTS}.map(list => list.offsetHeight)"
OVERLAPS = f"""{LISTS}.flatMap(list => [...list.querySelectorAll('a, button, summary')].filter(
    target => target.getBoundingClientRect().bottom > list.getBoundingClientRect().bottom
).map(target => target.outerHTML))"""


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_cards_out_of_sight_keep_their_place(visit, site, width):
    """They are not laid out before they come near; what is below them stays where it is when they do."""
    page = visit(viewport={"width": width, "height": 800})
    sign_in(page, site.username)
    for address in ("/", "/movies/", "/for-you/"):
        page.goto(address)
        assert not page.evaluate(OVERLAPS), address
    page.goto("/")
    before = page.evaluate(HEIGHTS)
    for row in page.locator(".movie-row").all():
        row.get_by_role("article").last.scroll_into_view_if_needed()
        expect(row.get_by_role("article").last).to_be_in_viewport()
    assert page.evaluate(HEIGHTS) == before
