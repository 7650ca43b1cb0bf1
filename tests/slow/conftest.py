"""A browser, and small trained sites."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from benchmarks.chaos.servers import Redis
from catalog.models import Movie
from tests.mlops.conftest import quick, rated_site
from tests.processes import ROOT, environment
from tests.recommender.conftest import camps, count_ratings, fan, train

__all__ = ["camps", "fan", "quick", "rated_site", "train"]


TIMEOUT = 30_000  # milliseconds; only ends what hangs

expect.set_options(timeout=TIMEOUT)  # 5 s by default, which a busy machine misses


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Has browsers opened last and so closed first: a page that asks on finds its site there until its end."""
    for item in items:
        if isinstance(item, pytest.Function) and "visit" in item.fixturenames:
            item.fixturenames.sort(key="visit".__eq__)


@pytest.fixture
def redis(tmp_path) -> Iterator[Redis]:
    server = Redis(tmp_path / "redis", tmp_path / "redis.log", environment())
    server.prepare()
    server.launch()
    server.wait()
    yield server
    server.kill()


@pytest.fixture(scope="session")
def static_root(tmp_path_factory) -> str:
    """The static files as `collectstatic` leaves them, which sites only read."""
    folder = str(tmp_path_factory.mktemp("static"))
    collect = [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity", "0"]
    subprocess.run(collect, cwd=ROOT, env=environment(STATIC_ROOT=folder), check=True)
    return folder


@pytest.fixture
def trained_camps(train, camps) -> dict[str, list[Movie]]:
    train()
    count_ratings()
    return camps


@pytest.fixture(scope="module")
def chromium(request) -> Iterator[Browser]:
    # Playwright's loop runs in this thread; the database is asked between its calls, never within one.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    flags = ["sandbox", "disable-gpu", "disable-background-networking", "disable-component-update", "disable-sync"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"),
            args=[f"--no-{flag}" if flag == "sandbox" else f"--{flag}" for flag in flags],
            ignore_default_args=getattr(request, "param", None),
        )
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def visit(chromium, live_server):
    """Opens a browser of one's own; fails on any error of a script and on anything the policy blocked."""
    opened, problems = [], []

    def open_browser(*, javascript: bool = True, **settings: object) -> Page:
        # Requests that a service worker makes would not pass through a test's routes.
        settings = {"service_workers": "block"} | settings
        context = chromium.new_context(base_url=live_server.url, java_script_enabled=javascript, **settings)
        context.set_default_timeout(TIMEOUT)
        # Of the context, so that pop-ups count too.
        context.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        context.on("weberror", lambda error: problems.append(str(error.error)))
        opened.append(context)
        return context.new_page()

    yield open_browser
    for context in opened:
        context.close()
    assert problems == []
