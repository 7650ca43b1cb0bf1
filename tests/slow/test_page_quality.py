"""Every linked page, as visitor, member and staff, is accessible in both themes, light, and fits a phone.

Tests one page per view, so that new pages are included automatically.
"""

import gzip
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from allauth.account.models import EmailAddress
from django.conf import settings
from django.test import Client
from django.urls import Resolver404, resolve
from django.utils import timezone
from playwright.sync_api import Page, Response, expect

from benchmarks.node_tools import AXE, install
from catalog import setup
from catalog.hooks.services import create_hook
from catalog.keys import create_feeds_key
from catalog.models import Credit, HookEvent, Movie, Person, User
from catalog.services import record_rating
from tests.factories import MovieFactory, PictureFactory, UserFactory, key_of
from tests.recommender.conftest import count_ratings
from tests.slow.pages import PASSWORD, fits
from tests.slow.test_browser_accounts import mailbox
from tests.slow.test_browser_pictures import png

__all__ = ["mailbox"]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.once,
    pytest.mark.browser,
    pytest.mark.timeout(1200),
    pytest.mark.django_db(transaction=True),
]

PNG = png(330, 440)  # stands in for pictures of Commons
PHONE = {"width": 360, "height": 740}
HEAVY = ("admin:", "api-docs")  # views whose weight and width are their libraries' own
MOST_BYTES, MOST_SCRIPT_BYTES, MOST_PICTURE_BYTES = 250_000, 40_000, 30_000
TOO_EAGER = """[...document.images].filter((image) => image.loading !== "lazy"
    && image.getBoundingClientRect().top > innerHeight).map((image) => image.src)"""
VIOLATIONS = """axe.run(document, {resultTypes: ["violations"]}).then((result) => result.violations.map(
    (rule) => `${rule.id} at ${rule.nodes.slice(0, 3).map((node) => node.target).join(" and ")}`))"""


@pytest.fixture(scope="module")
def axe(tmp_path_factory) -> str:
    return (install(Path(tmp_path_factory.mktemp("npm")), AXE) / "axe.min.js").read_text(encoding="utf-8")


@pytest.fixture
def site(train, camps, fan) -> User:
    train(version=1)
    MovieFactory(title="Fresh from the editor", year=2026)
    tom = Person.objects.create(name="Tom Hanks")
    Credit.objects.create(movie=Movie.objects.latest("id"), person=tom, role="cast")
    PictureFactory(person=tom)
    for movie in Movie.objects.all():  # whichever page of a movie is looked at
        PictureFactory(movie=movie)
    count_ratings()
    record_rating(user=fan, movie=Movie.objects.latest("id"), rating=4)
    event = {"title": "Solaris", "rating": 4.5, "times": 3, "happened_at": timezone.now(), "outcome": "unmatched"}
    HookEvent.objects.create(hook=create_hook(user=fan).row, service="plex", kind="rated", **event)
    create_feeds_key(user=fan)
    for name in ("Phone", "A script with a name that takes all of the sixty characters."):
        key_of(fan, name=name)
    return fan


def view_of(address: str) -> str | None:
    """The view behind a link, or nothing for what is no page of the site."""
    try:
        match = resolve(urlsplit(address).path)
    except Resolver404:
        return None
    arguments = sorted(match.kwargs.items()) if match.view_name.startswith("django.contrib") else ()
    return f"{match.view_name}{arguments or ''}"


def pages(page: Page, start: list[str], skipped: tuple[str, ...]) -> Iterator[tuple[str, list[Response]]]:
    """Goes to one page per view but those, along the links, and yields it with all that was loaded for it."""
    host, seen, waiting = urlsplit(page.url).netloc, set(), list(start)
    loaded: list[Response] = []
    page.on("response", lambda response: loaded.append(response))
    while waiting:
        view = view_of(address := waiting.pop(0))
        if view is None or view in seen or view.startswith(skipped):
            continue
        seen.add(view)
        kind = page.request.get(address, max_redirects=5).headers.get("content-type", "")
        if kind.startswith("text/html"):
            loaded.clear()
            page.goto(address)
            expect(page.locator(".htmx-request")).to_have_count(0)
            expect(page.locator("main, [role=main]").first).to_be_attached()  # a script draws the API's documentation
            yield view, loaded
            links = page.eval_on_selector_all("a[href]", "links => links.map((link) => link.href)")
            waiting += [link for link in links if urlsplit(link).netloc == host]


def weight(loaded: list[Response]) -> list[str]:
    """What is too heavy, as transferred with compression."""
    total = scripts = 0
    found = []
    for response in loaded:
        kind = response.request.resource_type
        if response.status != 200 or kind == "font":
            continue
        size = len(gzip.compress(response.body()))
        if kind == "image":
            found += [f"{response.url} has {size} bytes"] if size > MOST_PICTURE_BYTES else []
        else:
            total += size
            scripts += size if kind == "script" else 0
    found += [f"{total} bytes"] if total > MOST_BYTES else []
    return found + ([f"{scripts} bytes of scripts"] if scripts > MOST_SCRIPT_BYTES else [])


def judged(page: Page, loaded: list[Response], axe: str, *, is_heavy: bool = False) -> list[str]:
    """What is wrong with the page that is open."""
    found = [] if is_heavy else weight(loaded) + page.evaluate(TOO_EAGER)
    if not is_heavy and not fits(page):
        found.append("wider than a phone")
    page.add_style_tag(content="* { transition: none !important }")  # colours fade from one theme to the other
    page.evaluate(axe)  # not a script element, which the policy would rightly block
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.wait_for_timeout(100)
        found += [f"{scheme}: {rule}" for rule in page.evaluate(VIOLATIONS)]
    return found


@pytest.mark.parametrize("role", ["visitor", "member", "staff"])
def test_every_page_is_accessible_and_light(visit, site, sam, axe, role):
    page = visit(viewport=PHONE, bypass_csp=True, reduced_motion="reduce")  # axe sets styles
    page.route("https://upload.wikimedia.org/**", lambda route: route.fulfill(content_type="image/png", body=PNG))
    page.goto("/healthz")
    start, skipped = ["/", "/movies/?q=tom+hanks", "/accounts/sign-up/", "/offline/"], ()
    if role != "visitor":
        client = Client()
        client.force_login(sam if role == "staff" else site)
        name = settings.SESSION_COOKIE_NAME
        page.context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": page.url}])
    if role == "staff":
        start, skipped = ["/mlops/", "/admin/"], ("catalog:", "recommender:")  # which members see, too
    problems: dict[str, list[str]] = {}
    looked_at: list[str] = []
    for view, loaded in pages(page, start, skipped):
        looked_at.append(view)
        if found := judged(page, loaded, axe, is_heavy=view.startswith(HEAVY)):
            problems[f"{view} {urlsplit(page.url).path}"] = found

    assert len(looked_at) >= 10
    assert role == "staff" or {"catalog:movie-detail", "catalog:person-detail"} <= set(looked_at)  # with pictures
    assert problems == {}


def test_the_first_run_is_accessible_and_light(visit, axe):
    """Its pages are there for a site without a superuser alone: no link leads to them."""
    page = visit(viewport=PHONE, bypass_csp=True, reduced_motion="reduce")
    loaded: list[Response] = []
    page.on("response", lambda response: loaded.append(response))
    for address in ("/setup/", setup.link(setup.present_code(), base="/")):
        loaded.clear()
        page.goto(address)
        assert judged(page, loaded, axe) == []
    loaded.clear()
    page.evaluate("document.querySelector('main form').noValidate = true")
    page.get_by_role("button", name="Set up", exact=True).click()
    expect(page.locator(".errorlist").first).to_be_visible()
    assert judged(page, loaded, axe) == []
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Password", exact=True).fill("correct horse battery")
    page.get_by_label("Confirm password").fill("correct horse battery")
    loaded.clear()
    page.get_by_role("button", name="Set up", exact=True).click()
    page.wait_for_url("**/mlops/start/")
    assert judged(page, loaded, axe) == []


def test_confirming_a_sign_up_is_accessible_and_light(visit, axe, mailbox, change_policy):
    """Its pages are behind the links of mails alone, with the name, another name, and an account that is there."""
    change_policy("accounts", confirm_email="mandatory")
    form = {"username": "ada", "email": "ada@example.org", "password": PASSWORD, "password_again": PASSWORD}
    Client().post("/accounts/sign-up/", form)
    link = urlsplit(mailbox.link("ada@example.org")).path
    for address in ("/accounts/sign-up/sent/", link):
        assert opened(visit, address, axe) == []
    other = UserFactory(username="ADA")
    assert opened(visit, link, axe) == []
    EmailAddress.objects.create(user=other, email="ada@example.org", verified=True, primary=True)
    assert opened(visit, link, axe) == []


def opened(visit: Callable[..., Page], address: str, axe: str) -> list[str]:
    """What is wrong with a page that a new browser opens."""
    page = visit(viewport=PHONE, bypass_csp=True, reduced_motion="reduce")
    loaded: list[Response] = []
    page.on("response", lambda response: loaded.append(response))
    page.goto(address)
    return judged(page, loaded, axe)
