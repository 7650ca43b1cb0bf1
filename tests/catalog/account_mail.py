"""Helpers for tests of accounts: mails with links, and a record of the rendered templates."""

import re
from collections.abc import Iterator

import pytest
from django.core import mail
from django.test.signals import template_rendered

NEW = "a new long password"


@pytest.fixture
def only_our_templates() -> Iterator[None]:
    """No page, mail or message is drawn by a template of django-allauth."""
    used = set()

    def look(template: object, **kwargs: object) -> None:
        used.add(str(template.origin.name))

    template_rendered.connect(look)
    yield
    template_rendered.disconnect(look)
    assert [name for name in used if "/allauth/templates/" in name] == []


def link(index: int = -1) -> str:
    """The path of the link in a mail that was sent."""
    return re.search(r"https?://[^/\s]+(/\S+)", mail.outbox[index].body)[1]


def content(answer) -> str:
    """What a page says, without what is drawn by lot for each answer."""
    return answer.content.decode().partition("<main")[2].partition("</main>")[0]


def choose_password(client, address: str, password: str = NEW):
    page = client.get(address, follow=True)
    return client.post(page.request["PATH_INFO"], {"password1": password, "password2": password}, follow=True)
