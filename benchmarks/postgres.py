"""A temporary database for a benchmark."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import psycopg2
from django.conf import settings
from django.db import connections


@contextmanager
def new_database(server: str) -> Iterator[str]:
    """Yields the URL of a new database on that server. Drops it at the end."""
    name = f"movierec_benchmark_{secrets.token_hex(4)}"

    def execute(statement: str) -> None:
        connection = psycopg2.connect(server)
        connection.autocommit = True
        connection.cursor().execute(statement)
        connection.close()

    execute(f"CREATE DATABASE {name}")
    try:
        yield urlsplit(server)._replace(path=f"/{name}").geturl()
    finally:
        if settings.configured:  # this process may have its own connections
            connections.close_all()
        execute(f"DROP DATABASE {name} WITH (FORCE)")
