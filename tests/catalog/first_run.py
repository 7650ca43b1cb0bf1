"""Helpers for tests of the first run: a form, the page's URL, and a site whose staff configure the mail server."""

import pytest

from catalog import setup
from catalog.site_settings import OWN_MAIL

PASSWORD = "correct horse battery"
ACCOUNT = {"username": "ada", "email": "ada@example.org", "password": PASSWORD, "password_again": PASSWORD}
FORM = ACCOUNT | {"site_name": "Film club", "language": "vi", "region": "VN", "start_with": "none"}


@pytest.fixture
def own_mail(settings) -> None:
    """As on a site without EMAIL_URL."""
    settings.EMAIL_BACKEND = OWN_MAIL


@pytest.fixture
def page(db) -> str:
    return setup.link(setup.present_code(), base="/")


def fields_with_errors(answer) -> set[str]:
    return {name for form in ("account", "form") for name in answer.context[form].errors}
