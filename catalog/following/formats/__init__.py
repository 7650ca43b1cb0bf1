"""The kinds of sources that can be followed. Each module of this package registers its own."""

from importlib import import_module
from pkgutil import iter_modules

from catalog.following.source import Source


def _discover() -> dict[str, Source]:
    found = [import_module(f"{__name__}.{module.name}").SOURCE for module in iter_modules(__path__)]
    return {source.code: source for source in sorted(found, key=lambda source: source.position)}


SOURCES = _discover()


def available() -> list[Source]:
    return [source for source in SOURCES.values() if source.is_available()]
