"""Takes screenshots of each page for the documentation, into docs/img: `python -m benchmarks.screenshots ADDRESS`.

The site at ADDRESS must serve the sample without TMDB, so that only MovieLens' titles and the site's own posters are
shown. A temporary account is created. STAFF_NAME and STAFF_PASSWORD are a staff account of the site.
"""

from __future__ import annotations

import argparse
import os
import secrets
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

LIKED = ("Blade Runner", "Twelve Monkeys", "Arrival", "The Matrix", "Alien")
WATCHED, LISTED = "Spirited Away", "Moon"
DESK, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
QUALITY = 72
TIMEOUT = 120_000  # milliseconds; high enough to end only requests that hang


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.screenshots", description=__doc__)
    parser.add_argument("address", help="of a site with the sample, such as http://127.0.0.1:8000")
    parser.add_argument("folder", nargs="?", type=Path, default=Path("docs/img"))
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=os.environ.get("CHROMIUM"), args=["--no-sandbox"])
        _visitor(browser, given.address, given.folder)
        _member(browser, given.address, given.folder)
        if "STAFF_PASSWORD" in os.environ:
            _staff(browser, given.address, given.folder)
        browser.close()


def _open(browser: Browser, address: str, *, scheme: str = "dark") -> Page:
    page = browser.new_context(base_url=address, viewport=DESK, color_scheme=scheme).new_page()
    page.set_default_timeout(TIMEOUT)
    return page


def _take(page: Page, folder: Path, name: str, path: str, *, phone: bool = False) -> None:
    for size, suffix in [(DESK, ""), *([(PHONE, "-phone")] if phone else [])]:
        page.set_viewport_size(size)
        page.goto(path)
        page.wait_for_load_state("networkidle")
        page.screenshot(path=folder / f"{name}{suffix}.jpg", type="jpeg", quality=QUALITY)
    page.set_viewport_size(DESK)


def _visitor(browser: Browser, address: str, folder: Path) -> None:
    page = _open(browser, address)
    _take(page, folder, "home", "/", phone=True)
    _take(page, folder, "welcome", "/welcome/", phone=True)
    _take(page, folder, "browse", "/movies/", phone=True)
    _take(page, folder, "sign-in", "/accounts/sign-in/")
    light = _open(browser, address, scheme="light")
    _take(light, folder, "home-light", "/")


def _member(browser: Browser, address: str, folder: Path) -> None:
    page = _open(browser, address)
    name, password = "ingrid", secrets.token_urlsafe(12)
    page.goto("/accounts/sign-up/")
    page.locator("#id_username").fill(name)
    for field in page.locator("main input[type=password]").all():
        field.fill(password)
    page.locator("main form button").click()
    for title in LIKED:
        _go_to(page, title)
        with page.expect_response(lambda response: "/rating/" in response.url):
            stars = page.locator(".rating-panel input[type=range]")
            stars.fill("5")
            stars.press("Enter")
    try:
        movie = page.url
        _keep(page)
        for path, picture in (
            ("/", "home-personal"),
            ("/for-you/", "for-you"),
            (movie, "movie"),
            ("/ratings/", "ratings"),
            ("/watchlist/", "watchlist"),
            ("/diary/", "diary"),
            ("/lists/", "lists"),
            ("/statistics/", "statistics"),
            ("/together/", "together"),
            ("/import/", "import"),
            ("/accounts/", "account"),
        ):
            _take(page, folder, picture, path, phone=picture in ("home-personal", "for-you", "movie", "diary"))
    finally:
        page.goto("/accounts/delete/")
        page.locator("main input[type=password]").fill(password)
        page.locator("main form button").click()


def _go_to(page: Page, title: str) -> None:
    page.goto(f"/movies/?q={title}")
    page.get_by_role("link", name=title, exact=True).first.click()
    page.wait_for_load_state("networkidle")


def _keep(page: Page) -> None:
    """Creates a diary entry, a watchlist entry and a list."""
    _go_to(page, WATCHED)
    page.locator(".own summary", has_text="Watched").click()
    page.get_by_role("button", name="Add to diary").click()
    page.locator(".own-state").first.wait_for()
    _go_to(page, LISTED)
    page.get_by_role("button", name="Add to watchlist").first.click()
    page.get_by_role("button", name="On watchlist").first.wait_for()


def _staff(browser: Browser, address: str, folder: Path) -> None:
    page = _open(browser, address)
    page.goto("/accounts/sign-in/?next=/mlops/")
    page.locator("#id_username").fill(os.environ.get("STAFF_NAME", "admin"))
    page.locator("#id_password").fill(os.environ["STAFF_PASSWORD"])
    page.get_by_role("button", name="Sign in", exact=True).click()
    _take(page, folder, "mlops", "/mlops/")
    _take(page, folder, "admin", "/admin/")
    page.goto("/admin/mlops/modelversion/")
    _take(page, folder, "model-version", page.locator("#result_list th a").first.get_attribute("href") or "")


if __name__ == "__main__":
    main()
