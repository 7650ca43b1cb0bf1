"""Staff pages: their text, and screenshots."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
from playwright.sync_api import sync_playwright

from benchmarks.chaos.installation import PASSWORD

SCREENSHOTS = {
    "dashboard": "/mlops/",
    "audit trail": "/admin/mlops/promotion/",
    "decisions": "/admin/mlops/gatedecision/",
}
WIDTHS = (390, 1280)
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


class Pages:
    def __init__(self, address: str, username: str) -> None:
        self._address, self._username = address, username

    def __enter__(self) -> Pages:
        self._client = httpx.Client(base_url=self._address, timeout=60, follow_redirects=True)
        sign_in(self._client, self._username)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._client.close()

    def read(self, path: str) -> str:
        """Returns the text of the page, without tags."""
        html = self._client.get(path).raise_for_status().text
        return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))

    def screenshots(self, folder: Path) -> Iterator[Path]:
        folder.mkdir(parents=True, exist_ok=True)
        cookies = [{"name": name, "value": value, "url": self._address} for name, value in self._client.cookies.items()]
        program = os.environ.get("CHROMIUM", "/usr/bin/chromium")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
            for width in WIDTHS:
                context = browser.new_context(base_url=self._address, viewport={"width": width, "height": 900})
                context.add_cookies(cookies)
                page = context.new_page()
                for name, path in SCREENSHOTS.items():
                    page.goto(path)
                    screenshot = folder / f"{name}, {width} px.png"
                    page.screenshot(path=screenshot, full_page=True)
                    yield screenshot
            browser.close()


def sign_in(client: httpx.Client, username: str) -> None:
    form = client.get("/accounts/sign-in/").text
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form)
    given = {"username": username, "password": PASSWORD, "csrfmiddlewaretoken": token[1] if token else ""}
    client.post("/accounts/sign-in/", data=given)
