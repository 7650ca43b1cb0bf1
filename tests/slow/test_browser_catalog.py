"""The catalogue's pages in a browser, with and without JavaScript."""

import re

import pytest
from playwright.sync_api import Page, Route, expect

from catalog.models import Movie, MovieGenre, Rating, User, WatchlistItem
from tests.factories import GenreFactory, MovieFactory
from tests.slow.pages import PASSWORD, fits

pytestmark = [pytest.mark.slow, pytest.mark.once, pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def movies() -> list[Movie]:
    genre = GenreFactory(name="Horror")
    found = [MovieFactory(title=title, year=1979) for title in ("Alien", "Aliens", "Heat")]
    MovieGenre.objects.create(movie=found[0], genre=genre)
    return found


def sign_up(page: Page) -> User:
    page.goto("/accounts/sign-up/")
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Confirm password").fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_text("Welcome, ada!")).to_be_visible()
    return User.objects.get(username="ada")


def rate(page: Page, title: str, stars: float) -> None:
    """Clicks the left or right half of a star."""
    box = page.locator(".star-input").filter(has=page.get_by_label(f"Your rating of {title}", exact=True))
    size = box.bounding_box()
    assert size and min(size["height"], size["width"] / 5) >= 24
    box.click(position={"x": (stars - 0.25) / 5 * size["width"], "y": size["height"] / 2})


def mark(page: Page) -> None:
    """A reload would lose it."""
    page.locator("body").evaluate("body => body.dataset.mark = 'kept'")


def is_marked(page: Page) -> bool:
    return page.evaluate("document.body.dataset.mark") == "kept"


def test_sign_up_search_rate_and_watchlist_without_reloads(visit, movies):
    page = visit()
    user = sign_up(page)
    page.get_by_role("link", name="Browse", exact=True).click()
    mark(page)

    page.get_by_label("Title", exact=True).press_sequentially("alie")
    expect(page.get_by_text("2 movies")).to_be_visible()
    expect(page).to_have_url(re.compile(r"/movies/\?q=alie$"))
    page.get_by_label("Genre", exact=True).select_option("Horror")
    expect(page.get_by_text("1 movie", exact=True)).to_be_visible()
    assert is_marked(page)

    page.get_by_role("link", name="Alien").click()
    mark(page)
    rate(page, "Alien", 3.5)
    expect(page.get_by_text("You rated Alien 3.5 out of 5 stars.")).to_be_visible()
    expect(page.get_by_text("from 1 rating")).to_be_visible()
    page.get_by_role("button", name=re.compile("^Add to watchlist ?: Alien$")).click()
    expect(page.get_by_role("button", name="On watchlist")).to_be_focused()
    assert is_marked(page)
    assert Rating.objects.get(user=user).rating == 3.5
    assert WatchlistItem.objects.get(user=user).movie == movies[0]

    page.get_by_role("button", name="Remove", exact=True).click()
    expect(page.get_by_text("Your rating of Alien has been removed.")).to_be_visible()
    assert not Rating.objects.exists()


def test_a_choice_made_before_the_scripts_have_come_counts(visit, movies):
    page = visit()
    user = sign_up(page)
    waiting: list[Route] = []
    page.route("**/htmx*.js", lambda route: waiting.append(route))
    page.goto(movies[0].get_absolute_url(), wait_until="commit")
    rate(page, "Alien", 3.5)
    page.wait_for_timeout(200)
    assert not Rating.objects.exists()

    waiting[0].continue_()
    expect(page.get_by_text("You rated Alien 3.5 out of 5 stars.")).to_be_visible()
    assert Rating.objects.get(user=user).rating == 3.5


def test_suggestions_appear_and_are_reachable_by_keyboard(visit, movies):
    page = visit()
    page.goto("/movies/")
    field = page.get_by_role("searchbox", name="Search movies, people and genres")
    field.press_sequentially("alein")
    suggestions = page.get_by_role("region", name="Suggestions")
    expect(suggestions.get_by_role("link")).to_have_count(2)  # Alien and all results
    page.keyboard.press("Escape")
    expect(suggestions.get_by_role("link")).to_have_count(0)
    expect(field).to_be_focused()
    field.press_sequentially(" ")
    expect(suggestions.get_by_role("link")).to_have_count(2)
    page.keyboard.press("ArrowDown")
    expect(suggestions.get_by_role("link").first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name="Alien")).to_be_visible()


def test_the_keyboard_rates_too(visit, movies):
    page = visit()
    user = sign_up(page)
    page.goto(movies[0].get_absolute_url())
    slider = page.get_by_label("Your rating of Alien", exact=True)
    slider.focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    expect(slider).to_have_js_property("value", "1.5")
    assert not Rating.objects.exists()
    page.keyboard.press("Enter")
    expect(page.get_by_text("You rated Alien 1.5 out of 5 stars.")).to_be_visible()
    expect(slider).to_be_focused()
    page.keyboard.press("End")
    page.keyboard.press("Escape")  # never mind
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Tab")  # leaving decides too
    expect(page.get_by_text("You rated Alien 2 out of 5 stars.")).to_be_visible()

    assert Rating.objects.get(user=user).rating == 2


def test_a_card_sends_one_rating_for_one_decision(visit, movies):
    page = visit()
    user = sign_up(page)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.post_data) if "/rating/" in request.url else None)
    page.goto("/movies/")
    slider = page.get_by_label("Your rating of Alien", exact=True)
    slider.focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowRight", "ArrowRight", " "):
        page.keyboard.press(key)
    card = page.locator(".movie-card", has=slider)
    expect(card.get_by_role("status")).to_have_text("You rated Alien 2 out of 5 stars.")
    assert len(sent) == 1

    rate(page, "Alien", 4.5)
    expect(card.get_by_role("status")).to_have_text("You rated Alien 4.5 out of 5 stars.")
    assert len(sent) == 2
    assert Rating.objects.get(user=user).rating == 4.5
    card.get_by_role("button", name="Add to watchlist").click()
    expect(card.get_by_role("button", name="On watchlist")).to_be_visible()
    assert WatchlistItem.objects.get(user=user).movie == movies[0]
    card.locator("summary").click()
    card.get_by_role("button", name="Remove rating").click()
    expect(slider).to_have_js_property("value", "0")
    assert not Rating.objects.exists()


def test_a_refused_rating_is_taken_back_on_the_card(chromium, live_server, movies):
    page = chromium.new_page(base_url=live_server.url)
    sign_up(page)
    page.goto("/movies/")
    slider = page.get_by_label("Your rating of Alien", exact=True)
    page.route("**/rating/", lambda route: route.abort())
    rate(page, "Alien", 4)
    expect(page.get_by_text("The site cannot be reached.")).to_be_visible()
    expect(slider).to_have_js_property("value", "0")

    page.unroute("**/rating/")
    movies[0].delete()
    rate(page, "Alien", 4)
    expect(page.get_by_text("The request failed.")).to_be_visible()
    expect(slider).to_have_js_property("value", "0")
    page.close()


def test_everything_works_without_javascript(visit, movies):
    page = visit(javascript=False)
    user = sign_up(page)
    page.goto("/movies/")
    page.get_by_label("Title", exact=True).fill("heat")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("1 movie", exact=True)).to_be_visible()
    page.get_by_role("link", name="Heat").click()
    expect(page.get_by_role("heading", level=1, name="Heat")).to_be_visible()
    page.wait_for_load_state()  # a forced click does not wait for pictures that move what is below them

    page.get_by_label("Your rating of Heat", exact=True).fill("4")
    page.get_by_role("button", name="Rate", exact=True).click()
    expect(page.get_by_text("You rated Heat 4 out of 5 stars.")).to_be_visible()
    page.get_by_role("button", name=re.compile("^Add to watchlist ?: Heat$")).click()
    expect(page.get_by_text("Heat is on your watchlist now.")).to_be_visible()
    page.get_by_role("link", name="Watchlist", exact=True).click()
    page.get_by_role("button", name="On watchlist").click()
    expect(page.get_by_text("Your watchlist is empty")).to_be_visible()
    page.goto("/ratings/")
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("You have not rated any movies yet")).to_be_visible()

    assert not Rating.objects.filter(user=user).exists()


def test_back_after_filtering_shows_the_whole_page(visit, movies):
    page = visit()
    page.goto("/movies/")
    page.get_by_label("Title", exact=True).press_sequentially("heat")
    expect(page.get_by_text("1 movie", exact=True)).to_be_visible()
    page.get_by_role("link", name="Heat").click()
    expect(page.get_by_role("heading", level=1, name="Heat")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Browse movies")).to_be_visible()
    expect(page.get_by_text("1 movie", exact=True)).to_be_visible()


def test_no_page_is_wider_than_the_screen(visit, movies):
    page = visit()
    MovieFactory(title="Supercalifragilisticexpialidocious" * 3)
    sign_up(page)
    page.goto(movies[0].get_absolute_url())
    rate(page, "Alien", 3.5)
    expect(page.get_by_text("You rated")).to_be_visible()
    for address in ("/movies/", movies[0].get_absolute_url(), "/ratings/", "/watchlist/", "/accounts/"):
        page.goto(address)
        for width in (320, 390, 768, 1280):
            page.set_viewport_size({"width": width, "height": 800})
            assert fits(page), (address, width)


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_text_stands_out_from_its_ground(visit, movies, scheme):
    """WCAG AA: 4.5 to 1 for text, on each ground it is put on."""
    page = visit(color_scheme=scheme)
    page.goto("/movies/")
    ratios = page.evaluate(CONTRASTS)

    assert len(ratios) == 18
    assert {pair: ratio for pair, ratio in ratios.items() if ratio < 4.5} == {}


CONTRASTS = """() => {
  const probe = document.body.appendChild(document.createElement("i"));
  const luminance = (name) => {
    probe.style.color = `var(--${name})`;
    const [r, g, b] = getComputedStyle(probe).color.match(/[\\d.]+/g).map((part) => {
      const share = part / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const found = {};
  const compare = (text, ground) => {
    const [low, high] = [luminance(text), luminance(ground)].sort((a, b) => a - b);
    found[`${text} on ${ground}`] = (high + 0.05) / (low + 0.05);
  };
  for (const text of ["ink", "ink-soft", "accent", "good", "bad"])
    for (const ground of ["ground", "surface", "raised"]) compare(text, ground);
  compare("on-accent", "accent");
  compare("on-accent", "accent-strong");
  compare("ink", "ground-glow");
  return found;
}"""
