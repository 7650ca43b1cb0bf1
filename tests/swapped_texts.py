"""`pytest --swap-texts` replaces every gettext message, including the sentences of findings.

Behaviour must not depend on wording. `deploy/test` runs the tests on Postgres and Redis in this way. Tests marked
`wording`, which check sentences, and slow ones, which read pages in a browser, keep the real texts. Placeholders, tags
and entities are kept.
"""

import codecs
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.utils import translation
from django_countries import countries

WORDED = ("wording", "slow")
KEPT = re.compile(r"(%(?:\(\w+\))?[-#0 +]*\d*(?:\.\d+)?[a-zA-Z%]|\{[^{}]*\}|<[^<>]+>|&\w+;)")
FUNCTIONS = ("gettext", "ngettext", "pgettext", "npgettext")


def swapped(text: str) -> str:
    """Returns a different text of the same structure."""
    parts = KEPT.split(text)
    return "".join(part if place % 2 else codecs.encode(part, "rot13") for place, part in enumerate(parts))


@contextmanager
def swapped_texts() -> Iterator[None]:
    """Replaces the object used by all of Django's gettext functions, including lazy ones."""
    messages = translation._trans
    real = {name: getattr(messages, name) for name in FUNCTIONS}
    for name, function in real.items():
        setattr(messages, name, _swapping(function))
    _forget_countries()
    try:
        yield
    finally:
        for name, function in real.items():
            setattr(messages, name, function)
        _forget_countries()


def _forget_countries() -> None:
    """Clears the names of countries that django-countries caches by language."""
    vars(countries).pop("_iter_cache", None)


def _swapping(function: Callable[..., Any]) -> Callable[..., str]:
    def swap(*arguments: Any) -> str:
        # the empty message is the header of a catalogue
        return str(function(*arguments)) if arguments == ("",) else swapped(str(function(*arguments)))

    return swap


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--swap-texts", action="store_true", help="run behaviour tests with every message in other words")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    if item.config.getoption("--swap-texts") and not any(item.get_closest_marker(name) for name in WORDED):
        with swapped_texts():
            return (yield)
    return (yield)
