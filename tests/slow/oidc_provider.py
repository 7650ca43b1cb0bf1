"""An OpenID Connect provider as a process, and a browser that signs in there."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import ConsoleMessage, Page, expect

from benchmarks.node_tools import AXE, install
from catalog.sign_in.settings import IdentityProvider
from tests.processes import environment, free_port
from tests.slow.conftest import TIMEOUT


class Provider:
    """oidc-provider-mock as a process. It knows who somebody is by the `sub` that they type."""

    def __init__(self) -> None:
        self.port = free_port()
        self.issuer = f"http://localhost:{self.port}"  # not the host of the site, as the policy of the site sees it
        program = [sys.executable, "-m", "oidc_provider_mock", "--port", str(self.port), "--require-nonce"]
        self.process = subprocess.Popen([*program, "true"], env=environment(), stderr=subprocess.DEVNULL)
        self.wait()

    def wait(self) -> None:
        for _ in range(300):
            try:
                httpx.get(f"{self.issuer}/.well-known/openid-configuration").raise_for_status()
                return
            except httpx.TransportError:
                time.sleep(0.1)
        raise TimeoutError

    def knows(self, sub: str, **claims: object) -> None:
        httpx.put(f"{self.issuer}/users/{sub}", json=claims).raise_for_status()

    def client(self) -> IdentityProvider:
        return IdentityProvider(self.issuer, "movierec", "a secret of both", "Club ID")

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()


@pytest.fixture
def visit(chromium, live_server) -> Iterator[Callable[..., Page]]:
    """As the one of all stories; but the provider's pages ask another host for styles, and refusals have a status."""
    opened, problems = [], []

    def note(message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            problems.append(message.text)

    def open_browser(*, javascript: bool = True, **settings: object) -> Page:
        context = chromium.new_context(base_url=live_server.url, java_script_enabled=javascript, **settings)
        context.set_default_timeout(TIMEOUT)
        context.on("console", note)
        context.on("weberror", lambda error: problems.append(str(error.error)))
        opened.append(context)
        return context.new_page()

    yield open_browser
    for context in opened:
        context.close()
    assert problems == []


@pytest.fixture
def provider(settings) -> Iterator[Provider]:
    started = Provider()
    settings.OIDC = started.client()
    started.knows("ada", preferred_username="ada", email="ada@example.org", email_verified=True)
    started.knows("nora", preferred_username="nora", email="nora@example.org", email_verified=True)
    yield started
    started.stop()


@pytest.fixture(scope="module")
def axe(tmp_path_factory) -> str:
    return (install(Path(tmp_path_factory.mktemp("npm")), AXE) / "axe.min.js").read_text(encoding="utf-8")


def at_provider(page: Page, sub: str) -> None:
    page.get_by_placeholder("sub").fill(sub)
    page.get_by_role("button", name="Authorize", exact=True).click()


def single_sign_on(page: Page, sub: str, start: str = "/accounts/sign-in/") -> None:
    page.goto(start)
    page.get_by_role("button", name="Continue with Club ID").click()
    at_provider(page, sub)


def is_signed_in_as(page: Page, name: str) -> None:
    page.goto("/accounts/")
    expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()
