"""`pytest --swap-texts`: every message of gettext, the sentences of findings among them, comes out in other words.

Behaviour must not depend on wording, so all tests but those marked `wording`, which are left out, must pass then.
`deploy/test` runs the tests on Postgres and Redis in this way. Placeholders, tags and entities stay.
"""

import codecs
import re
from typing import Any

import pytest
from django.utils import translation

MARK = "wording"
KEPT = re.compile(r"(%\(\w+\)[a-z]|%[sdif%]|\{[^{}]*\}|<[^<>]+>|&\w+;)")


def swapped(text: str) -> str:
    """Other words of the same shape."""
    parts = KEPT.split(text)
    return "".join(part if place % 2 else codecs.encode(part, "rot13") for place, part in enumerate(parts))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--swap-texts", action="store_true", help="run behaviour tests with every message in other words")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--swap-texts"):
        _swap()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--swap-texts"):
        left_out = [item for item in items if item.get_closest_marker(MARK)]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def _swap() -> None:
    """Django's gettext functions, lazy ones too, ask this object."""
    messages = translation._trans
    gettext, ngettext, pgettext, npgettext = (
        getattr(messages, name) for name in ("gettext", "ngettext", "pgettext", "npgettext")
    )

    def one(message: Any) -> Any:
        return swapped(gettext(message)) if message else gettext(message)

    messages.gettext = one
    messages.ngettext = lambda *arguments: swapped(ngettext(*arguments))
    messages.pgettext = lambda context, message: swapped(pgettext(context, message))
    messages.npgettext = lambda *arguments: swapped(npgettext(*arguments))
