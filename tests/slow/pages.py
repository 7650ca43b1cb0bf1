"""Helpers for browser tests of any page."""

from playwright.sync_api import Locator, Page

PASSWORD = "correct horse battery"


def follow(control: Locator) -> None:
    """Clicks what leads to another page, or sends this one's form, and returns once the next page is loaded.

    A click itself does not wait. After it, use this or an `expect` before anything that reads at once, such as
    `evaluate`, an address or a row of the database: it may be read from the page that is about to go.
    """
    with control.page.expect_navigation():
        control.click()


def fits(page: Page) -> bool:
    """Whether nothing is wider than the window."""
    return page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def sign_in(page: Page, name: str, password: str = PASSWORD, *, arrive: str = "") -> None:
    """Signs in, and waits for what comes next: the page at `arrive`, or where the site leads, or the form again."""
    page.goto(f"/accounts/sign-in/?next={arrive}")
    page.get_by_label("Username or email").fill(name)
    page.get_by_label("Password").fill(password)
    follow(page.get_by_role("button", name="Sign in", exact=True))
