"""Pictures of Commons in a browser, with the site's Content-Security-Policy and fake responses."""

import struct
from zlib import compress, crc32

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from catalog.models import Credit, MovieGenre, Person
from tests.factories import GenreFactory, MovieFactory, PictureFactory

pytestmark = [pytest.mark.slow, pytest.mark.once, pytest.mark.browser, pytest.mark.django_db(transaction=True)]

COMMONS = "https://upload.wikimedia.org/**"
PHONE = {"width": 360, "height": 740}
WIDE = {"width": 1280, "height": 900}
LONG = "Jean-Baptiste-Emmanuel_Photographer_of_the_Cinémathèque_with_a_name_without_spaces and of another museum"


def png(width: int, height: int) -> bytes:
    """A grey picture of that size."""
    rows = compress((b"\x00" + b"\x88" * width) * height)
    parts = ((b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)), (b"IDAT", rows), (b"IEND", b""))
    chunks = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc32(kind + data)) for kind, data in parts
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


@pytest.fixture
def pages() -> dict[str, bytes]:
    """Addresses of a movie and its director, each with its picture."""
    movie = MovieFactory(title="Alien", year=1979, overview="In space no one can hear you scream. " * 6)
    MovieGenre.objects.create(movie=movie, genre=GenreFactory(name="Horror"))
    person = Person.objects.create(name="Ridley Scott")
    Credit.objects.create(movie=movie, person=person, role=Credit.Role.DIRECTOR)
    PictureFactory(movie=movie, author=LONG, width=330, height=186)
    PictureFactory(person=person)
    return {movie.get_absolute_url(): png(330, 186), person.get_absolute_url(): png(330, 440)}


@pytest.mark.parametrize("size", [PHONE, WIDE], ids=["phone", "wide"])
def test_the_credit_stands_below_the_picture(visit, pages, size):
    page: Page = visit(viewport=size)
    for address, body in pages.items():
        referrers = answering(page, body)
        page.goto(address)
        image = shown(page)

        assert referrers == [None]
        picture, caption = image.bounding_box(), page.locator(".picture figcaption").bounding_box()
        assert picture and caption
        assert 0 <= caption["y"] - picture["y"] - picture["height"] < 20
        assert caption["x"] >= 0 and caption["x"] + caption["width"] <= size["width"]
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
        expect(page.locator(".picture figcaption a")).to_have_count(2)


def answering(page: Page, body: bytes) -> list[str | None]:
    """Answers for Commons from now on; returns what it is told of the page that asks."""
    referrers: list[str | None] = []

    def answer(route: Route) -> None:
        referrers.append(route.request.headers.get("referer"))
        route.fulfill(content_type="image/png", body=body)

    page.unroute_all()
    page.route(COMMONS, answer)
    return referrers


def shown(page: Page) -> Locator:
    image = page.locator(".picture img")
    image.scroll_into_view_if_needed()
    page.wait_for_function("document.querySelector('.picture img').naturalWidth > 0")
    return image


def test_nothing_moves_when_a_picture_comes(visit, pages):
    page: Page = visit(viewport=PHONE)
    held: list[Route] = []
    for address, body in pages.items():
        page.unroute_all()
        page.route(COMMONS, lambda route: held.append(route))
        page.goto(address, wait_until="domcontentloaded")
        page.locator(".picture img").scroll_into_view_if_needed()
        before = page.locator(".picture img").bounding_box()
        assert before and before["height"] > 100
        page.wait_for_timeout(100)
        while held:
            held.pop().fulfill(content_type="image/png", body=body)

        assert shown(page).bounding_box() == before
