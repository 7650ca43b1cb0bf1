"""The home page in a browser: rows, dismissing and undoing, and changes after a rating and a promotion."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from catalog.models import Movie
from recommender.models import Dismissal, Feedback
from recommender.serving.model_server import server
from tests.factories import MovieFactory
from tests.recommender.conftest import count_ratings
from tests.slow.pages import fits, follow, sign_in

pytestmark = [pytest.mark.slow, pytest.mark.once, pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def site(train, camps, fan) -> dict[str, list[Movie]]:
    train(version=1)
    MovieFactory(title="Fresh from the editor", year=2026)
    count_ratings()
    server.refresh()
    return camps


def row(page: Page, title: str) -> Locator:
    return page.get_by_role("region", name=title, exact=True)


def first_title(page: Page, title: str) -> str:
    return row(page, title).get_by_role("heading", level=3).first.inner_text()


def open_menu(page: Page, movie: str) -> None:
    card = row(page, "For you").locator(".movie-card", has=page.get_by_role("link", name=movie, exact=True))
    card.locator("summary").click()


def test_a_visitor_is_invited_on_a_phone_and_on_a_desk(visit, site):
    for width in (320, 1280):
        page = visit(viewport={"width": width, "height": 800})
        page.goto("/")
        expect(page.get_by_role("link", name="Create an account")).to_be_visible()
        expect(row(page, "Popular now")).to_be_visible()
        assert fits(page)


def test_hiding_and_undoing_need_no_reload(visit, site, fan):
    page = visit()
    sign_in(page, fan.username)
    expect(row(page, "For you")).to_contain_text("Model 1 · personal")
    expect(row(page, "Not rated on this site yet")).to_contain_text("Fresh from the editor")
    page.evaluate("document.body.dataset.mark = 'kept'")
    title = first_title(page, "For you")
    button = f"Not interested in {title}"
    open_menu(page, title)
    row(page, "For you").get_by_role("button", name=button, exact=True).click()
    expect(row(page, "For you")).to_contain_text(f"{title} will no longer be recommended to you.")
    assert Dismissal.objects.get().movie.title == title
    row(page, "For you").get_by_role("button", name=re.compile(f"^Undo ?: recommend {title} again$")).click()
    open_menu(page, title)
    expect(row(page, "For you").get_by_role("button", name=button, exact=True)).to_be_visible()
    assert not Dismissal.objects.exists()

    row(page, "For you").get_by_role("button", name=button, exact=True).click()
    expect(row(page, "For you")).to_contain_text("will no longer be recommended")
    assert page.evaluate("document.body.dataset.mark") == "kept"
    page.reload()
    assert first_title(page, "For you") != title


def test_hiding_and_undoing_work_without_javascript(visit, site, fan):
    page = visit(javascript=False)
    sign_in(page, fan.username)
    title = first_title(page, "For you")
    open_menu(page, title)
    row(page, "For you").get_by_role("button", name=f"Not interested in {title}", exact=True).click()
    expect(page.locator(".notice")).to_contain_text(f"{title} will no longer be recommended to you.")
    assert first_title(page, "For you") != title
    follow(page.get_by_role("button", name=re.compile(f"^Undo ?: recommend {title} again$")))
    assert first_title(page, "For you") == title


def test_a_rating_on_a_movie_page_counts_at_home(visit, site, fan):
    page = visit()
    sign_in(page, fan.username)
    title = first_title(page, "For you")
    row(page, "For you").get_by_role("link", name=title, exact=True).click()
    expect(page).to_have_url(re.compile(r"/movies/\d+-"))
    expect(page.get_by_role("heading", level=1)).to_contain_text(title)
    assert Feedback.objects.get().movie.title == title

    page.locator("main").get_by_label(f"Your rating of {title}", exact=True).fill("5")
    expect(page.get_by_text(f"You rated {title} 5 out of 5 stars.")).to_be_visible()
    page.get_by_role("link", name="Home").click()
    expect(row(page, f"Because you liked {title}")).to_be_visible()
    assert first_title(page, "For you") != title


@pytest.mark.parametrize("javascript", [True, False])
def test_a_card_s_reason_leads_to_all_that_speaks_for_it(visit, site, fan, javascript):
    page = visit(javascript=javascript)
    sign_in(page, fan.username)
    card = row(page, "For you").get_by_role("article").first
    title = card.get_by_role("heading", level=3).inner_text()
    reason = card.get_by_role("link", name=re.compile("Because you liked Science Fiction [012]"))
    expect(reason).to_be_visible()
    named = reason.locator("cite").inner_text()
    reason.click()
    panel = page.get_by_role("region", name=f"Why {title}?")
    expect(panel.get_by_role("listitem")).to_have_count(3)
    expect(panel.get_by_role("listitem").filter(has_text=named)).to_contain_text("+")
    assert panel.locator("svg rect").first.bounding_box()["width"] > 20
    assert fits(page)
    assert ("/why/" in page.url) == (not javascript)
    panel.get_by_role("link", name=named, exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(named)


def test_the_other_model_s_lists_are_shown_after_a_promotion(visit, train, site, fan):
    page = visit()
    sign_in(page, fan.username)
    expect(row(page, "For you")).to_contain_text("Model 1 · personal")
    before = first_title(page, "For you")
    train(version=2, algorithm="popularity")
    page.reload()
    expect(row(page, "For you")).to_contain_text("Model 2 · personal")
    assert first_title(page, "For you") != before
