"""The supported media servers. Each module of this package registers its own."""

from importlib import import_module
from pkgutil import iter_modules

from catalog.hooks.event import Server


def _discover() -> dict[str, Server]:
    found = [import_module(f"{__name__}.{module.name}").SERVER for module in iter_modules(__path__)]
    return {server.code: server for server in sorted(found, key=lambda server: server.position)}


SERVERS = _discover()
